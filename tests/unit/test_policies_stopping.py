"""What a stop takes from a policy: the place with its parts, nothing beside it, and never more than before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from assent.events.grants import Operation
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction
from assent.policies.comparison import compare
from assent.policies.stopping import ALL_OPERATIONS, Stop, StopError, stays_closed, stopped
from assent.policies.written_policy import written_policy
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ORDER = "Order P26-01"
OPEN: dict[str, Any] = {"with_grant": [*EVERY_OPERATION, SERVE_CLIENTS]}
FILED = {name: {"reference": "1", "filed_on": date(2026, 11, 1)} for name in ("dpia", "representative")}
WIDE = policy_with(
    CA_BC=OPEN, CA_AB=OPEN, CA=OPEN, US_IL=OPEN, US_TX=OPEN, EU=OPEN | {"filings": FILED}, FR={"law": ["GDPR"], **OPEN, "filings": FILED}
)


def closed(policy: Policy) -> set[str]:
    """Of the places below, those where nothing can be open on any day."""
    places = ("CA-BC", "CA-AB", "CA-ON", "CA", "US-IL", "US-TX", "EU", "FR", "DE", "GB", UNKNOWN)
    return {place for place in places if not policy.rules_for(Jurisdiction(place)).opens}


def stop(place: str | None, *operations: str) -> Stop:
    return Stop(None if place is None else Jurisdiction(place), operations or ALL_OPERATIONS, ORDER)


ALWAYS = {"GB", UNKNOWN}
CLOSES = {
    "a province": ("CA-BC", {"CA-BC"}),
    "a province that its country governs": ("CA-ON", {"CA-ON"}),
    "a country with its provinces": ("CA", {"CA", "CA-BC", "CA-AB", "CA-ON"}),
    "a country without an entry": ("US", {"US-IL", "US-TX"}),
    "a member with an entry of its own": ("FR", {"FR"}),
    "a member that its group governs": ("DE", {"DE"}),
    "a group with its members": ("EU", {"EU", "FR", "DE"}),
    "everything": (None, {"CA-BC", "CA-AB", "CA-ON", "CA", "US-IL", "US-TX", "EU", "FR", "DE"}),
    "a place that is closed": ("GB", set[str]()),
}


@pytest.mark.parametrize("what", CLOSES)
def test_a_stop_closes_the_place_with_its_parts_and_nothing_beside(what: str) -> None:
    place, expected = CLOSES[what]
    assert closed(WIDE) == ALWAYS
    found = stopped(WIDE, [stop(place)])
    assert closed(found) == ALWAYS | expected
    assert (found is WIDE) == (not expected)
    assert not compare(WIDE, found, places=(), now=NOW).is_wider


def test_the_order_is_named_and_the_rest_of_the_entry_stays() -> None:
    rules, before = stopped(WIDE, [stop("CA-BC")]).rules_for(Jurisdiction("CA-BC")), WIDE.rules_for(Jurisdiction("CA-BC"))
    assert rules.law == (*before.law, ORDER)
    assert rules == before.model_copy(update={"law": rules.law, "with_grant": ()})


def test_an_order_that_stops_in_two_steps_is_named_once() -> None:
    found = stopped(WIDE, [stop("CA-BC", "collect"), stop("CA-BC", "embed")])
    assert found.rules_for(Jurisdiction("CA-BC")).law.count(ORDER) == 1


def test_single_operations_are_stopped_alone() -> None:
    rules = stopped(WIDE, [stop("CA-BC", "collect", "embed")]).rules_for(Jurisdiction("CA-BC"))
    assert rules.closed_by(Operation.COLLECT, NOW) == "BC-2"
    assert rules.closed_by(Operation.SEARCH, NOW) is None
    assert rules.closed_to_clients_by(NOW) is None


def test_a_place_that_would_open_on_a_day_to_come_is_stopped_for_that_day_too() -> None:
    """The lead time of a filing runs while the order stands."""
    later = policy_with(CA_QC={"filings": {name: {"reference": "1", "filed_on": date(2026, 11, 25)} for name in ("cai_database",)}})
    assert stop("CA-QC").stops(later)
    assert not stopped(later, [stop("CA-QC")]).rules_for(Jurisdiction("CA-QC")).opens


@pytest.mark.parametrize("place", ["GB", "JP", "CA-BC", "EU", None])
def test_a_stop_says_of_a_policy_whether_anything_that_it_stops_is_open_there(place: str | None) -> None:
    """Two people who open one place end the stops of that place, and no other."""
    is_open = place not in ("GB", "JP")
    assert stop(place).stops(WIDE) is is_open
    assert stop(place, "collect", "search").stops(stopped(WIDE, [stop(place, "search")])) is is_open
    assert not stop(place, "search").stops(stopped(WIDE, [stop(place, "search")]))


def test_an_entry_that_a_court_stayed_is_stopped_for_the_day_on_which_it_is_in_force_again() -> None:
    stayed = policy_with(CA_BC={"status": "stayed", "as_of": date(2026, 5, 1)})
    assert stopped(stayed, [stop("CA-BC")]).rules_for(Jurisdiction("CA-BC")).with_grant == ()


def test_a_country_takes_its_territories_along_that_have_codes_of_their_own() -> None:
    filed = {name: {"rule": "EU-10", **paper} for name, paper in FILED.items()}
    france = {"law": ["GDPR"], "members": ["FR", "GP", "RE"], **OPEN, "filings": filed}
    grouped = policy_with(EU={"members": ["DE"]}, FR=france, GP={"law": ["GDPR"], **OPEN})
    found = stopped(grouped, [stop("FR")])
    assert [found.rules_for(Jurisdiction(code)).with_grant for code in ("FR", "GP", "RE", "GP-X")] == [()] * 4


@pytest.mark.parametrize(
    ("place", "because", "told"),
    [
        ("CA-ONTARIO", ORDER, "jurisdictions.CA-ONTARIO"),
        # A byte of a terminal that does not write UTF-8.
        ("CA-BC", "D\udce9cision 12", "half a character"),
    ],
    ids=["a place without a code", "an order that cannot be signed"],
)
def test_what_would_make_a_policy_that_nobody_can_read_is_told_and_not_published(place: str | None, because: str, told: str) -> None:
    """A stop that went out so would keep every process from reading the policy, and every later stop from going out."""
    with pytest.raises(StopError, match=told):
        stopped(WIDE, [replace(stop(place), because=because)])


def test_it_is_said_of_a_file_where_something_was_left_out_and_only_there() -> None:
    assert stays_closed(stopped(WIDE, [stop("CA-BC")]).version) == "; what was stopped stays closed, whatever the file says"
    assert stays_closed(stopped(WIDE, [stop("GB")]).version) == ""


def test_twice_is_once_and_the_version_follows_the_contents() -> None:
    once = stopped(WIDE, [stop("CA-BC")])
    assert stopped(WIDE, [stop("CA-BC"), stop("CA-BC")]) == once
    assert stopped(once, [stop("CA-BC")]) is once
    other = stopped(WIDE, [stop("CA-AB")])
    assert len({WIDE.version, once.version, other.version}) == 3
    both = stopped(once, [stop("CA-AB")])
    assert (both.version.count("-stop."), both.jurisdictions == stopped(WIDE, [stop("CA-AB"), stop("CA-BC")]).jurisdictions) == (1, True)
    long = WIDE.model_copy(update={"version": "v" * 60})
    assert len(stopped(long, [stop("CA-BC")]).version) == 60


def test_the_unknown_is_not_stopped_because_it_is_never_open() -> None:
    with pytest.raises(StopError, match="never open"):
        stopped(WIDE, [stop(UNKNOWN)])


def test_what_is_stopped_can_be_written_as_a_file_again() -> None:
    for place in ("CA-ON", "DE", "EU", None):
        found = stopped(WIDE, [stop(place)])
        assert written_policy(found)["version"] == found.version


_PLACES = some.sampled_from([None, "CA", "CA-BC", "CA-ON", "US", "US-IL", "EU", "FR", "DE", "GB", "JP"])
_STOPS = some.lists(some.builds(stop, _PLACES, some.sampled_from(ALL_OPERATIONS)), max_size=4)


def opens(policy: Policy) -> dict[str, frozenset[str]]:
    """What each of these places may open on some day; places that a stop gives an entry of its own are among them."""
    names = {"CA", "CA-BC", "CA-ON", "US", "US-IL", "US-TX", "EU", "FR", "DE", "IT", "GB", "AU", "JP", UNKNOWN}
    return {name: policy.rules_for(Jurisdiction(name)).opens for name in names}


@settings(deadline=None)
@given(_STOPS, _STOPS)
def test_no_stops_in_no_order_ever_open_anything(first: list[Stop], second: list[Stop]) -> None:
    for base in (shipped(), WIDE):
        one, two = stopped(base, first), stopped(base, [*first, *second])
        before, between, after = opens(base), opens(one), opens(two)
        assert all(after[place] <= between[place] <= before[place] for place in before)
        assert opens(stopped(base, [*second, *first])) == after
        assert stopped(two, first) is two


_CODES = ["CA", "CA-BC", "CA-ON", "EU", "FR", "FR-IDF", "GP", "DE"]
_ENTRIES = some.fixed_dictionaries(
    {},
    optional={
        code: some.fixed_dictionaries(
            {"with_grant": some.lists(some.sampled_from(ALL_OPERATIONS), unique=True), "status": some.sampled_from(["in_force", "stayed"])}
        )
        for code in _CODES
    },
)
_MEMBERS = some.sampled_from([{}, {"EU": ["FR", "DE"]}, {"EU": ["DE"], "FR": ["FR", "GP"]}, {"EU": ["FR", "DE"], "FR": ["GP"]}])


def made(entries: dict[str, dict[str, Any]], members: dict[str, list[str]]) -> Policy:
    document = shipped().model_dump(by_alias=True)
    whole = {code: document["unknown"] | entry | {"members": members.get(code, [])} for code, entry in entries.items()}
    return Policy.model_validate({**document, "jurisdictions": whole})


def is_bound(place: str, by: Stop, policy: Policy) -> bool:
    """Whether an order binds it: it names the place, or a country or group that the place is in."""
    country = place.partition("-")[0]
    groups = [code for code, rules in policy.jurisdictions.items() if country in rules.members and code != country]
    return by.place in (None, place, country) or any(is_bound(group, by, policy) for group in groups)


@settings(deadline=None)
@given(_ENTRIES, _MEMBERS, some.lists(some.builds(stop, some.sampled_from([None, *_CODES]), some.sampled_from(ALL_OPERATIONS)), max_size=3))
def test_whatever_the_file_says_what_an_order_binds_is_closed_and_the_rest_is_as_it_was(
    entries: dict[str, dict[str, Any]], members: dict[str, list[str]], stops: list[Stop]
) -> None:
    before = made(entries, members)
    after = stopped(before, stops)
    for code in (*_CODES, "CA-QC", "DE-BE", "GP-X", "JP"):
        was, now = before.rules_for(Jurisdiction(code)), after.rules_for(Jurisdiction(code))
        taken = {name for by in stops if is_bound(code, by, before) for name in by.operations} & {*was.with_grant}
        assert set(now.with_grant) == {*was.with_grant} - taken
        assert now.law == (*was.law, *([ORDER] if taken else []))
        kept = {"with_grant": was.with_grant, "law": was.law, "members": was.members}
        assert now.model_copy(update=kept) == was
    assert not any(by.stops(after) for by in stops)
