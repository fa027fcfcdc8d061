"""The product in one process over Apache Kafka, with producers from outside and a person who grants single images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assent.events.topics import Topic
from assent.ids import GrantId
from assent.stream.dead_letters import DeadLetter
from assent.testing.face_pack import lend_pack
from assent.testing.kafka_broker import ApacheKafka
from demo import photos
from demo.command import demo_layout
from demo.embedded_world import EmbeddedWorld
from demo.settled import settled
from demo.site import DemoSite
from tests.flow.registry_house import GrantHouse


@dataclass(slots=True)
class KafkaHouse(GrantHouse):
    """A house whose log is a broker that anybody may write to."""

    broker: ApacheKafka

    async def granted(self, name: str, images: Sequence[bytes]) -> GrantId:
        """A new person says yes to exactly these bytes."""
        person = await self.person()
        sources = [{"kind": "asset_sha256", "value": hashlib.sha256(image).hexdigest()} for image in images]
        await person.grant(name, self.request(person, sources), self.token)
        return GrantId(person.grant_ids[0])

    async def vectors(self, grant_id: GrantId) -> int:
        """Faces in the store under one grant."""
        return len(await self.world.store.ids_of_grant(grant_id))

    async def settled(self) -> None:
        """Every record that is on the log now has come to its end, on every partition, and nobody fell over."""
        await settled(self.world.log)
        assert self.world.failure() is None, repr(self.world.failure())
        topic = Topic.IMAGES_SCRAPED.value
        ends = await self.world.log.end_offsets([topic])
        assert await self.world.log.committed("geofence", [topic]) == ends

    async def dead_letters(self) -> list[DeadLetter]:
        """All there are of images.scraped."""
        topic = Topic.IMAGES_SCRAPED.dead_letters
        end = sum((await self.world.log.end_offsets([topic])).values())
        tail = await self.world.log.tail([topic])
        found: list[DeadLetter] = []
        while sum(tail.positions().values()) < end:
            found += [DeadLetter.from_record(record) for record in await tail.poll(timeout_s=1.0)]
        await tail.close()
        return found


@asynccontextmanager
async def kafka_house(folder: Path, broker: ApacheKafka) -> AsyncIterator[KafkaHouse]:
    """Everything up over this broker."""
    site = DemoSite()
    site.photos = {}
    await site.start()
    layout = demo_layout(folder, site)
    # One producer sends every kind of bad event here, on purpose and in a row: with the usual caps it would be suspended.
    patient = {"producer_window": 4_000, "producer_max_dead_share": 0.99, "producer_max_dead_in_a_row": 900}
    layout = replace(
        layout,
        common={**layout.common, "log_url": f"kafka://{broker.bootstrap_servers}"},
        changes={**layout.changes, "geofence": patient},
    )
    lend_pack(layout.model)
    world = EmbeddedWorld(layout, host="127.0.0.1", port=0, progress=lambda _: None)
    try:
        await world.start()
        yield KafkaHouse(world, site, broker)
    finally:
        await world.stop()
        await site.stop()


def portraits(count: int, *, first: int = 0) -> list[bytes]:
    """Different pictures of one person."""
    return [photos.portrait(photos.Look(side=300 + 2 * (first + number))) for number in range(count)]


def structured_event(producer: str, image: bytes, /, *, event_id: str, **changes: object) -> dict[str, object]:
    """A CloudEvent as an outside producer would write it; `changes` are made to its sighting."""
    now, digest = datetime.now(UTC).isoformat(), hashlib.sha256(image).hexdigest()
    sighting = {
        "sighting_id": event_id,
        "image_id": digest,
        "producer": producer,
        "source_kind": "producer",
        "blob": f"intake/{producer}/{digest}",
        "sha256": digest,
        "size_bytes": len(image),
        "media_type": "image/jpeg",
        "fetched_at": now,
    }
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/{producer}",
        "type": "images.scraped.v1",
        "time": now,
        "data": {"sighting": {**sighting, **changes}},
    }


def as_json(value: object) -> bytes:
    """Bytes as an ordinary library writes them."""
    return json.dumps(value).encode()
