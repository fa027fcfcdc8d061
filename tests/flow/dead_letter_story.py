"""A producer that sends poison, beside one that does not: played over either log, with the command as an operator types it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assent.events.envelope import Event, encode
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.events.record import Record
from assent.events.topics import Topic
from assent.ids import GrantId, ImageId, ProducerId, SightingId
from assent.intake.signature import sign_record
from demo import photos
from demo.api import Answer, JsonObject
from demo.settled import settled
from tests.flow.assent_command import Done, run
from tests.flow.registry_house import GrantHouse

IN_A_ROW = 3
GEOFENCE: JsonObject = {"producer_max_dead_in_a_row": IN_A_ROW}
DEAD = Topic.IMAGES_SCRAPED.dead_letters


@dataclass(slots=True)
class Agency:
    """A producer with a name of its own, that writes to the log itself."""

    house: GrantHouse
    name: str
    key: Ed25519PrivateKey
    token: str = ""

    async def register(self) -> None:
        api, registry = self.house.api, self.house.registry
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        body = {"producer_id": self.name, "public_key": public}
        await api.need("POST", f"{registry}/v1/producers", token=self.house.token, json=body)
        wanted = {"name": self.name, "roles": ["producer"], "org": self.name, "producer_id": self.name, "lifetime_s": 3600}
        self.token = (await api.need("POST", f"{registry}/v1/tokens", token=self.house.token, json=wanted))["token"]

    async def hand_in(self, image: bytes) -> Answer:
        """PUT the bytes."""
        return await self.house.ask("PUT", f"/v1/intake/{hashlib.sha256(image).hexdigest()}", token=self.token, data=image)

    async def send(self, image: bytes, **claims: Any) -> None:
        """A signed record straight onto the log; claims may make it poison."""
        now, digest = datetime.now(UTC), hashlib.sha256(image).hexdigest()
        sighting = Sighting(
            **{
                "sighting_id": SightingId(f"{self.name}-{digest[:16]}-{now.timestamp()}"),
                "image_id": ImageId(digest),
                "producer": ProducerId(self.name),
                "source_kind": SourceKind.PRODUCER,
                "blob": f"intake/{self.name}/{digest}",
                "sha256": digest,
                "size_bytes": len(image),
                "media_type": "image/jpeg",
                "fetched_at": now,
            }
            | claims
        )
        record = encode(Event(str(sighting.sighting_id), f"/{self.name}", now, ImageScraped(sighting=sighting)))
        # One partition, so that a record comes after what was sent before it.
        ordered = Record(record.topic, record.key, record.value, record.headers, partition=0)
        await self.house.world.log.append([sign_record(ordered, self.key)])


async def agency(house: GrantHouse, name: str) -> Agency:
    made = Agency(house, name, Ed25519PrivateKey.generate())
    await made.register()
    return made


async def granted(house: GrantHouse, image: bytes) -> GrantId:
    """A grant that names the picture by its bytes."""
    person = await house.person()
    source: JsonObject = {"kind": "asset_sha256", "value": hashlib.sha256(image).hexdigest()}
    await person.grant("it", house.request(person, [source]), house.token)
    return GrantId(person.grant_ids[0])


async def suspended_agency(house: GrantHouse) -> Agency:
    """Somebody who sent so much poison, and is suspended for it."""
    made = await agency(house, "careless")
    for number in range(IN_A_ROW):
        await made.send(f"not there {number}".encode(), blob=f"intake/another/{'0' * 64}")
    await settled(house.world.log)
    return made


async def assent(house: GrantHouse, folder: Path, *words: object) -> Done:
    """The command against this house, as its operator."""
    return await asyncio.to_thread(run, *words, "--url", house.registry, ASSENT_TOKEN=house.token, cwd=folder)


async def causes(house: GrantHouse, folder: Path) -> dict[str, int]:
    """What `assent dlq show` counts."""
    done = await assent(house, folder, "dlq", "show", "images.scraped", "--json")
    assert done.returncode == 0, done.stderr
    return {one["cause"]: one["count"] for one in json.loads(done.stdout)["counts"]}


async def embedded(house: GrantHouse, grant_id: GrantId) -> int:
    return len(await house.world.store.ids_of_grant(grant_id))


async def play_suspension_and_replay(house: GrantHouse, folder: Path) -> None:
    """The whole story; every step is a claim."""
    hers, another = photos.portrait(photos.Look(side=400)), photos.portrait(photos.Look(side=380))
    her_grant, other_grant = await granted(house, hers), await granted(house, another)
    careful = await agency(house, "careful")
    careless = await agency(house, "careless")
    assert (await careless.hand_in(hers)).status == 201
    for number in range(IN_A_ROW):
        await careless.send(f"not there {number}".encode(), blob=f"intake/another/{'0' * 64}")
    # From here on what it sends is set aside, however good it is, and the intake tells it so.
    await careless.send(hers)
    await settled(house.world.log)
    assert await causes(house, folder) == {"foreign_blob": IN_A_ROW, "producer_suspended": 1}
    refused = await careless.hand_in(another)
    assert (refused.status, refused.body["code"]) == (403, "producer_suspended")
    assert "resume" in refused.body["remedy"]
    # Another's picture goes on undisturbed.
    assert (await careful.hand_in(another)).status == 201
    await careful.send(another)
    await settled(house.world.log)
    assert (await embedded(house, other_grant), await embedded(house, her_grant)) == (1, 0)
    listed = await assent(house, folder, "producer", "list")
    assert "suspended since" in next(line for line in listed.stdout.splitlines() if line.startswith("careless"))
    assert next(line for line in listed.stdout.splitlines() if line.startswith("careful")).split()[-1] == "sends"
    # Resumed and replayed: what was set aside is embedded.
    resumed = await assent(house, folder, "producer", "resume", "careless")
    assert resumed.returncode == 0, resumed.stderr
    replayed = await assent(house, folder, "dlq", "replay", "images.scraped", "--cause", "producer_suspended")
    assert (replayed.returncode, replayed.stdout) == (0, "1: appended again\n"), replayed.stderr
    await settled(house.world.log)
    assert await embedded(house, her_grant) == 1
    # Again: nothing is appended a second time.
    ends = await house.world.log.end_offsets([Topic.IMAGES_SCRAPED.value])
    again = await assent(house, folder, "dlq", "replay", "images.scraped", "--cause", "producer_suspended")
    assert (again.returncode, again.stdout) == (0, "1: was replayed before and was not appended again\n")
    assert await house.world.log.end_offsets([Topic.IMAGES_SCRAPED.value]) == ends
    # What is still poison dies again, once, and neither loops nor brings the suspension back.
    assert (await assent(house, folder, "dlq", "replay", "images.scraped", "--cause", "foreign_blob")).returncode == 0
    await settled(house.world.log)
    assert await causes(house, folder) == {"foreign_blob": 2 * IN_A_ROW, "producer_suspended": 1}
    assert (await careless.hand_in(another)).status == 201
