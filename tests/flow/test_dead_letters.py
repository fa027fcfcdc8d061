"""Dead letters as an operator meets them while `assent` runs: shown, replayed, and a producer suspended and resumed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from assent.events.record import Record
from assent.events.topics import Topic
from assent.intake.signature import sign_record
from demo import photos
from demo.api import JsonObject
from demo.settled import settled
from demo.site import PORTRAITS
from tests.flow.assent_command import one_line, run_at_terminal
from tests.flow.dead_letter_story import (
    GEOFENCE,
    IN_A_ROW,
    Agency,
    agency,
    assent,
    causes,
    embedded,
    granted,
    play_suspension_and_replay,
    suspended_agency,
)
from tests.flow.registry_house import GrantHouse, grant_house
from tests.integration.stream_workbench import until, written

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path / "data", {f"{PORTRAITS}1.jpg": photos.portrait()}, geofence=GEOFENCE) as made:
        yield made


async def test_a_producer_is_suspended_another_goes_on_and_what_was_set_aside_comes_back(house: GrantHouse, tmp_path: Path) -> None:
    await play_suspension_and_replay(house, tmp_path)


async def test_a_suspension_survives_a_restart_and_is_seen_by_prometheus(house: GrantHouse) -> None:
    careless = await suspended_agency(house)
    await house.world.restart()
    assert (await careless.hand_in(photos.portrait())).status == 403
    await careless.send(photos.portrait())
    await settled(house.world.log)
    assert sum((await house.world.log.end_offsets([Topic.IMAGES_SCRAPED.dead_letters])).values()) == IN_A_ROW + 1
    registry = house.world.system.shared.metrics.registry
    async with asyncio.timeout(30):
        while registry.get_sample_value("assent_producers_suspended") != 1.0:  # noqa: ASYNC110  a round sets it
            await asyncio.sleep(0.1)


async def test_garbage_that_nobody_signed_suspends_nobody_and_stops_nothing(house: GrantHouse, tmp_path: Path) -> None:
    """More than the runner's own brake allows, naming a rival."""
    careful = await agency(house, "careful")
    image = photos.portrait(photos.Look(side=400))
    grant_id = await granted(house, image)
    await careful.hand_in(image)
    named = json.dumps({"sighting": {"producer": "careful"}}).encode()
    garbage = [Record(Topic.IMAGES_SCRAPED.value, b"k", named + b" " * number, partition=0) for number in range(1_100)]
    await house.world.log.append(garbage)
    await careful.send(image)
    await settled(house.world.log)
    assert await embedded(house, grant_id) == 1
    assert house.world.failure() is None
    assert await causes(house, tmp_path) == {"bad_attributes": 1_100}


async def feed(house: GrantHouse, producer: Agency) -> list[JsonObject]:
    """What a producer reads of its own."""
    answer = await house.ask("GET", "/v1/outcomes", token=producer.token)
    assert answer.status == 200
    return list(answer.body["outcomes"])


async def test_a_producer_finds_in_its_feed_what_of_its_own_was_given_up_and_nothing_else(house: GrantHouse) -> None:
    careful, careless = await agency(house, "careful"), await agency(house, "careless")
    log, image = house.world.log, photos.portrait(photos.Look(side=400))
    await careful.hand_in(image)
    # Under its own signature: bytes of another, twice, and what is no event.
    for number in range(IN_A_ROW - 1):
        await careless.send(f"not there {number}".encode(), blob=f"intake/careful/{'0' * 64}")
    broken = Record(Topic.IMAGES_SCRAPED.value, b"k", b'{"sighting": {"producer": "careless"}}', (("ce_id", b"broken"),), partition=0)
    signed = sign_record(broken, careless.key)
    rivals = replace(broken, value=b'{"sighting": {"producer": "careful"}}')
    # The same again is the same; under nobody's signature, or under another's than it says, it is nobody's.
    await log.append([signed, signed, broken, sign_record(broken, careful.key), sign_record(rivals, careless.key)])
    await settled(log)
    # Suspended now; what is good is set aside.
    await careless.send(image)
    await settled(log)
    # Another copies what the careful one signed, and spoils its headers.
    await careful.send(image)
    await settled(log)
    (good,) = [record for record in await written(log, Topic.IMAGES_SCRAPED.value) if b'"producer":"careful"' in (record.value or b"")]
    spoiled = tuple(header for header in good.headers if header[0] != "ce_type")
    await log.append([Record(good.topic, good.key, good.value, spoiled, partition=0)])
    await settled(log)

    async def is_told() -> bool:
        return len(await feed(house, careless)) >= IN_A_ROW + 1

    await until(is_told, patience_s=60)
    await house.world.system.registry.registry.rounds.once()
    told = await feed(house, careless)
    assert [one["outcome"] for one in told] == ["wrong_bytes"] * (IN_A_ROW - 1) + ["unreadable_event", "suspended"]
    assert [one["place"] for one in told] == [f"images.scraped/0/{offset}" for offset in (0, 1, 2, 7)]
    assert all(one["remedy"] and one["stage"] == "geofence" and one["sighting_id"] is None for one in told)
    (ordinary,) = await feed(house, careful)
    assert (ordinary["outcome"], ordinary["place"], bool(ordinary["sighting_id"])) == ("unknown_place", None, True)
    # Begun anew, it finds the same letters again and tells nothing twice.
    await house.world.restart()
    await house.world.system.registry.registry.rounds.once()
    assert await feed(house, careless) == told


async def test_an_operator_suspends_and_resumes_and_nobody_else(house: GrantHouse, tmp_path: Path) -> None:
    careful = await agency(house, "careful")
    done = await assent(house, tmp_path, "producer", "suspend", "careful", "--json")
    assert json.loads(done.stdout) | {"since": ""} == {
        "producer_id": "careful",
        "is_suspended": True,
        "since": "",
        "reason": "operator",
    }
    for path in ("/v1/producers/careful/resume", "/v1/producers/careful/suspend", "/v1/dead-letters/images.scraped/replay"):
        assert (await house.ask("POST", path, token=careful.token, json={})).status == 403
        assert (await house.ask("POST", path, json={})).status == 401
    for path in ("/v1/producers", "/v1/dead-letters", "/v1/dead-letters/images.scraped"):
        assert (await house.ask("GET", path, token=careful.token)).status == 403
    assert (await careful.hand_in(photos.portrait())).status == 403
    assert (await assent(house, tmp_path, "producer", "resume", "careful")).returncode == 0
    assert (await careful.hand_in(photos.portrait())).status == 201


MISTAKES: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("producer", "resume", "nobody"), 4, "no producer of this id"),
    (("producer", "suspend", "crawler"), 4, "not a producer"),
    (("producer", "resume", "careful"), 4, "not suspended"),
    (("dlq", "replay", "grants", "--all", "--yes"), 4, "have the registry write the record again"),
    (("dlq", "show", "grant"), 2, "there is no topic 'grant'; name one of"),
    (("dlq", "replay", "images.scraped"), 2, "say which records"),
    (("dlq", "replay", "images.scraped", "--offset", "3"), 2, "--partition and --offset together"),
    (("dlq", "replay", "images.scraped", "--all", "--cause", "x"), 2, "say which records"),
    (("dlq", "replay", "images.scraped", "--all"), 2, "say --yes"),
    (("dlq", "show", "--list", "--start", "4"), 2, "name that topic"),
    (("producer", "suspend"), 2, "which producer?"),
    (("producer", "register", "careful"), 2, "--public-key-file"),
)


async def test_a_mistake_is_one_line(house: GrantHouse, tmp_path: Path) -> None:
    await agency(house, "careful")
    for words, code, said in MISTAKES:
        done = await assent(house, tmp_path, *words)
        assert (done.returncode, done.stdout) == (code, ""), words
        assert said in one_line(done)


async def test_a_list_names_places_and_no_payload_and_all_asks_first(house: GrantHouse, tmp_path: Path) -> None:
    await house.world.log.append([Record(Topic.IMAGES_SCRAPED.value, b"ada@private.example", b"her secret", partition=2)])
    await settled(house.world.log)
    listed = await assent(house, tmp_path, "dlq", "show", "images.scraped.dlq", "--list")
    assert listed.stdout.startswith("images.scraped/2/0")
    assert "lives" in listed.stdout
    assert not any(word in listed.stdout for word in ("ada", "secret"))
    words = ("dlq", "replay", "images.scraped", "--all", "--url", house.registry)
    no = await asyncio.to_thread(run_at_terminal, *words, typed="no\n", ASSENT_TOKEN=house.token)
    assert (no.returncode, no.stdout) == (1, "1 records of images.scraped would be appended again. Type yes to go on: ")
    assert sum((await house.world.log.end_offsets([Topic.IMAGES_SCRAPED.value])).values()) == 1
    yes = await asyncio.to_thread(run_at_terminal, *words, typed="yes\n", ASSENT_TOKEN=house.token)
    assert yes.returncode == 0, yes.stderr
    await settled(house.world.log)
    shown = await assent(house, tmp_path, "dlq", "show", "images.scraped", "--list", "--json", "--limit", "1")
    told = json.loads(shown.stdout)
    assert (told["letters"][0]["replayed_at"] is not None, told["more"]) == (True, {"images.scraped": 1})


async def test_there_is_nothing_to_show_or_replay(house: GrantHouse, tmp_path: Path) -> None:
    shown = await assent(house, tmp_path, "dlq", "show")
    assert (shown.returncode, shown.stdout) == (0, "no dead letters\n")
    replayed = await assent(house, tmp_path, "dlq", "replay", "faces.embedded", "--all", "--yes")
    assert replayed.returncode == 1
    assert "no dead letter is meant" in replayed.stdout
