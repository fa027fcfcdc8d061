"""Where a server stands, over real connections to 127.0.0.1 and a table that places it: asked before a picture is, and never kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assent.cli.main import main
from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.events.envelope import Event, decode
from assent.events.evidence import CoarseEvidence, EvidenceKind
from assent.events.images import ImageLocated, ImageRefused, ImageScraped
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.fetching.address_guard import AddressGuard
from assent.fetching.fetcher import Fetched, Fetcher, FetchLimits
from assent.ids import GrantId
from assent.stream.event_log import TopicPartition
from demo import photos
from demo.site import PORTRAITS, DemoSite
from services.registry.policy_file import read_policy
from tests.flow.registry_house import GrantHouse, grant_house
from tests.unit.policy_examples import shipped
from tests.unit.server_table_examples import table

pytestmark = pytest.mark.timeout(120)
PAGE = f"{PORTRAITS}1.jpg"
OWN, CONTENT = "AS1221", "AS13335"


def served_from(folder: Path, country: str, *, network: str = OWN, age_days: float = 1) -> dict[str, Any]:
    """The crawler's settings with a table that places this machine."""
    record = {"country": {"iso_code": country}, "asn": network}
    built_at = datetime.now(UTC) - timedelta(days=age_days)
    return {"server_places_file": table(folder / "servers.mmdb", {"127.0.0.0/8": record}, built_at=built_at)}


async def crawled(house: GrantHouse) -> GrantId:
    """One person of British Columbia, her folder on the site, a round of the crawler."""
    person = await house.person()
    sources = [{"kind": "url_prefix", "value": f"{house.site.origin}{PORTRAITS}", "only_me": True}]
    await person.grant("page", house.request(person, sources), house.token)
    house.site.requests.clear()
    await house.crawl()
    return GrantId(person.held()[0].grant_id)


async def records(house: GrantHouse, topic: Topic) -> list[StoredRecord]:
    log, found = house.world.log, list[StoredRecord]()
    for partition in range(await log.partitions(topic.value)):
        found += await log.read(TopicPartition(topic.value, partition), 0, max_records=1000)
    return found


async def events(house: GrantHouse, topic: Topic) -> list[Event[EventPayload]]:
    return [decode(record) for record in await records(house, topic)]


def of_the_server(evidence: Iterable[CoarseEvidence]) -> list[tuple[tuple[str, ...], float]]:
    return [(item.jurisdictions, item.deny_weight) for item in evidence if item.kind is EvidenceKind.SERVER_ADDRESS]


async def test_au_1_a_picture_on_an_australian_server_is_refused_before_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with grant_house(tmp_path, {PAGE: photos.portrait()}, crawler=served_from(tmp_path, "AU")) as house:
        grant_id = await crawled(house)
        assert house.site.requests["/robots.txt"] == 1
        assert [path for path in house.site.requests if path.startswith(PORTRAITS)] == []
        assert await house.world.store.ids_of_grant(grant_id) == []
        refused = [event.data for event in await events(house, Topic.IMAGES_REFUSED)]
        assert refused == []
        # A single photo that she named is told to her; a page is only looked at for its links.
        person = await house.person()
        sources = [{"kind": "image_url", "value": f"{house.site.origin}{PAGE}"}]
        await person.grant("photo", house.request(person, sources), house.token)
        await house.crawl()
        assert house.site.requests[PAGE] == 0
        found = [event.data for event in await events(house, Topic.IMAGES_REFUSED)]
        assert {told.grant_id for told in found if isinstance(told, ImageRefused)} == {grant_id, person.held()[0].grant_id}
        for told in found:
            assert isinstance(told, ImageRefused)
            assert (told.stage.value, told.rules[0], told.image_id) == ("crawler", "AU-1", None)
            assert of_the_server(told.evidence) == [(("AU",), 1.0)]
            assert "AU" in told.candidates
            assert [name for name in told.datasets if name.startswith("servers-")]
        assert decisions_that_differ(await records(house, Topic.IMAGES_REFUSED)) == []
        (tmp_path / "token").write_text(house.token)
        told_to = ("--url", house.api.addresses.query, "--token", str(tmp_path / "token"))
        assert await asyncio.to_thread(main, ("explain", f"{house.site.origin}{PAGE}", *told_to)) == 0
        said = capsys.readouterr().out
        assert "AU-1" in said
        assert "where the server stands: Australia" in said


def decisions_that_differ(found: Iterable[StoredRecord]) -> list[object]:
    """Those that come out otherwise when they are made again from what was recorded."""
    policy = shipped()
    assert read_policy(None).version == policy.version
    decisions = [decision for record in found for decision in recorded_decisions(decode(record))]
    assert decisions
    return [decision for decision in decisions if not replay(decision, policy).is_same(decision)]


async def test_a_server_at_home_adds_nothing_and_its_country_alone_goes_on(tmp_path: Path) -> None:
    async with grant_house(tmp_path, {PAGE: photos.portrait()}, crawler=served_from(tmp_path, "CA")) as house:
        grant_id = await crawled(house)
        assert len(await house.world.store.ids_of_grant(grant_id)) == 1
        (scraped,) = [event.data for event in await events(house, Topic.IMAGES_SCRAPED)]
        assert isinstance(scraped, ImageScraped)
        (said,) = [item for item in scraped.sighting.page_evidence if item.kind is EvidenceKind.SERVER_ADDRESS]
        country, _, name = said.value.partition(" ")
        assert (country, name[:8], len(name)) == ("CA", "servers-", 20)
        (located,) = [event.data for event in await events(house, Topic.IMAGES_LOCATED)]
        assert isinstance(located, ImageLocated)
        assert [of_the_server(finding.evidence) for finding in located.findings] == [[(("CA",), 0.4)]]
        assert located.findings[0].candidates == ("CA-BC",)
        assert name in located.datasets
        assert decisions_that_differ(await records(house, Topic.IMAGES_LOCATED)) == []


async def test_a_server_abroad_is_a_hint_of_a_country_that_is_closed(tmp_path: Path) -> None:
    async with grant_house(tmp_path, {PAGE: photos.portrait()}, crawler=served_from(tmp_path, "NZ")) as house:
        grant_id = await crawled(house)
        assert await house.world.store.ids_of_grant(grant_id) == []
        assert house.site.requests[PAGE] == 0


@pytest.mark.parametrize(
    "settings",
    [{"network": CONTENT}, {"network": "unknown"}, {"age_days": 91}],
    ids=["a content network", "a network that is not known", "a table that is too old"],
)
async def test_where_the_place_is_not_known_nothing_is_said(tmp_path: Path, settings: dict[str, Any]) -> None:
    async with grant_house(tmp_path, {PAGE: photos.portrait()}, crawler=served_from(tmp_path, "AU", **settings)) as house:
        grant_id = await crawled(house)
        assert len(await house.world.store.ids_of_grant(grant_id)) == 1
        (scraped,) = [event.data for event in await events(house, Topic.IMAGES_SCRAPED)]
        assert isinstance(scraped, ImageScraped)
        assert [item for item in scraped.sighting.page_evidence if item.kind is EvidenceKind.SERVER_ADDRESS] == []


async def test_the_connection_tells_its_own_address_and_no_proxy_of_the_machine_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would put its own address in place of the site's: none is ever used, whatever the environment says."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site = DemoSite()
    await site.start()
    fetcher = Fetcher(guard=AddressGuard(frozenset({("127.0.0.1", site.port)})), user_agent="TestBot", limits=FetchLimits())
    await fetcher.start()
    try:
        first, again = await fetcher.fetch(f"{site.origin}/robots.txt"), await fetcher.fetch(f"{site.origin}{PAGE}")
        assert isinstance(first, Fetched)
        assert isinstance(again, Fetched)
        assert (first.peer, again.peer) == ("127.0.0.1", "127.0.0.1")
    finally:
        await fetcher.close()
        await site.stop()
