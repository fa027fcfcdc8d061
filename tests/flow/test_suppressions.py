"""A picture that must not come back: never fetched by its address, never embedded, and what is held of it goes."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from assent.cli.main import main
from assent.events.envelope import decode
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from assent.ids import GrantId
from assent.stream.event_log import TopicPartition
from demo import photos
from demo.api import JsonObject
from demo.settled import settled
from demo.site import PORTRAITS
from demo.state import HeldGrant
from demo.subject import Subject
from tests.flow.registry_house import GrantHouse, grant_house
from tests.flow.test_stores_away import until, withdrawn
from tests.unit.heif_examples import saved_heic

pytestmark = pytest.mark.timeout(120)
PAGE = f"{PORTRAITS}1.jpg"
PHOTO = photos.portrait()


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {PAGE: PHOTO}, indexer={"sweep_every_s": 0.2}) as made:
        yield made


async def granted(house: GrantHouse, sources: list[JsonObject]) -> tuple[Subject, HeldGrant]:
    person = await house.person()
    await person.grant("page", house.request(person, sources), house.token)
    return person, person.held()[0]


def folder(house: GrantHouse) -> list[JsonObject]:
    return [{"kind": "url_prefix", "value": f"{house.site.origin}{PORTRAITS}", "only_me": True}]


async def suppress_image(house: GrantHouse, data: bytes, **options: object) -> JsonObject:
    return await house.api.need("POST", f"{house.registry}/v1/suppressions/images", token=house.token, data=data, **options)


async def refusals(house: GrantHouse) -> list[tuple[str, str]]:
    """Stage and outcome of every refusal on the log."""
    log, found = house.world.log, []
    for partition in range(await log.partitions(Topic.IMAGES_REFUSED.value)):
        for record in await log.read(TopicPartition(Topic.IMAGES_REFUSED.value, partition), 0, max_records=1000):
            data = decode(record).data
            assert isinstance(data, ImageRefused)
            found.append((data.stage.value, data.outcome))
    return found


async def vectors(house: GrantHouse, held: HeldGrant) -> int:
    return len(await house.world.store.ids_of_grant(GrantId(held.grant_id)))


async def upload(house: GrantHouse, held: HeldGrant, data: bytes) -> int:
    headers = {"Assent-Grant-Secret": held.secret, "Content-Type": "image/jpeg"}
    answer = await house.ask("POST", f"/v1/grants/{held.grant_id}/images", data=data, headers=headers)
    await settled(house.world.log)
    return answer.status


async def test_what_is_held_is_told_to_nobody_at_once_and_goes(house: GrantHouse, tmp_path: Path) -> None:
    person, held = await granted(house, folder(house))
    await house.crawl()
    assert await vectors(house, held) == 1
    found = await house.api.search(PHOTO, token=await person.token())
    assert len(found.body["candidates"]) == 1
    assert (await suppress_image(house, PHOTO))["finds_copies"]
    found = await house.api.search(PHOTO, token=await person.token())
    assert found.body["candidates"] == []

    async def is_gone() -> bool:
        return await vectors(house, held) == 0 and not await house.world.derivatives.list_grant(GrantId(held.grant_id))

    await until(is_gone)
    assert house.world.failure() is None
    assert (await withdrawn(house, held)).status == 200, "her grant is a thing of its own, and ends as any other"


async def test_its_picture_is_shown_to_nobody_before_a_sweep_came(tmp_path: Path) -> None:
    async with grant_house(tmp_path, {PAGE: PHOTO}, indexer={"sweep_every_s": 3600.0}) as house:
        person, held = await granted(house, folder(house))
        await house.crawl()
        face_id = next(iter(await house.world.store.ids_of_grant(GrantId(held.grant_id))))
        url, token = f"{house.api.addresses.query}/v1/faces/{face_id}/picture", await person.token()
        assert await house.api.status(url, token=token) == 200
        await suppress_image(house, PHOTO)
        assert await house.api.status(url, token=token) == 404
        assert await vectors(house, held) == 1, "no sweep came yet"


async def test_an_address_that_was_suppressed_under_the_other_scheme_is_not_fetched(house: GrantHouse) -> None:
    """http and https are one place, as they are in a grant."""
    _, held = await granted(house, folder(house))
    asked = {"url": f"{house.site.origin.replace('http://', 'https://')}{PAGE}"}
    await house.api.need("POST", f"{house.registry}/v1/suppressions/urls", token=house.token, json=asked)
    await house.crawl()
    assert ("crawler", "suppressed") in await refusals(house)
    assert not [path for path in house.site.requests if path.endswith(PAGE)]
    assert await vectors(house, held) == 0


async def test_neither_the_bytes_nor_a_copy_come_back_by_any_way(house: GrantHouse) -> None:
    _, held = await granted(house, [*folder(house), {"kind": "upload"}])
    await suppress_image(house, PHOTO)
    await house.crawl()
    assert ("crawler", "suppressed") in await refusals(house)
    assert await upload(house, held, PHOTO) in (202, 409)
    copy = io.BytesIO()
    picture = Image.open(io.BytesIO(PHOTO))
    picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)).save(copy, "JPEG", quality=70)
    assert await upload(house, held, copy.getvalue()) == 202
    assert ("embedder", "suppressed") in await refusals(house)
    assert await upload(house, held, saved_heic(np.asarray(picture), 70)) == 202
    assert [told for told in await refusals(house) if told[0] == "embedder"] == [("embedder", "suppressed")] * 2
    assert await vectors(house, held) == 0
    other = np.asarray(Image.open(io.BytesIO(photos.portrait(photos.Look(margin=60)))))
    assert await upload(house, held, saved_heic(other)) == 202
    assert await vectors(house, held) == 1, "another picture of her is no copy"


async def test_an_address_is_not_asked_again(house: GrantHouse) -> None:
    _, held = await granted(house, folder(house))
    url = f"{house.site.origin}{PAGE}"
    await house.api.need("POST", f"{house.registry}/v1/suppressions/urls", token=house.token, json={"url": url})
    await house.crawl()
    assert house.site.requests[PAGE] == 0
    assert ("crawler", "suppressed") in await refusals(house)
    assert await vectors(house, held) == 0


async def test_a_withdrawal_suppresses_nothing(house: GrantHouse) -> None:
    _, first = await granted(house, folder(house))
    await house.crawl()
    assert (await withdrawn(house, first)).status == 200
    _, second = await granted(house, folder(house))
    await house.crawl()
    assert await vectors(house, second) == 1


async def test_only_staff_may_and_nonsense_is_refused(house: GrantHouse) -> None:
    person, _ = await granted(house, folder(house))
    images, urls = "/v1/suppressions/images", "/v1/suppressions/urls"
    assert (await house.ask("POST", images, token=await person.token(), data=PHOTO)).status == 403
    assert (await house.ask("POST", images, data=PHOTO)).status == 401
    assert (await house.ask("POST", images, token=house.token, data=b"")).body["code"] == "no_picture"
    assert (await house.ask("POST", urls, token=house.token, json={"url": "ftp://x/y"})).body["code"] == "bad_url"
    unreadable = await suppress_image(house, b"no picture at all")
    assert not unreadable["finds_copies"]


async def test_the_command(house: GrantHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "objected.jpg"
    photo.write_bytes(PHOTO)
    token = tmp_path / "token"
    token.write_text(house.token)
    told = ["--url", house.registry, "--token-file", str(token)]
    assert await asyncio.to_thread(main, ["suppress", str(photo), "https://site.example/1.jpg", *told]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "copies too" in lines[0]
    assert "nothing is fetched from there again" in lines[1]
    assert await asyncio.to_thread(main, ["suppress", str(tmp_path / "absent.jpg"), *told]) != 0
    assert "cannot be read" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["suppress", str(photo), "--json", *told]) == 0
    assert len(json.loads(capsys.readouterr().out)["suppressed"]) == 1
