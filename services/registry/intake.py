"""What outside producers hand in: bytes into their own quarantine, signed events onto the log; never taken for consent or evidence."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from assent.blobs.blob_key import join_key
from assent.blobs.quarantine import DigestMismatchError, Quarantine
from assent.blobs.store import BlobNotFoundError
from assent.events.envelope import STRUCTURED_CONTENT, UnreadableEventError, decode
from assent.events.images import ImageScraped, SourceKind
from assent.events.record import Record
from assent.events.topics import Topic
from assent.identity.errors import ApiError
from assent.ids import ProducerId, SightingId
from assent.intake.producers import ProducerDirectory
from assent.intake.signature import SIGNATURE_HEADER, is_signed_by
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from services.registry.outcome_table import insert_sighting
from services.registry.publisher import Offsets, Publisher
from services.registry.store import RegistryStore

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ATTRIBUTES = ("specversion", "id", "source", "type", "time")
MAX_EVENT_BYTES = 256 * 1024


class Intake:
    """Checks before it takes: who, by whose signature, from whose area. What passes is still judged by every gate."""

    def __init__(
        self,
        *,
        store: RegistryStore,
        quarantine: Quarantine,
        producers: ProducerDirectory,
        identifiers: ImageIds,
        publisher: Publisher,
        clock: Clock,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._quarantine = quarantine
        self._producers = producers
        self._identifiers = identifiers
        self._publisher = publisher
        self._clock = clock
        self._max_bytes = max_bytes

    async def put(self, producer: ProducerId, sha256: str, body: AsyncIterator[bytes], *, length: int | None) -> str:
        """Keep the bytes sealed in the producer's own area and return their blob key."""
        if not _SHA256.fullmatch(sha256):
            raise ApiError(422, "bad_digest", "The path holds no SHA-256.", "Send 64 lower-case hexadecimal digits.")
        data = await read_capped(body, max_bytes=self._max_bytes, length=length)
        try:
            return await self._quarantine.put_intake(producer, sha256, data)
        except DigestMismatchError as error:
            raise ApiError(422, "wrong_digest", "The body does not have this SHA-256.", "Send the bytes that were hashed.") from error

    async def announce(self, producer: ProducerId, record: Record) -> Offsets:
        """Append a signed images.scraped event of this producer, byte for byte as it was signed."""
        scraped = _scraped(record)
        public_key = await self._producers.public_key(producer)
        if public_key is None:
            raise ApiError(403, "unknown_producer", "This producer is not registered.", "Ask the operator to register its key.")
        if not is_signed_by(record, public_key):
            raise ApiError(403, "bad_signature", "The signature does not hold.", "Sign event id, key and value with Ed25519.")
        sighting = scraped.sighting
        if sighting.producer != producer:
            raise ApiError(403, "foreign_producer", "The event names another producer.", "Name the producer of the token.")
        if sighting.source_kind is not SourceKind.PRODUCER or sighting.upload_grant_id is not None:
            raise ApiError(422, "AIA-3", "An outside producer hands in as `producer`, never as an upload.", "Set source_kind producer.")
        if sighting.blob != join_key("intake", producer, sighting.sha256):
            raise ApiError(422, "foreign_blob", "The blob is not in the producer's own area.", "Name intake/PRODUCER/SHA256.")
        if not await self._quarantine.has_intake(producer, sighting.sha256):
            raise ApiError(409, "no_blob", "These bytes were not handed in, or have gone.", "PUT them to /v1/intake/SHA256 first.")
        offsets = await self._publisher.append([record])
        await self._remember(scraped, producer)
        return offsets

    async def _remember(self, scraped: ImageScraped, producer: ProducerId) -> None:
        """Under the id that our gates will give it, so that its outcome finds its producer."""
        sighting = scraped.sighting
        try:
            data = await self._quarantine.fetch(sighting.blob, producer=producer, sighting_id=sighting.sighting_id)
        except BlobNotFoundError:
            return  # Its sighting has ended already; the refusal itself names the producer.
        sighting_id = self._identifiers.sighting_id(
            final_url=sighting.final_url, image_id=self._identifiers.image_id(data), producer=producer
        )
        now = self._clock.now()
        await self._store.write(lambda database: insert_sighting(database, SightingId(sighting_id), producer, None, now=now))


async def read_capped(body: AsyncIterator[bytes], *, max_bytes: int, length: int | None = None) -> bytes:
    """The whole body, or ApiError 413 as soon as it is too long."""
    too_long = ApiError(413, "too_large", f"More than {max_bytes} bytes.", "Send a smaller file.")
    if length is not None and length > max_bytes:
        raise too_long
    data = bytearray()
    async for chunk in body:
        data.extend(chunk)
        if len(data) > max_bytes:
            raise too_long
    return bytes(data)


def record_of(headers: Mapping[str, str], body: bytes) -> Record:
    """The Kafka record of a CloudEvent sent over HTTP, in binary or structured mode; the body is kept byte for byte."""
    try:
        signature = base64.b64decode(headers.get("assent-signature", ""), validate=True)
    except binascii.Error as error:
        raise ApiError(422, "bad_signature", "The header assent-signature is not base64.", "Send 64 bytes as base64.") from error
    content = headers.get("Content-Type", "").encode()
    if content.startswith(STRUCTURED_CONTENT):
        attributes, data = _structured(body)
        told = [("ce_id", attributes.get("id", "").encode()), ("content-type", STRUCTURED_CONTENT)]
    else:
        data = _object(body)
        told = [(f"ce_{name}", headers.get(f"ce-{name}", "").encode()) for name in _ATTRIBUTES]
        told.append(("content-type", b"application/json"))
    sighting = data.get("sighting")
    key = sighting.get("sighting_id") if isinstance(sighting, dict) else None
    if not isinstance(key, str):
        raise ApiError(422, "malformed", "The event has no sighting with an id.", "Send an images.scraped.v1 event.")
    return Record(topic=Topic.IMAGES_SCRAPED.value, key=key.encode(), value=body, headers=(*told, (SIGNATURE_HEADER, signature)))


def _structured(body: bytes) -> tuple[dict[str, str], dict[str, object]]:
    whole = _object(body)
    data = whole.get("data")
    if not isinstance(data, dict):
        raise ApiError(422, "malformed", "The CloudEvent has no data.", "Send an images.scraped.v1 event.")
    return {name: str(value) for name, value in whole.items() if name != "data"}, data


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(422, "malformed", "The body is not JSON.", "Send an images.scraped.v1 event.") from error
    if not isinstance(value, dict):
        raise ApiError(422, "malformed", "The body is not a JSON object.", "Send an images.scraped.v1 event.")
    return value


def _scraped(record: Record) -> ImageScraped:
    try:
        data = decode(record).data
    except UnreadableEventError as error:
        raise ApiError(422, error.cause, "The event cannot be read.", "Send an images.scraped.v1 event.") from error
    assert isinstance(data, ImageScraped)  # Only this type belongs on the topic; decode refuses every other.
    return data


def chunks_of(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it arrives, in pieces of at most 64 KiB."""
    return request.content.iter_chunked(65_536)
