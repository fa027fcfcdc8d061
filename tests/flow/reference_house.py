"""What tests of confirmed references do with a house: send photos, confirm and take back, and read what became of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from assent.events.envelope import decode
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId
from assent.stream.event_log import TopicPartition
from demo.api import Answer, JsonObject
from demo.settled import settled
from demo.state import HeldGrant
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse


@dataclass(slots=True)
class Her:
    """Somebody with one grant."""

    house: GrantHouse
    person: Subject
    held: HeldGrant

    @property
    def grant_id(self) -> GrantId:
        return GrantId(self.held.grant_id)

    async def send(self, photo: bytes, *, settles: bool = True) -> None:
        """A photo of hers through her own page's route, and unless told otherwise to its end."""
        headers = {"Assent-Grant-Secret": self.held.secret, "Content-Type": "image/jpeg"}
        answer = await self.house.ask("POST", f"/v1/grants/{self.grant_id}/images", data=photo, headers=headers)
        assert answer.status == 202, answer.body
        if settles:
            await settled(self.house.world.log)

    async def change(self, method: str, body: JsonObject | None = None, *, secret: str | None = None) -> Answer:
        headers = {"Assent-Grant-Secret": secret or self.held.secret}
        return await self.house.ask(method, f"/v1/grants/{self.grant_id}/reference", json=body, headers=headers)

    async def confirm(self, face_id: FaceId) -> int:
        """The revision that names it."""
        answer = await self.change("PUT", {"face_id": face_id})
        assert answer.status == 200, answer.body
        return int(answer.body["revision"])

    async def take_back(self) -> None:
        assert (await self.change("DELETE")).status == 200

    async def faces(self) -> list[FaceId]:
        """What the store of vectors holds."""
        return list(await self.house.world.store.ids_of_grant(self.grant_id))

    async def pictures(self) -> list[FaceId]:
        return list(await self.house.world.derivatives.list_grant(self.grant_id))

    async def only_face(self) -> FaceId:
        (face_id,) = await self.faces()
        return face_id

    async def rules(self) -> list[str]:
        """Why pictures under this grant were refused by the embedder, oldest first."""
        return [rule for refused in await refusals(self.house) if refused.grant_id == self.grant_id for rule in refused.rules]


async def her(house: GrantHouse, *sources: JsonObject, **binding: object) -> Her:
    """A new person, for uploads where no source is named."""
    person = await house.person()
    await person.grant("it", house.request(person, list(sources) or [{"kind": "upload"}], **binding), house.token)
    return Her(house, person, person.held()[0])


async def refusals(house: GrantHouse) -> list[ImageRefused]:
    log, found = house.world.log, list[ImageRefused]()
    for partition in range(await log.partitions(Topic.IMAGES_REFUSED.value)):
        for record in await log.read(TopicPartition(Topic.IMAGES_REFUSED.value, partition), 0, max_records=1000):
            data = decode(record).data
            assert isinstance(data, ImageRefused)
            found.append(data)
    return sorted(found, key=lambda refused: refused.decided_at)


async def recorded(person: Her, count: int) -> None:
    """The registry reads of held faces behind the others."""
    async with asyncio.timeout(20):
        while len((await person.change("GET")).body["faces"]) < count:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.05)
