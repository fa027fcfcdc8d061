"""A site says no after her picture came in: told to nobody from the next round on, gone with the sweep, and back when it is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from assent.deciding.gate import Gate
from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.events.envelope import Event, decode, encode
from assent.events.images import ImageRefused
from assent.events.optout_changes import OptOutChanged
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import GrantId
from assent.intake.stage_signatures import StageSignatures
from assent.keys.identifiers import ImageIds
from assent.stream.clock import SystemClock
from demo.api import JsonObject
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from tests.flow.attack_house import Field, Victim, attacked
from tests.flow.opened_parts import opened_parts
from tests.flow.test_overrides import PROHIBITED, RESERVED, override, portrait
from tests.integration.stream_workbench import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
QUALITIES = iter(range(30, 90))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def field_of(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Field]:
    async with attacked(tmp_path_factory.mktemp("opted_out"), sweep_every_s=0.2) as field:
        yield field


@dataclass(frozen=True, slots=True)
class Shot:
    """One person's picture on her page, and what the site answers about it."""

    field_of: Field
    victim: Victim
    data: bytes

    @property
    def path(self) -> str:
        return f"{self.victim.folder}1.jpg"

    def show(self, *, head: str = "", headers: dict[str, str] | None = None, data: bytes | None = None, names: str = "1.jpg") -> None:
        images = "".join(f'<img src="{self.victim.folder}{name}">' for name in names.split())
        html = f"<html><head>{head}</head><body>{images}</body></html>"
        self.field_of.site.answers[self.victim.folder] = lambda request: web.Response(text=html, content_type="text/html")
        self.field_of.site.picture(self.path, data or self.data, **(headers or {}))

    def site(self, path: str, text: str, *, status: int = 200, content_type: str = "text/plain") -> None:
        self.field_of.site.answers[path] = lambda request: web.Response(text=text, status=status, content_type=content_type)

    async def held(self) -> list[str]:
        return await self.field_of.held(self.victim.grant_id)

    async def is_gone(self) -> bool:
        derivatives = self.field_of.house.world.derivatives
        return await self.held() == [] and await derivatives.list_grant(self.victim.grant_id) == []

    async def told(self, token: str | None = None) -> list[str]:
        found = await self.field_of.house.api.search(self.data, token=token or await self.victim.person.token())
        assert found.status == 200
        return [item["face_id"] for item in found.body["candidates"]]


async def shot(field_of: Field) -> Shot:
    victim = await field_of.victim()
    return Shot(field_of, victim, portrait(next(QUALITIES)))


async def held_shot(field_of: Field) -> Shot:
    one = await shot(field_of)
    one.show()
    await field_of.house.crawl()
    assert len(await one.held()) == 1
    return one


def marked(data: bytes) -> bytes:
    body = b"http://ns.adobe.com/xap/1.0/\0" + PROHIBITED
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def page_with_header(one: Shot) -> None:
    html = f'<img src="{one.path}">'
    one.field_of.site.answers[one.victim.folder] = lambda request: web.Response(
        text=html, content_type="text/html", headers={"X-Robots-Tag": "noindex"}
    )


def behind_a_redirect(one: Shot) -> None:
    one.field_of.site.picture(f"{one.victim.folder}2.jpg", one.data, **{"X-Robots-Tag": "noai"})
    one.field_of.site.moved(one.path, f"{one.victim.folder}2.jpg")


NOES: dict[str, Callable[[Shot], None]] = {
    "a header of the picture": lambda one: one.show(headers={"X-Robots-Tag": "noai"}),
    "a header of content rights": lambda one: one.show(headers=RESERVED),
    "a date that has passed": lambda one: one.show(headers={"X-Robots-Tag": "unavailable_after: 25 Jun 2010 15:00:00 GMT"}),
    "robots.txt for all of the folder": lambda one: one.site("/robots.txt", f"User-agent: *\nDisallow: {one.victim.folder}\n"),
    "robots.txt for the picture": lambda one: one.site("/robots.txt", f"User-agent: *\nDisallow: {one.path}\n"),
    "robots.txt for everything": lambda one: one.site("/robots.txt", "User-agent: *\nDisallow: /\n"),
    "ai.txt": lambda one: one.site("/ai.txt", "User-Agent: *\nDisallow: /\n"),
    "tdmrep.json": lambda one: one.site("/.well-known/tdmrep.json", f'[{{"location": "{one.victim.folder}*", "tdm-reservation": 1}}]'),
    "a meta element of the page": lambda one: one.show(head='<meta name="robots" content="noindex">'),
    "a header of the page": page_with_header,
    "XMP in bytes put there meanwhile": lambda one: one.show(data=marked(one.data)),
    "a no behind a redirect": behind_a_redirect,
}


@pytest.mark.parametrize("said", NOES)
async def test_a_later_no_erases_and_taken_back_lets_it_in_again(field_of: Field, said: str) -> None:
    one = await held_shot(field_of)
    before = await one.held()
    assert await one.told() == before
    try:
        NOES[said](one)
        await field_of.house.crawl()
        assert await one.told() == []
        await until(one.is_gone)
        await field_of.house.crawl()
        assert await one.held() == []
        assert await field_of.rules(one.victim.grant_id) & {"optout_signal", "robots_disallow"}
    finally:
        for path in ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"):
            field_of.site.answers.pop(path, None)
    one.show()
    await field_of.house.crawl()
    assert (await one.held(), await one.told()) == (before, before)
    assert field_of.house.world.failure() is None


def unreadable(one: Shot, path: str, *, status: int = 503) -> None:
    one.site(path, "away", status=status)


TROUBLE: dict[str, Callable[[Shot], None]] = {
    "robots.txt answers 503": lambda one: unreadable(one, "/robots.txt"),
    "robots.txt answers 403": lambda one: unreadable(one, "/robots.txt", status=403),
    "tdmrep.json cannot be read": lambda one: one.site("/.well-known/tdmrep.json", "{"),
    "the page answers 503": lambda one: unreadable(one, one.victim.folder),
    "the page is gone": lambda one: unreadable(one, one.victim.folder, status=404),
    "the picture answers 503": lambda one: unreadable(one, one.path),
    "the picture is gone": lambda one: unreadable(one, one.path, status=404),
    "the picture is behind a wall": lambda one: one.show(headers={"WWW-Authenticate": "Basic"}),
    "a word that nobody knows": lambda one: one.show(headers={"X-Robots-Tag": "nothingatall"}),
    "a date that is no date": lambda one: one.show(headers={"X-Robots-Tag": "unavailable_after: soon"}),
    "the page no longer shows it": lambda one: one.show(names=""),
    "bytes that are no picture": lambda one: one.show(data=b"nothing"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_what_is_no_express_no_refuses_new_pictures_and_erases_nothing(field_of: Field, trouble: str) -> None:
    one = await held_shot(field_of)
    before = await one.held()
    ends = await field_of.house.world.log.end_offsets([Topic.OPTOUTS.value])
    try:
        TROUBLE[trouble](one)
        for _ in range(2):
            await field_of.house.crawl()
        assert (await one.held(), await one.told()) == (before, before)
        assert await field_of.house.world.log.end_offsets([Topic.OPTOUTS.value]) == ends
    finally:
        for path in ("/robots.txt", "/.well-known/tdmrep.json"):
            field_of.site.answers.pop(path, None)


async def test_a_no_that_stands_is_not_ended_by_trouble(field_of: Field) -> None:
    one = await held_shot(field_of)
    one.show(head='<meta name="robots" content="noindex">')
    await field_of.house.crawl()
    await until(one.is_gone)
    # The page that said it is away: the picture alone says nothing.
    one.site(one.victim.folder, "away", status=503)
    await field_of.house.crawl()
    one.show(names="")
    await field_of.house.crawl()
    assert await one.held() == []


async def test_at_two_addresses_one_that_says_nothing_is_enough(field_of: Field) -> None:
    one = await held_shot(field_of)
    held, other = await one.held(), f"{one.victim.folder}2.jpg"
    field_of.site.picture(other, one.data)
    one.show(names="1.jpg 2.jpg")
    await field_of.house.crawl()
    # The address that it came from last says no, and the sweep has come by several times.
    field_of.site.picture(other, one.data, **{"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    swept_on = field_of.shared.clock.monotonic()
    await until(lambda: _later(field_of, swept_on + 1.0))
    assert (await one.held(), await one.told()) == (held, held)
    one.show(names="1.jpg 2.jpg", headers={"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    assert await one.told() == []
    await until(one.is_gone)
    one.show(names="1.jpg 2.jpg")
    await field_of.house.crawl()
    assert await one.held() == held


async def _later(field_of: Field, monotonic_s: float) -> bool:
    """Several sweeps came by."""
    return field_of.shared.clock.monotonic() > monotonic_s


async def test_what_she_hands_in_herself_stays_whatever_an_address_says(field_of: Field) -> None:
    one = await held_shot(field_of)
    person = one.victim.person
    folder = f"{field_of.site.origin}{one.victim.folder}"
    source: list[JsonObject] = [{"kind": "url_prefix", "value": folder, "only_me": True}, {"kind": "upload"}]
    await person.grant("both", field_of.house.request(person, source), field_of.house.token)
    held = person.held()[1]
    await field_of.house.crawl()
    headers = {"Assent-Grant-Secret": held.secret, "Content-Type": "image/jpeg"}
    answer = await field_of.house.ask("POST", f"/v1/grants/{held.grant_id}/images", data=one.data, headers=headers)
    assert answer.status in (202, 409)
    await field_of.house.crawl()
    one.show(headers={"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    await until(one.is_gone)
    assert len(await field_of.held(GrantId(person.grant_ids[1]))) == 1


async def test_what_she_has_set_aside_erases_nothing_until_it_ends(field_of: Field) -> None:
    one = await held_shot(field_of)
    held = await one.held()
    assert await override(field_of, one.victim, "tdmrep") == (200, "")
    one.show(headers=RESERVED)
    for _ in range(2):
        await field_of.house.crawl()
        assert (await one.held(), await one.told()) == (held, held)
    # Beside it stands one that nobody can set aside; then that one goes.
    one.show(headers=RESERVED | {"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    assert await one.told() == []
    await until(one.is_gone)
    one.show(headers=RESERVED)
    await field_of.house.crawl()
    assert (await one.held(), await one.told()) == (held, held)
    assert await override(field_of, one.victim) == (200, "")
    assert await one.told() == held, "the next round finds out"
    await field_of.house.crawl()
    assert await one.told() == []
    await until(one.is_gone)


async def test_where_two_things_are_said_a_visit_that_saw_the_one_set_aside_opens_nothing(field_of: Field) -> None:
    one = await held_shot(field_of)
    grant = one.victim.grant_id
    (embedded,) = [record for record in await field_of.records(Topic.FACES_EMBEDDED.value) if record.key == grant.encode()]
    assert await override(field_of, one.victim, "tdmrep") == (200, "")
    try:
        NOES["tdmrep.json"](one)
        one.show(headers={"X-Robots-Tag": "noai"})
        await field_of.house.crawl()
        await until(one.is_gone)
        unreadable(one, one.path)
        ends = await field_of.house.world.log.end_offsets([Topic.OPTOUTS.value])
        await field_of.house.crawl()
        assert await field_of.house.world.log.end_offsets([Topic.OPTOUTS.value]) == ends
        await field_of.put(again(embedded))
        assert await one.held() == []
        # The other one goes, and what is left is set aside: the picture comes in as new, and what was fetched before stays out.
        one.show()
        await field_of.house.crawl()
        assert len(await one.held()) == 1
    finally:
        field_of.site.answers.pop("/.well-known/tdmrep.json", None)


async def test_at_one_address_each_grant_stands_for_itself(field_of: Field) -> None:
    one = await shot(field_of)
    other = await field_of.victim(value=f"{field_of.site.origin}{one.victim.folder}")
    one.show()
    await field_of.house.crawl()
    assert (len(await one.held()), len(await field_of.held(other.grant_id))) == (1, 1)
    assert await override(field_of, one.victim, "tdmrep") == (200, "")
    one.show(head='<meta name="tdm-reservation" content="1">')
    await field_of.house.crawl()

    async def is_gone() -> bool:
        return await field_of.held(other.grant_id) == []

    await until(is_gone)
    assert len(await one.told()) == 1
    # The page is away: the picture is asked for hers, and what it does not say ends nothing.
    ends = await field_of.house.world.log.end_offsets([Topic.OPTOUTS.value])
    one.site(one.victim.folder, "away", status=503)
    await field_of.house.crawl()
    assert await field_of.house.world.log.end_offsets([Topic.OPTOUTS.value]) == ends
    assert len(await one.told()) == 1


async def test_what_is_on_its_way_while_the_site_says_no_never_comes_in(field_of: Field) -> None:
    one = await held_shot(field_of)
    scraped, *_ = [record for record in await field_of.records(Topic.IMAGES_CLEARED.value) if one.path.encode() in (record.value or b"")]
    grant = one.victim.grant_id
    embedded = [record for record in await field_of.records(Topic.FACES_EMBEDDED.value) if record.key == grant.encode()]
    assert len(embedded) == 1
    one.show(headers={"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    await until(one.is_gone)
    await field_of.put(again(scraped), again(embedded[0]))
    assert await one.held() == []
    events = [decode(record) for record in await field_of.records(Topic.IMAGES_REFUSED.value)]
    mine = [event for event in events if isinstance(event.data, ImageRefused) and event.data.grant_id == grant]
    recorded = [decision for event in mine for decision in recorded_decisions(event)]
    assert {decision.stage.value for decision in recorded} == {"crawler", "embedder", "indexer"}
    assert all(replay(decision, field_of.shared.gate.policy).is_same(decision) for decision in recorded)
    assert await field_of.rules(grant) == {"optout_signal"}
    # And after it was taken back: what was fetched before stays out, what is fetched now comes in.
    one.show()
    await field_of.house.crawl()
    assert len(await one.held()) == 1


def again(record: StoredRecord) -> Record:
    return Record(record.topic, record.key, record.value, record.headers)


async def test_nobody_else_opens_or_closes_anything_by_that_topic(field_of: Field) -> None:
    one = await held_shot(field_of)
    held, names = await one.held(), field_of.shared.identifiers
    address = names.address(f"{field_of.site.origin}{one.path}")
    place = names.address_under(address, one.victim.grant_id)

    async def forge(name: str, *, is_closed: bool, later: timedelta = timedelta(days=1)) -> None:
        unreadable = field_of.unreadable(Topic.OPTOUTS)
        await field_of.append(OptOutChanged(place=name, is_closed=is_closed, seen_at=datetime.now(UTC) + later))
        await until(lambda: _counted(field_of, unreadable + 1))

    await forge(address, is_closed=True)
    assert await one.told() == held
    one.show(headers={"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    for name in (address, place):
        await forge(name, is_closed=False)
        assert await one.told() == []
    one.show()
    await field_of.house.crawl()
    said = [record for record in await field_of.records(Topic.OPTOUTS.value) if record.key == address.encode()]
    genuine = [record for record in said if StageSignatures(field_of.shared.keys).holds(record)]
    assert len(genuine) == 2
    one.show(headers={"X-Robots-Tag": "noai"})
    await field_of.house.crawl()
    await field_of.put(*[again(record) for record in genuine])
    assert await one.told() == []
    await until(one.is_gone)
    # Of the crawler, and of a form that nobody here can read: it closes.
    one.show()
    await field_of.house.crawl()
    assert await one.told() == held
    strange = encode(
        Event("f" * 32, "/assent/crawler", datetime.now(UTC), OptOutChanged(place=address, is_closed=False, seen_at=datetime.now(UTC)))
    )
    strange = replace(strange, value=b'{"schema": "of tomorrow"}')
    await field_of.put(StageSignatures(field_of.shared.keys).signed(strange, "crawler"))
    assert await one.told() == []


async def _counted(field_of: Field, wanted: float) -> bool:
    return field_of.unreadable(Topic.OPTOUTS) >= wanted


async def test_over_restarts_it_is_known_where_to_ask_what_was_said_and_what_is_new(tmp_path: Path) -> None:
    async with attacked(tmp_path, sweep_every_s=0.2) as field_of:
        first, second = await held_shot(field_of), await held_shot(field_of)
        tokens = {one.victim.grant_id: await one.victim.person.token() for one in (first, second)}
        await field_of.house.world.restart()
        first.site("/robots.txt", f"User-agent: *\nDisallow: {first.victim.folder}\n")
        second.show(head='<meta name="robots" content="noindex">', names="1.jpg")
        page_with_header(second)
        await field_of.house.crawl()
        for one in (first, second):
            assert await one.told(tokens[one.victim.grant_id]) == []
            await until(one.is_gone)
        embedded = [record for record in await field_of.records(Topic.FACES_EMBEDDED.value) if record.key == first.victim.grant_id.encode()]
        await field_of.house.world.restart()
        await field_of.put(*[again(record) for record in embedded])
        await field_of.house.crawl()
        assert (await first.held(), await second.held()) == ([], [])
        field_of.site.answers.pop("/robots.txt")
        second.show()
        await field_of.house.crawl()
        assert [len(await one.held()) for one in (first, second)] == [1, 1]
        await field_of.house.world.restart()
        assert [len(await one.told(tokens[one.victim.grant_id])) for one in (first, second)] == [1, 1]
        kept = [record.value or b"" for record in await field_of.records(Topic.ADDRESSES.value)]
        assert len(kept) == 2, "each was written down once, over two restarts"
        assert all(first.victim.folder.encode() not in value and b"1.jpg" not in value for value in kept)


class LaterClock(SystemClock):
    """The time of day, and whatever a test adds to it."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@asynccontextmanager
async def open_late_system(layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
    clock = LaterClock()
    async with opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener):
        late = replace(shared, clock=clock, gate=Gate(shared.tables.fold, clock, ImageIds(shared.keys)))
        async with running_system(EmbeddedSystem(layout, late), listener, host=host) as system:
            yield system


async def test_a_date_that_passes_is_a_no_from_then_on_and_nobody_is_told_before_a_sweep_came(tmp_path: Path) -> None:
    async with attacked(tmp_path, opener=open_late_system, sweep_every_s=3600.0) as field_of:
        one = await shot(field_of)
        ends = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
        one.show(headers={"X-Robots-Tag": f"unavailable_after: {ends}"})
        for _ in range(2):
            await field_of.house.crawl()
            assert len(await one.told()) == 1
        (face_id,) = await one.held()
        url, token = f"{field_of.house.api.addresses.query}/v1/faces/{face_id}/picture", await one.victim.person.token()
        assert await field_of.house.api.status(url, token=token) == 200
        clock = field_of.shared.clock
        assert isinstance(clock, LaterClock)
        clock.ahead = timedelta(minutes=11)
        await field_of.house.crawl()
        assert await one.told() == []
        assert await field_of.house.api.status(url, token=await one.victim.person.token()) == 404
        assert await one.held() == [face_id], "no sweep came yet"
        assert await field_of.rules(one.victim.grant_id) == {"optout_signal"}
        # It is taken back, and said again after the clock was put back: the newer word counts.
        one.show()
        await field_of.house.crawl()
        assert await one.told() == [face_id]
        clock.ahead = timedelta(minutes=5)
        one.show(headers={"X-Robots-Tag": "noai"})
        await field_of.house.crawl()
        assert await one.told() == []
