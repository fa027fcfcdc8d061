"""References in pictures of two people: each one's own face is compared with her own, and a third person's lets none of it in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assent.ids import GrantId
from demo import photos
from tests.flow.reference_house import Her, her, refusals
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.test_joint_grant import side_by_side

pytestmark = pytest.mark.timeout(240)
NAMES = ("both", "one_and_stranger", "strangers", "one_alone", "one_twice")


@dataclass(slots=True)
class People:
    """Photos of two people and of others, none of them the picture that was confirmed."""

    first: tuple[bytes, bytes]
    second: tuple[bytes, bytes]
    others: tuple[bytes, bytes]

    def pictures(self) -> dict[str, bytes]:
        one, two, other, another = self.first[1], self.second[1], *self.others
        made = (side_by_side(one, two), side_by_side(one, other), side_by_side(other, another), one, side_by_side(one, self.first[0]))
        return {f"/joint/{name}.jpg": data for name, data in zip(NAMES, made, strict=True)}


def from_packages() -> People:
    """NASA's portrait, and three people cut out of the group that insightface ships; of the second there is one photograph only."""
    looks = photos.portrait(), photos.portrait(photos.Look(light=1.2, quality=70))
    two, three = photos.stranger(), photos.stranger_without_place()
    return People(looks, (two, two), (three, three))


def from_studio(folder: Path) -> People:
    """Four people who agreed to it, two photographs of each."""

    def read(person: str) -> tuple[bytes, bytes]:
        return tuple((folder / "london" / f"{person}_{mood}.jpg").read_bytes() for mood in ("neutral", "smiling"))  # type: ignore[return-value]

    (other, _), (another, _) = read("010"), read("014")
    return People(read("002"), read("006"), (other, another))


@dataclass(slots=True)
class Joint:
    """Two people with grants of their own and a joint grant over the pictures."""

    house: GrantHouse
    people: tuple[Her, Her]
    grant_id: GrantId

    async def crawled(self) -> dict[str, int | str]:
        """By picture how many faces were kept, or the rule that refused it."""
        await self.house.crawl()
        kept = {point.image_id: 0 for point in await self.house.world.store.scroll(None, 1000)}
        for point in await self.house.world.store.scroll(None, 1000):
            kept[point.image_id] += point.grant_id == self.grant_id
        refused = {item.image_id: item.rules[0] for item in await refusals(self.house) if item.grant_id == self.grant_id}
        names = {self.house.world.identifiers.image_id(photo.data): path for path, photo in self.house.site.photos.items()}
        found: dict[str, int | str] = {}
        for image_id, path in names.items():
            name = path.removeprefix("/joint/").removesuffix(".jpg")
            found[name] = refused[image_id] if image_id in refused else kept.get(image_id, 0)
        return found


async def joint(house: GrantHouse, people: People, confirm: tuple[bool, bool]) -> Joint:
    # A joint grant opens what the own grant of each names as well.
    sources = [{"kind": "image_url", "value": f"{house.site.origin}{path}"} for path in house.site.photos]
    two = await her(house, {"kind": "upload"}, *sources), await her(house, {"kind": "upload"}, *sources)
    for person, (photo, _), is_confirmed in zip(two, (people.first, people.second), confirm, strict=True):
        await person.send(photo)
        if is_confirmed:
            await person.confirm(await person.only_face())
    members = [person.held.grant_id for person in two]
    await two[0].person.grant("joint", house.request(two[0].person, sources, mode="joint", member_grants=members), house.token)
    return Joint(house, two, GrantId(two[0].person.grant_ids[-1]))


async def opened(folder: Path, people: People, confirm: tuple[bool, bool]) -> AsyncIterator[Joint]:
    async with grant_house(folder, people.pictures()) as house:
        yield await joint(house, people, confirm)


EXPECTED = {
    (True, True): {
        "both": 2,
        "one_and_stranger": "not_the_subject",
        "strangers": "not_the_subject",
        "one_alone": 1,
        "one_twice": "not_the_subject",
    },
    # Who confirmed nothing is taken at the word of the grant, for one face of the picture.
    (True, False): {"both": 2, "one_and_stranger": 2, "strangers": "not_the_subject", "one_alone": 1, "one_twice": 2},
    (False, False): {"both": 2, "one_and_stranger": 2, "strangers": 2, "one_alone": 1, "one_twice": 2},
}


@pytest.mark.parametrize("confirm", list(EXPECTED), ids=["both", "first", "neither"])
async def test_a_face_in_a_joint_picture_is_somebodys_or_none_of_it_is_kept(tmp_path: Path, confirm: tuple[bool, bool]) -> None:
    async for both in opened(tmp_path, from_packages(), confirm):
        assert await both.crawled() == EXPECTED[confirm]


async def test_the_same_with_photographs_of_a_studio(tmp_path: Path, faces_folder: Path) -> None:
    async for both in opened(tmp_path, from_studio(faces_folder), (True, True)):
        assert await both.crawled() == EXPECTED[True, True]


async def test_what_a_member_takes_back_is_asked_again_under_the_joint_grant(tmp_path: Path) -> None:
    async for both in opened(tmp_path, from_packages(), (True, True)):
        assert (await both.crawled())["one_and_stranger"] == "not_the_subject"
        await both.people[1].take_back()
        await both.house.crawl()
        assert len(await both.house.world.store.ids_of_grant(both.grant_id)) == 2 + 2 + 1 + 2


async def test_who_cannot_be_compared_with_is_doubted_and_a_joint_grant_has_no_face_of_its_own(tmp_path: Path) -> None:
    async for both in opened(tmp_path, from_packages(), (True, True)):
        first, second = both.people
        body = {"face_id": await first.only_face()}
        await both.house.world.derivatives.delete(second.grant_id, await second.only_face())
        found = await both.crawled()
        assert found == {name: "reference_missing" for name in NAMES} | {"one_alone": 1}, "the first one is still known"
        secret = {"Assent-Grant-Secret": first.person.held()[-1].secret}
        answer = await both.house.ask("PUT", f"/v1/grants/{both.grant_id}/reference", json=body, headers=secret)
        assert (answer.status, answer.body["code"]) == (422, "joint_grant")
