"""What outside producers hand in: bytes into their own quarantine, signed events onto the log; never taken for consent or evidence."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http import HttpProcessingError

from assent.blobs.blob_key import join_key
from assent.blobs.quarantine import DigestMismatchError, Quarantine
from assent.blobs.store import BlobNotFoundError
from assent.deployment.body_pace import BodyPace
from assent.events.envelope import Event, UnreadableEventError, decode
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.events.payload import EventPayload
from assent.events.record import Record
from assent.identity.errors import ApiError
from assent.ids import ImageId, ProducerId, SightingId
from assent.intake.producers import ProducerDirectory
from assent.intake.signature import is_signed_by
from assent.intake.standings import ProducerStandings
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from services.registry.outcome_table import insert_sighting
from services.registry.publisher import Offsets, Publisher
from services.registry.store import RegistryStore

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """Bytes that lie in quarantine. `image_id` is how outcomes name them."""

    blob: str
    size_bytes: int
    image_id: ImageId


@dataclass(frozen=True, slots=True)
class Announced:
    """An event on the log, and the ids under which its outcomes are told."""

    offsets: Offsets
    sighting_id: SightingId
    image_id: ImageId


class Intake:
    """Checks before it takes: who, by whose signature, from whose area. What passes is still judged by every gate."""

    def __init__(
        self,
        *,
        store: RegistryStore,
        quarantine: Quarantine,
        producers: ProducerDirectory,
        standings: ProducerStandings,
        identifiers: ImageIds,
        publisher: Publisher,
        clock: Clock,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._quarantine = quarantine
        self._producers = producers
        self._standings = standings
        self._identifiers = identifiers
        self._publisher = publisher
        self._clock = clock
        self._max_bytes = max_bytes

    async def put(self, producer: ProducerId, sha256: str, body: AsyncIterator[bytes], *, length: int | None) -> HandedIn:
        """Keep the bytes sealed in the producer's own area."""
        if not _SHA256.fullmatch(sha256):
            raise ApiError(422, "bad_digest", "The path holds no SHA-256.", "Send 64 lower-case hexadecimal digits.")
        await self._refuse_suspended(producer)
        data = await read_capped(body, max_bytes=self._max_bytes, length=length)
        try:
            blob = await self._quarantine.put_intake(producer, sha256, data)
        except DigestMismatchError as error:
            raise ApiError(422, "wrong_digest", "The body does not have this SHA-256.", "Send the bytes that were hashed.") from error
        return HandedIn(blob, len(data), self._identifiers.image_id(data))

    async def announce(self, producer: ProducerId, record: Record) -> Announced:
        """Append a signed images.scraped event of this producer, byte for byte as it was signed."""
        event = _read(record)
        assert isinstance(event.data, ImageScraped)  # Only this type belongs on the topic; decode refuses every other.
        public_key = await self._producers.public_key(producer)
        if public_key is None:
            raise ApiError(403, "unknown_producer", "This producer is not registered.", "Ask the operator to register its key.")
        if not is_signed_by(record, public_key, event_id=event.id):
            raise ApiError(403, "bad_signature", "The signature does not hold.", "Sign event id, key and value with Ed25519.")
        await self._refuse_suspended(producer)
        sighting = event.data.sighting
        if sighting.producer != producer:
            raise ApiError(403, "foreign_producer", "The event names another producer.", "Name the producer of the token.")
        if sighting.source_kind is not SourceKind.PRODUCER or sighting.upload_grant_id is not None:
            raise ApiError(422, "AIA-3", "An outside producer hands in as `producer`, never as an upload.", "Set source_kind producer.")
        if sighting.blob != join_key("intake", producer, sighting.sha256):
            raise ApiError(422, "foreign_blob", "The blob is not in the producer's own area.", "Name intake/PRODUCER/SHA256.")
        data = await self._original(sighting)
        offsets = await self._publisher.append([record])
        # The ids that our gates will give it, so that its outcome finds its producer.
        image_id = self._identifiers.image_id(data)
        sighting_id = self._identifiers.sighting_id(final_url=sighting.final_url, image_id=image_id, producer=producer)
        now = self._clock.now()
        await self._store.write(lambda database: insert_sighting(database, sighting_id, producer, None, now=now))
        return Announced(offsets, sighting_id, image_id)

    async def _refuse_suspended(self, producer: ProducerId) -> None:
        """Here the producer can be told, and keeps what it has; what it puts on the log itself is set aside instead."""
        standing = await self._standings.of(producer)
        if standing is not None and standing.is_suspended:
            raise ApiError(
                403,
                "producer_suspended",
                f"This producer is suspended since {standing.since:%Y-%m-%d %H:%M} UTC ({standing.reason}); nothing was taken.",
                "Mend what cannot be read, ask the operator to resume the producer, then send again.",
            )

    async def _original(self, sighting: Sighting) -> bytes:
        try:
            return await self._quarantine.fetch(sighting.blob, producer=sighting.producer, sighting_id=sighting.sighting_id)
        except BlobNotFoundError as error:
            raise ApiError(
                409,
                "no_blob",
                "These bytes were not handed in, or have gone.",
                "PUT them to /v1/intake/SHA256, then send the event again; if it was taken before, nothing is done twice.",
            ) from error


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


def _read(record: Record) -> Event[EventPayload]:
    try:
        return decode(record)
    except UnreadableEventError as error:
        raise ApiError(422, error.cause, f"The event cannot be read: {error.detail}.", "Send an images.scraped.v1 event.") from error


async def chunks_of(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it arrives, in pieces of at most 64 KiB. Raises ApiError: 408 for one that hardly moves, 400 for one that does not
    have the Content-Encoding that it names.
    """
    pace = BodyPace(request)
    while True:
        try:
            chunk = await pace.of(request.content.read(65_536))
        except (web.RequestPayloadError, HttpProcessingError) as error:
            raise ApiError(400, "malformed", "The body cannot be read.", "Send it whole, with the Content-Encoding that it has.") from error
        if not chunk:
            return
        yield chunk
