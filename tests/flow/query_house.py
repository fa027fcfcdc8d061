"""The query service in one process over real parts: SQLite log, Edge, sealed pictures, a signed policy; each can be made to fail."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from assent.blobs.derivatives import Derivatives
from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.deployment.build import open_blobs
from assent.deployment.process import served_application
from assent.deployment.shared import Shared
from assent.events.envelope import Event, encode
from assent.events.faces import FaceBox, FaceEmbedded
from assent.events.grants import GrantSnapshot, GrantWithdrawn, PolicyPublished, Purpose
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic, all_topics
from assent.faces.derivative import derivative
from assent.geofence.policy_document import policy_from
from assent.identity.principal import Principal, Role
from assent.identity.tokens import TokenSigner
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SightingId, SubjectId
from assent.intake.producers import ProducerDirectory
from assent.intake.registry_signature import signed_by_registry
from assent.intake.standings import ProducerStandings
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.keys.signing_keys import SigningKeys
from assent.stream.event_log import LogUnavailableError, Position, Tail, TopicPartition
from assent.stream.local import SqliteEventLog
from assent.telemetry.meter import Metrics
from assent.testing.face_pack import embedded_pack, encoded, six_faces
from assent.testing.fake_clock import FakeClock
from assent.vectors.edge import EdgeVectorStore
from assent.vectors.store import Candidate, FacePoint
from services.query.app import QueryApp
from services.query.settings import QuerySettings
from tests.conftest import ROOT
from tests.unit.grant_examples import CA_BC

ORG = "Museum"
LATE_S = 0.7
Meanwhile = Callable[[], Awaitable[None]]


class FailingLog(SqliteEventLog):
    """The real log, which can be told not to answer."""

    is_silent = False
    refuses: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    """Followers of exactly these topics are given what they read a while after it was acknowledged."""

    async def append(self, records: Any) -> list[Position]:
        if any(record.topic in self.refuses for record in records):
            raise LogUnavailableError("not now")
        return await super().append(records)

    async def tail(self, topics: Any) -> Any:
        return LateTail(await super().tail(topics), self, frozenset(topics))

    async def end_offsets(self, topics: Any) -> dict[TopicPartition, int]:
        if self.is_silent:
            raise LogUnavailableError("not now")
        return await super().end_offsets(topics)


@dataclass
class LateTail:
    """A follower whose broker takes its time."""

    tail: Tail
    log: FailingLog
    topics: frozenset[str]

    async def poll(self, *, timeout_s: float) -> list[StoredRecord]:
        found = await self.tail.poll(timeout_s=timeout_s)
        if found and self.topics == self.log.late:
            await asyncio.sleep(LATE_S)
        return found

    def positions(self) -> dict[TopicPartition, int]:
        return self.tail.positions()

    async def close(self) -> None:
        await self.tail.close()


class InterruptedStore(EdgeVectorStore):
    """The real store; something may happen between what it found and who asked."""

    meanwhile: Meanwhile | None = None

    async def search(
        self, vector: NDArray[np.float32], *, grant_ids: frozenset[GrantId], purpose: str, limit: int, threshold: float
    ) -> list[Candidate]:
        found = await super().search(vector, grant_ids=grant_ids, purpose=purpose, limit=limit, threshold=threshold)
        if self.meanwhile is not None:
            await self.meanwhile()
        return found


class InterruptedPictures(Derivatives):
    """The real pictures; something may happen after one was read."""

    meanwhile: Meanwhile | None = None

    async def get(self, grant_id: GrantId, face_id: FaceId) -> bytes:
        found = await super().get(grant_id, face_id)
        if self.meanwhile is not None:
            await self.meanwhile()
        return found


@dataclass
class QueryHouse:
    """The running service and what a test does to it."""

    app: QueryApp
    client: TestClient[Any, Any]
    clock: FakeClock
    log: FailingLog
    store: InterruptedStore
    pictures: InterruptedPictures
    shared: Shared
    signing: SigningKeys
    boxes: dict[FaceId, FaceBox] = field(default_factory=dict)

    @property
    def metrics(self) -> Metrics:
        return self.shared.metrics

    async def append(self, data: EventPayload, *, event: str | None = None) -> None:
        identity = event or uuid.uuid4().hex
        await self.log.append([self._signed(data, identity)])
        await self.settled()

    async def raw(self, topic: Topic, key: bytes, value: bytes) -> None:
        await self.log.append([Record(topic.value, key, value)])

    async def settled(self) -> None:
        """Every table stands at the end of the log; a log that was told to be silent is left alone."""
        if not self.log.is_silent:
            await self.app.caught_up()

    async def give(self, grant: GrantSnapshot) -> None:
        await self.shared.grant_keys.create(grant.grant_id)
        await self.append(grant)

    async def withdraw(self, grant_id: GrantId) -> None:
        """Acknowledged by the log; nobody waits for anybody to read it."""
        data = GrantWithdrawn(grant_id=grant_id, withdrawn_at=self.clock.now())
        await self.log.append([self._signed(data, uuid.uuid4().hex)])

    def _signed(self, data: EventPayload, identity: str) -> Record:
        """As the registry would write it."""
        return signed_by_registry(encode(Event(id=identity, source="/test", time=self.clock.now(), data=data)), self.signing.grant)

    async def policy(self, *open_to_clients: str, **entries: dict[str, Any]) -> None:
        """Publish the shipped policy with these places open to callers, and keys of entries changed, as `CA_BC={...}`."""
        await self.append(signed_policy(self.signing, open_to_clients, **entries))

    async def embed(
        self, grant: GrantSnapshot, rgb: NDArray[np.uint8], image: bytes, *, places: tuple[Jurisdiction, ...] = (CA_BC,)
    ) -> FaceId:
        """What embedder and indexer do with the only face of a picture."""
        (face,) = self.shared.pack.detector.detect(rgb)
        vector = self.shared.pack.embedder.embed(rgb, face)
        image_id = self.shared.identifiers.image_id(image)
        face_id = FaceId(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{image_id}{grant.grant_id}")))
        now = int(self.clock.now().timestamp())
        facts = {
            "face_id": face_id,
            "grant_id": grant.grant_id,
            "subject_id": grant.subject_id,
            "image_id": image_id,
            "model_digest": self.shared.pack.digest,
            "revision": grant.revision,
        }
        purposes = tuple(purpose.value for purpose in grant.purposes)
        point: Any = {**facts, "purposes": purposes, "jurisdictions": places, "expires_at": now + 86_400, "embedded_at": now}
        await self.store.upsert([FacePoint(vector=vector, **point)])
        await self.pictures.put(grant.grant_id, face_id, derivative(rgb, face.box, []))
        box = face.box.relative(width=rgb.shape[1], height=rgb.shape[0])
        assert box is not None
        self.boxes[face_id] = FaceBox(x=box.x, y=box.y, width=box.width, height=box.height)
        event: Any = facts
        await self.append(
            FaceEmbedded(
                **event,
                sighting_id=SightingId(f"sighting-{image_id}"),
                region_index=0,
                box=self.boxes[face_id],
                detection_score=face.score,
                dimensions=vector.shape[0],
                sealed_vector=b"sealed",
                derivative=f"grants/{grant.grant_id}/{face_id}",
                candidates=places,
                policy_version="1",
                embedded_at=self.clock.now(),
            )
        )
        return face_id

    def token(self, *roles: Role, **changes: Any) -> dict[str, str]:
        """The header of a caller with these roles."""
        return {"Authorization": f"Bearer {self.mint(*roles, **changes)}"}

    def mint(self, *roles: Role, **changes: Any) -> str:
        fields: dict[str, Any] = {
            "name": "caller",
            "roles": frozenset(roles),
            "org": ORG,
            "jurisdictions": (CA_BC,),
            "purposes": (Purpose.GALLERY_SEARCH,) if Role.SEARCHER in roles else (),
            "subject_id": SubjectId("s-1") if Role.SUBJECT in roles else None,
        }
        return TokenSigner(self.signing.token, clock=self.clock).mint(Principal(**(fields | changes)), lifetime_s=3_600)

    async def ask(self, path: str, headers: dict[str, str] | None = None, *, image: bytes | None = None, **fields: str) -> tuple[int, Any]:
        """Post a form with the picture last; status and JSON."""
        async with self.client.post(path, data=form(image, **fields), headers=headers or {}) as response:
            return response.status, await response.json()

    async def disclosures(self) -> list[dict[str, Any]]:
        """What was put on record, in the order of the log's partitions."""
        found: list[dict[str, Any]] = []
        for partition in range(await self.log.partitions(Topic.DISCLOSURES.value)):
            at = TopicPartition(Topic.DISCLOSURES.value, partition)
            found += [yaml.safe_load(record.value or b"") for record in await self.log.read(at, 0, max_records=100)]
        return found

    async def disclosure_of(self, query_id: str) -> dict[str, Any]:
        """What was put on record of one answer."""
        (found,) = [record for record in await self.disclosures() if record["query_id"] == query_id]
        return found


def stranger() -> bytes:
    """A photo of somebody who granted nothing: one face of a group."""
    rgb, detector = six_faces(), embedded_pack().detector
    box = detector.detect(rgb)[0].box.grown(0.3)
    left, top = max(0, int(box.x)), max(0, int(box.y))
    return encoded(rgb[top : top + int(box.height), left : left + int(box.width)])


async def until(condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    """Wait for a condition by looking again. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  what is waited for says nothing when it happens
            await asyncio.sleep(0.01)


def form(image: bytes | None, **fields: str) -> FormData:
    data = FormData(default_to_multipart=True)
    for name, value in fields.items():
        data.add_field(name, value)
    if image is not None:
        data.add_field("image", image, filename="probe.jpg", content_type="image/jpeg")
    return data


def signed_policy(signing: SigningKeys, open_to_clients: Iterable[str] = (), **entries: dict[str, Any]) -> PolicyPublished:
    """The shipped policy with some places open to callers."""
    written = yaml.safe_load((ROOT / "services" / "registry" / "policies" / "shipped.yaml").read_text())
    for name in open_to_clients:
        written["jurisdictions"][name]["with_grant"].append("serve_clients")
    for name, entry in entries.items():
        written["jurisdictions"][name.replace("_", "-")] |= entry
    document = policy_from(written).canonical_json()
    digest = hashlib.sha256(document.encode()).hexdigest()
    return PolicyPublished(
        version=str(written["version"]),
        document=document,
        sha256=digest,
        signature=signing.policy.sign(digest.encode()),
        key_id="test",
        published_at=FakeClock().now(),
    )


def image_id_of(house: QueryHouse, data: bytes) -> ImageId:
    return house.shared.identifiers.image_id(data)


@asynccontextmanager
async def query_house(folder: Path, *, clock: FakeClock | None = None, **settings: Any) -> AsyncIterator[QueryHouse]:
    """The service over the parts in `folder`, listening on a loopback port; a folder used before is opened again."""
    clock = clock or FakeClock()
    keys = DeploymentKeys.load_or_create(folder / "keys")
    pack = embedded_pack()
    log = FailingLog(folder / "log.sqlite3", clock=clock)
    await log.start()
    await log.ensure_topics(all_topics())
    store = InterruptedStore(folder / "vectors", dimensions=pack.manifest.recogniser.dimensions, model_digest=pack.digest)
    await store.open()
    tables = DecisionTables(log, public=keys.public, clock=clock)
    await tables.start()
    blobs, key_store = open_blobs(f"file:{folder / 'blobs'}"), open_blobs(f"file:{folder / 'grant-keys'}")
    grant_keys = GrantKeyring(key_store, keys.key_encryption_key)
    pictures = InterruptedPictures(blobs, grant_keys)
    shared = Shared(
        data=folder,
        clock=clock,
        log=log,
        tables=tables,
        gate=Gate(tables.fold, clock),
        quarantine=Quarantine(blobs, keys.quarantine_key),
        derivatives=pictures,
        keys=keys,
        grant_keys=grant_keys,
        identifiers=ImageIds(keys),
        producers=ProducerDirectory(key_store, {}),
        standings=ProducerStandings(blobs),
        metrics=Metrics(CollectorRegistry()),
        vector_store=store,
        face_pack=pack,
        manifest=pack.manifest,
    )
    app = QueryApp(QuerySettings(**({"catch_up_timeout_s": 2.0, "drain_deadline_s": 2.0} | settings)), shared)
    await app.start()
    server = TestServer(served_application(shared, app, service="query"), host="127.0.0.1")
    client: TestClient[Any, Any] = TestClient(server)
    await client.start_server()
    house = QueryHouse(app, client, clock, log, store, pictures, shared, SigningKeys.load(folder / "keys"))
    try:
        yield house
    finally:
        await client.close()
        await app.stop()
        await tables.stop()
        await store.close()
        await log.close()
