"""The whole product obeys a stop at the next question: nothing is told, nothing is fetched, and a restart changes nothing about that."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.events.envelope import decode
from assent.events.images import ImageRefused
from assent.events.topics import Topic
from demo import photos
from demo.api import JsonObject
from demo.settled import settled
from demo.site import PORTRAITS, Photo
from demo.subject import portraits_request
from tests.flow.assent_command import Done, one_line, run
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(180)
ORDER = "Order P26-01"
FIRST, SECOND = f"{PORTRAITS}1.jpg", f"{PORTRAITS}2.jpg"


async def command(house: GrantHouse, folder: Path, *words: object) -> Done:
    token = folder / "token"
    token.write_text(house.token)
    return await asyncio.to_thread(run, "policy", "stop", *words, "--url", house.registry, "--token-file", token)


async def told(house: GrantHouse, token: str) -> tuple[int, int]:
    """How many faces a search of her own tells, and the status of the answer."""
    answer = await house.api.search(photos.portrait(), token=token)
    return answer.status, len(answer.body.get("candidates", []))


async def refusals(house: GrantHouse) -> list[tuple[str, ...]]:
    tail, found = await house.world.log.tail([Topic.IMAGES_REFUSED.value]), list[object]()
    missing = sum((await house.world.log.end_offsets([Topic.IMAGES_REFUSED.value])).values())
    while missing > len(found) and (some := await tail.poll(timeout_s=2.0)):
        found += [decode(record).data for record in some]
    await tail.close()
    return [tuple(data.rules) for data in found if isinstance(data, ImageRefused)]


async def test_a_stop_is_obeyed_at_the_next_question_and_after_a_restart(tmp_path: Path) -> None:
    portrait = photos.portrait(place=photos.VANCOUVER)
    async with grant_house(tmp_path / "data", {FIRST: portrait}) as house:
        person = await house.person()
        await person.grant("portraits", portraits_request(person.subject_id, house.site, datetime.now(UTC)), house.token)
        await person.grant("own", house.request(person, [{"kind": "upload"}]), house.token)
        await house.crawl()
        token = await person.token()
        assert await told(house, token) == (200, 1)

        rehearsed = await command(house, tmp_path, "CA-BC", "--because", ORDER)
        assert (rehearsed.returncode, "refused now: collect" in rehearsed.stdout, "dry run" in rehearsed.stdout) == (0, True, True)
        assert await told(house, token) == (200, 1)

        done = await command(house, tmp_path, "CA-BC", "--because", ORDER, "--yes")
        assert done.returncode == 0, done.stderr
        took = re.search(r"decides by it since ([0-9.]+) s after the command", done.stdout)
        assert took is not None, done.stdout
        assert float(took[1]) < 30
        assert await told(house, token) == (200, 0), "what is held is told to nobody any more, herself in a search among them"
        house.site.photos[SECOND] = Photo(SECOND, photos.portrait(photos.Look(quality=51), place=photos.VANCOUVER))
        before = house.site.requests.copy()
        await house.crawl()
        assert {path for path in house.site.requests - before if path.startswith(PORTRAITS)} == set(), "not even the page is fetched"
        photo = photos.portrait(photos.Look(quality=52), place=photos.VANCOUVER)
        path = f"{house.registry}/v1/grants/{person.held()[1].grant_id}/images"
        await house.api.need("POST", path, token=token, data=photo, headers={"Content-Type": "image/jpeg"})
        await settled(house.world.log)
        assert "BC-2" in {rule for rules in await refusals(house) for rule in rules}, "and what she hands in is refused under its rule"

        again = await command(house, tmp_path, "CA-BC", "--because", ORDER, "--yes")
        assert (again.returncode, again.stdout.startswith("closed already")) == (0, True), again.stdout
        await house.world.restart()
        assert await told(house, token) == (200, 0)
        shown = await asyncio.to_thread(run, "policy", "show", "CA-BC", "--url", house.registry)
        assert ORDER in shown.stdout
        listed = await house.ask("GET", "/v1/policy/stops", token=house.token)
        assert [(one["place"], one["because"]) for one in listed.body["stops"]] == [("CA-BC", ORDER)]


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no place": (("--because", ORDER, "--yes"), 2, "name the places to stop, or --all"),
    "a place and everything": (("CA-BC", "--all", "--because", ORDER, "--yes"), 2, "name the places to stop, or --all"),
    "no order": (("CA-BC", "--yes"), 2, "--because"),
    "an order of nothing": (("CA-BC", "--because", "x", "--yes"), 4, "because"),
    "an order that writes over the line": (("CA-BC", "--because", "Order\x1b[2K P26", "--yes"), 4, "because"),
    "the unknown": (("UNKNOWN", "--because", ORDER, "--yes"), 4, "places"),
    "the unknown, rehearsed": (("UNKNOWN", "--because", ORDER), 4, "never open"),
    "a name": (("Quebec", "--because", ORDER, "--yes"), 2, "did you mean CA-QC?"),
}


async def test_what_is_wrong_is_told_in_one_line_and_only_staff_may_stop(tmp_path: Path) -> None:
    async with grant_house(tmp_path / "data", {}) as house:
        for what, (words, code, said) in WRONG.items():
            done = await command(house, tmp_path, *words)
            assert (done.returncode, said in one_line(done)) == (code, True), (what, done.stderr)
        body: dict[str, Any] = {"places": ["CA-BC"], "because": ORDER}
        for role in ("searcher", "auditor", "producer"):
            wanted: JsonObject = {"name": "x", "roles": [role], "org": "agency", "lifetime_s": 600}
            more: dict[str, JsonObject] = {
                "producer": {"producer_id": "agency"},
                "searcher": {"jurisdictions": ["CA-AB"], "purposes": ["gallery_search"]},
            }
            minted = await house.ask("POST", "/v1/tokens", token=house.token, json=wanted | more.get(role, {}))
            refused = await house.ask("POST", "/v1/policy/stops", token=str(minted.body["token"]), json=body)
            assert refused.status == 403, role
        assert (await house.ask("POST", "/v1/policy/stops", json=body)).status == 401
        assert (await house.ask("GET", "/v1/policy/stops", token=house.token)).body == {"stops": []}
