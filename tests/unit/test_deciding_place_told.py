"""A place that is told later: what came in before it was told goes, what comes in after it is open again stays, and nothing else opens."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assent.deciding.gate import Gate
from assent.deciding.opted_out import PLACE_TOLD
from assent.deciding.replay import OBSERVED
from assent.deciding.rule_texts import RULES
from assent.events.fetched_from import FetchedFrom
from assent.events.grants import Operation
from assent.events.images import Stage
from assent.events.optout_changes import OptOutChanged
from assent.geofence.policy import Policy
from assent.ids import GrantId, Jurisdiction
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.testing.fake_clock import FakeClock
from tests.unit.grant_examples import NOW, grant
from tests.unit.held_examples import Held
from tests.unit.policy_examples import policy_with, shipped

ADDRESS, OTHER = "a1" * 32, "b2" * 32


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def gate_with(folder: Path, *changes: tuple[str, int, bool], knows: bool = True, policy: Policy | None = None, **held: Any) -> Gate:
    """Over two grants of one person. `changes` are told of the place of an address under a grant, as `g-1 a1`, when, and whether closed."""
    fold, names = Held(policy=policy or shipped()), ImageIds(DeploymentKeys.load_or_create(folder))
    for grant_id in ("g-1", "g-2"):
        fold.ledger.apply_grant(grant(grant_id, **held))
    for at, minutes, is_closed in changes:
        grant_id, _, address = at.partition(" ")
        place = names.placed_under(address * 32, GrantId(grant_id))
        fold.optouts.apply(OptOutChanged(place=place, is_closed=is_closed, seen_at=after(minutes)))
    return Gate(fold, FakeClock(NOW), names if knows else None)


@pytest.mark.parametrize(
    ("changes", "fetched_at", "stays"),
    [
        ((), 0, True),
        ((("g-1 a1", 2, True),), 0, False),
        ((("g-1 a1", 2, True),), 3, False),
        ((("g-1 a1", 2, True), ("g-1 a1", 4, False)), 3, False),
        ((("g-1 a1", 2, True), ("g-1 a1", 4, False)), 5, True),
        ((("g-2 a1", 2, True),), 0, True),
        ((("g-1 b2", 2, True),), 0, True),
    ],
    ids=["nothing told", "told since", "told before", "no longer told", "fetched when no longer told", "another grant", "another address"],
)
def test_a_place_that_was_told_since_takes_what_came_in_before(
    tmp_path: Path, changes: tuple[tuple[str, int, bool], ...], fetched_at: int, stays: bool
) -> None:
    fetched, gate = FetchedFrom(address=ADDRESS, at=after(fetched_at)), gate_with(tmp_path, *changes)
    assert gate.is_placed_since(GrantId("g-1"), fetched) is not stays
    assert gate.may_stay(GrantId("g-1"), source=None, fetched=(fetched,)) is stays
    assert not gate.is_opted_out(GrantId("g-1"), fetched), "it is no opt-out"
    elsewhere = FetchedFrom(address=OTHER, at=after(fetched_at))
    if not any(at == "g-1 b2" for at, *_ in changes):
        assert gate.may_stay(GrantId("g-1"), source=None, fetched=(fetched, elsewhere)), "from another address it may stay"
    handed_in = FetchedFrom(at=after(fetched_at))
    assert gate.may_stay(GrantId("g-1"), source=None, fetched=(handed_in,)), "what was handed in lies nowhere"
    unknowing = gate_with(tmp_path, *changes, knows=False)
    assert not unknowing.is_placed_since(GrantId("g-1"), fetched), "who knows no names asks for none"


def test_it_is_asked_again_when_its_place_changed(tmp_path: Path) -> None:
    gate = gate_with(tmp_path, ("g-1 a1", 2, True))
    assert [gate.optouts_changed_at(GrantId(grant_id), ADDRESS) for grant_id in ("g-1", "g-2")] == [after(2), None]
    # It has a reason of its own, which a replay takes for seen where it may be told.
    assert PLACE_TOLD in RULES
    assert [stage for stage, seen in OBSERVED.items() if PLACE_TOLD in seen] == [Stage.EMBEDDER, Stage.INDEXER]


BC, AB, QC, CANADA = (Jurisdiction(code) for code in ("CA-BC", "CA-AB", "CA-QC", "CA"))


@pytest.mark.parametrize(
    ("told", "rule"),
    [({BC}, None), ({QC}, "QC-3"), ({AB}, "scope_not_granted"), ({BC, QC}, "QC-3"), ({CANADA}, "QC-3"), (set(), None)],
    ids=["where she lives", "closed", "not within her reach", "both", "a country stands for its parts", "nothing"],
)
def test_what_closes_is_what_is_not_closed_where_she_lives(tmp_path: Path, told: set[Jurisdiction], rule: str | None) -> None:
    found = gate_with(tmp_path).closing_rules(GrantId("g-1"), told)
    assert found == () if rule is None else rule in found
    assert gate_with(tmp_path).closing_rules(GrantId("nobody's"), told) == ()


def test_what_she_or_the_policy_took_away_meanwhile_is_no_place_that_was_told(tmp_path: Path) -> None:
    narrowed = gate_with(tmp_path, operations=(Operation.SEARCH, Operation.DISCLOSE))
    assert narrowed.closing_rules(GrantId("g-1"), {BC}) == ()
    stopped = gate_with(tmp_path, policy=policy_with(CA_BC={"with_grant": []}))
    assert stopped.closing_rules(GrantId("g-1"), {BC}) == ()
    assert "QC-3" in stopped.closing_rules(GrantId("g-1"), {BC, QC})
