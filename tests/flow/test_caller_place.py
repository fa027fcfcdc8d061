"""A caller is also where her address is: a claim that it contradicts closes the service, and only the operator's proxies are believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assent.fetching.server_places import MAX_AGE
from assent.identity.principal import Role
from assent.ids import FaceId, Jurisdiction
from assent.testing.fake_clock import START, FakeClock
from services.query.settings import QuerySettings
from tests.flow.query_house import QueryHouse, query_house
from tests.flow.test_query_search import PROBE, gallery
from tests.unit.server_table_examples import table

pytestmark = pytest.mark.timeout(120)
PLACES = {
    "192.0.2.0/25": {"country_code": "CA", "asn": "AS577"},
    "192.0.2.128/25": {"country_code": "US", "asn": "AS7018"},
    "198.51.100.0/24": {"country_code": "CA", "asn": "AS13335"},
    "203.0.113.0/24": {"country_code": "GB", "asn": "AS2856"},
}
CANADIAN, AMERICAN, SHARED, BRITISH = "192.0.2.7", "192.0.2.200", "198.51.100.1", "203.0.113.9"
NOWHERE = "8.8.8.8"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[QueryHouse]:
    file = table(tmp_path / "places.mmdb", PLACES, built_at=START - timedelta(days=2))
    async with query_house(tmp_path / "data", caller_places_file=file, proxies=("127.0.0.1/32", "10.0.0.0/8")) as made:
        yield made


async def opened(house: QueryHouse) -> FaceId:
    """A face that may be asked about, under a policy that offers the service in British Columbia and the United Kingdom."""
    first, _ = await gallery(house)
    await house.policy("CA-BC", GB={"with_grant": ["serve_clients"], "filings": {}})
    return first


async def asked(house: QueryHouse, face: FaceId, *forwarded: str, **changes: Any) -> tuple[int, Any]:
    headers = house.token(Role.SEARCHER, **changes)
    if forwarded:
        headers["X-Forwarded-For"] = ", ".join(forwarded)
    return await house.ask("/v1/search", headers, basis="gallery", face_id=face)


@pytest.mark.parametrize(
    ("forwarded", "rule"),
    [
        ((CANADIAN,), None),
        ((f"::ffff:{CANADIAN}",), None),
        ((AMERICAN,), "IL-5"),
        ((SHARED,), "X-1"),
        ((NOWHERE,), "X-1"),
        (("not an address",), "X-1"),
        ((), "X-1"),
        (("10.1.2.3",), "X-1"),
        ((CANADIAN, "10.1.2.3"), None),
        ((CANADIAN, "::ffff:10.1.2.3"), None),
        ((CANADIAN, AMERICAN, "10.1.2.3"), "IL-5"),
        ((AMERICAN, CANADIAN), None),
        ((CANADIAN, "not an address"), "X-1"),
    ],
    ids=[
        "where she says", "written otherwise", "elsewhere", "a content network", "unknown", "unreadable", "the proxy", "proxies alone",
        "behind two proxies", "a proxy written otherwise", "what she wrote herself", "another's before her own", "an unreadable last hop",
    ],
)  # fmt: skip
async def test_her_address_is_asked_beside_her_token(house: QueryHouse, forwarded: tuple[str, ...], rule: str | None) -> None:
    first = await opened(house)
    status, body = await asked(house, first, *forwarded)
    assert (status, body.get("rule")) == ((200, None) if rule is None else (451, rule))
    if rule is None:
        assert len(body["candidates"]) > 0


@pytest.mark.parametrize(
    ("claims", "address", "rule"),
    [
        (("CA-BC",), BRITISH, None),
        (("GB",), CANADIAN, "AB-1"),
        (("GB",), BRITISH, None),
        (("CA-AB",), AMERICAN, "AB-1"),
        (("US-IL",), CANADIAN, "AB-1"),
    ],
    ids=["both open", "a country with closed parts", "the country itself", "conflict 15", "two closed ones"],
)
async def test_every_place_that_is_named_must_be_open(house: QueryHouse, claims: tuple[str, ...], address: str, rule: str | None) -> None:
    first = await opened(house)
    status, body = await asked(house, first, address, jurisdictions=tuple(Jurisdiction(claim) for claim in claims))
    assert (status, body.get("rule")) == ((200, None) if rule is None else (451, rule))


async def test_a_picture_is_shown_where_the_search_would_be_answered(house: QueryHouse) -> None:
    first = await opened(house)
    statuses = []
    for address in (CANADIAN, AMERICAN):
        headers = house.token(Role.SEARCHER) | {"X-Forwarded-For": address}
        async with house.client.get(f"/v1/faces/{first}/picture", headers=headers) as response:
            statuses.append(response.status)
    assert statuses == [200, 404]


async def test_whoever_looks_for_herself_is_not_asked_where_she_is(house: QueryHouse) -> None:
    await gallery(house)
    headers = house.token(Role.SUBJECT) | {"X-Forwarded-For": AMERICAN}
    status, body = await house.ask("/v1/search", headers, basis="self", image=PROBE)
    assert (status, len(body["candidates"])) == (200, 2)
    assert [record["caller_jurisdictions"] for record in await house.disclosures()] == [["CA-BC"]]


async def test_who_says_no_place_is_nowhere_wherever_her_address_is(house: QueryHouse) -> None:
    await opened(house)
    headers = house.token(Role.SUBJECT, jurisdictions=()) | {"X-Forwarded-For": BRITISH}
    status, body = await house.ask("/v1/verify", headers, grant_id="g-1", image=PROBE)
    assert (status, body["rule"]) == (451, "X-1")


async def test_what_was_refused_is_recorded_with_the_country_and_no_address(house: QueryHouse) -> None:
    first, _ = await gallery(house)
    await asked(house, first, AMERICAN)
    (record,) = await house.disclosures()
    assert record["caller_jurisdictions"] == ["CA-BC", "US"]
    assert AMERICAN not in str(record)


async def test_an_old_table_places_nobody(tmp_path: Path) -> None:
    file = table(tmp_path / "places.mmdb", PLACES, built_at=START - MAX_AGE - timedelta(days=1))
    async with query_house(tmp_path / "data", clock=FakeClock(), caller_places_file=file, proxies=("127.0.0.1/32",)) as house:
        first, _ = await gallery(house)
        assert (await asked(house, first, CANADIAN))[0] == 451


async def test_a_header_is_believed_of_no_other_proxy(tmp_path: Path) -> None:
    record = {"127.0.0.0/8": {"country_code": "US", "asn": "AS7018"}, "192.0.2.0/24": {"country_code": "CA", "asn": "AS577"}}
    file = table(tmp_path / "places.mmdb", record, built_at=START)
    async with query_house(tmp_path / "data", caller_places_file=file, proxies=("10.0.0.0/8",)) as house:
        first, _ = await gallery(house)
        status, body = await asked(house, first, CANADIAN)
        assert (status, body["rule"]) == (451, "IL-5")


async def test_without_a_table_her_token_alone_says_where_she_is(tmp_path: Path) -> None:
    async with query_house(tmp_path, proxies=("127.0.0.1/32",)) as house:
        first, _ = await gallery(house)
        assert (await asked(house, first, AMERICAN))[0] == 200


def test_networks_alone_place_nobody(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="caller_networks_file goes with caller_places_file"):
        QuerySettings(caller_networks_file=tmp_path / "networks.mmdb")
