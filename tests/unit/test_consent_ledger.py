"""The ledger: order and repetition change nothing, a withdrawal is for ever, a fixture is nobody's yes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.consent.asset import Asset
from assent.consent.ledger import ConsentLedger, Standing
from assent.events.grants import (
    BindingMode,
    FaceBinding,
    GrantSnapshot,
    GrantState,
    GrantWithdrawn,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import SourceKind
from assent.ids import GrantId, SubjectId
from tests.unit.grant_examples import NOW, grant

GRANT = GrantId("g-1")


def withdrawn(grant_id: GrantId = GRANT, at: datetime = NOW) -> GrantWithdrawn:
    return GrantWithdrawn(grant_id=grant_id, withdrawn_at=at)


def folded(*events: GrantSnapshot | GrantWithdrawn, accepts_fixtures: bool = False) -> ConsentLedger:
    ledger = ConsentLedger(accepts_fixtures=accepts_fixtures)
    for event in events:
        if isinstance(event, GrantSnapshot):
            ledger.apply_grant(event)
        else:
            ledger.apply_withdrawal(event)
    return ledger


def test_every_order_of_grant_revision_and_withdrawal_ends_withdrawn() -> None:
    events: tuple[GrantSnapshot | GrantWithdrawn, ...] = (grant(GRANT), grant(GRANT, revision=2), withdrawn())
    for order in permutations(events):
        ledger = folded(*order)
        assert ledger.standing(GRANT, NOW) is Standing.WITHDRAWN
        assert ledger.live(GRANT, NOW) is None


@given(st.permutations([1, 2, 3, 4]), st.lists(st.sampled_from([1, 2, 3, 4]), max_size=6))
def test_the_highest_revision_stands_whatever_the_order_and_repetition(order: list[int], again: list[int]) -> None:
    ledger = folded(*(grant(GRANT, revision=number) for number in [*order, *again]))
    held = ledger.grant(GRANT)
    assert held is not None
    assert held.revision == 4


def test_two_different_snapshots_of_one_revision_deny_the_grant() -> None:
    ledger = folded(grant(GRANT), grant(GRANT, recipients=("org-x",)))
    assert ledger.standing(GRANT, NOW) is Standing.DENIED


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({"state": GrantState.REQUESTED}, Standing.NOT_LIVE),
        ({"state": GrantState.REFUSED}, Standing.NOT_LIVE),
        ({"confirmed_at": None}, Standing.NOT_LIVE),
        ({"not_before": NOW + timedelta(seconds=1)}, Standing.NOT_LIVE),
        ({"expires_at": NOW}, Standing.EXPIRED),
        ({"evidence_kinds": ("demo_fixture",)}, Standing.FIXTURE),
        ({"state": GrantState.RENEWED}, Standing.LIVE),
    ],
)
def test_standing(change: dict[str, object], standing: Standing) -> None:
    assert folded(grant(GRANT, **change)).standing(GRANT, NOW) is standing


def test_unknown_and_unreadable_grants_are_not_live() -> None:
    ledger = folded(grant(GRANT))
    assert ledger.standing(GrantId("g-2"), NOW) is Standing.UNKNOWN
    ledger.deny(GRANT)
    assert ledger.standing(GRANT, NOW) is Standing.DENIED


def test_the_demo_alone_takes_a_fixture() -> None:
    ledger = folded(grant(GRANT, evidence_kinds=("demo_fixture",)), accepts_fixtures=True)
    assert ledger.standing(GRANT, NOW) is Standing.LIVE


def test_a_joint_grant_stands_only_while_every_member_does() -> None:
    joint = grant("g-joint", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-1"), GrantId("g-2"))))
    ledger = folded(joint, grant("g-1"))
    assert ledger.standing(GrantId("g-joint"), NOW) is Standing.NOT_LIVE
    ledger.apply_grant(grant("g-2", subject_id=SubjectId("s-2")))
    assert ledger.standing(GrantId("g-joint"), NOW) is Standing.LIVE
    ledger.apply_withdrawal(withdrawn(GrantId("g-2")))
    assert ledger.standing(GrantId("g-joint"), NOW) is Standing.NOT_LIVE


@pytest.mark.parametrize(
    ("asker", "first", "second"),
    [
        ("s-1", "s-1", "s-1"),  # Two grants of one person are one person: the second face would be a stranger's.
        ("s-9", "s-1", "s-2"),  # Whoever is not in the photo would be told of faces as if they were hers.
    ],
)
def test_a_joint_grant_is_one_persons_of_several_people(asker: str, first: str, second: str) -> None:
    binding = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-1"), GrantId("g-2")))
    members = [grant("g-1", subject_id=SubjectId(first)), grant("g-2", subject_id=SubjectId(second))]
    ledger = folded(grant("g-joint", subject_id=SubjectId(asker), binding=binding), *members)
    assert ledger.standing(GrantId("g-joint"), NOW) is Standing.NOT_LIVE


def test_sources_follow_the_newest_revision() -> None:
    old = SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/ada/")
    new = SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/countess/")
    ledger = folded(grant(GRANT, sources=(old,)), grant(GRANT, revision=2, sources=(new,)))

    def covering(url: str) -> list[str]:
        return [found.grant_id for found in ledger.covering(Asset(SourceKind.WEB_PAGE, final_url=url))]

    assert covering("https://site.example/ada/1.jpg") == []
    assert covering("https://site.example/countess/1.jpg") == [GRANT]


def test_a_source_that_two_grants_name_stays_named_when_one_of_them_turns_away() -> None:
    elsewhere = SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/countess/")
    ledger = folded(grant("g-1"), grant("g-2"), grant("g-1", revision=2, sources=(elsewhere,)))
    found = ledger.covering(Asset(SourceKind.WEB_PAGE, final_url="https://site.example/ada/1.jpg"))
    assert [one.grant_id for one in found] == ["g-2"]


def test_a_place_named_twice_over_in_one_grant_is_forgotten_once() -> None:
    twice = tuple(SourceRule(kind=SourceKindRule.URL_PREFIX, value=f"{scheme}://site.example/ada/") for scheme in ("http", "https"))
    elsewhere = SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/countess/")
    ledger = folded(grant(GRANT, sources=twice), grant(GRANT, revision=2, sources=(elsewhere,)))
    assert ledger.covering(Asset(SourceKind.WEB_PAGE, final_url="https://site.example/ada/1.jpg")) == []


def test_a_grant_is_in_force_from_its_first_moment() -> None:
    ledger = folded(grant(GRANT, not_before=NOW))
    assert ledger.standing(GRANT, NOW) is Standing.LIVE
    assert ledger.standing(GRANT, NOW - timedelta(microseconds=1)) is Standing.NOT_LIVE


def test_a_live_grant_is_given_and_one_that_does_not_stand_is_not() -> None:
    ledger = folded(grant(GRANT))
    assert ledger.live(GRANT, NOW) == grant(GRANT)
    assert ledger.live(GRANT, datetime(2027, 1, 1, tzinfo=UTC)) is None


def test_the_grants_of_a_person_are_hers_alone() -> None:
    ledger = folded(grant("g-2"), grant("g-1"), grant("g-3", subject_id=SubjectId("s-2")))
    assert [one.grant_id for one in ledger.grants_of(SubjectId("s-1"))] == ["g-1", "g-2"]
    assert ledger.grants_of(SubjectId("s-9")) == []


def test_what_could_not_be_read_is_told_apart_from_what_could() -> None:
    ledger = folded(grant(GRANT))
    assert not ledger.is_denied(GRANT)
    ledger.deny(GRANT)
    assert ledger.is_denied(GRANT)


def test_a_joint_grant_of_joint_grants_never_stands() -> None:
    """How many people those are is told by nothing that she confirmed."""
    pair = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-1"), GrantId("g-2")))
    inner = grant("g-pair", binding=pair)
    people = [grant("g-1"), grant("g-2", subject_id=SubjectId("s-2"))]
    outer = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-pair"), GrantId("g-2")))
    ledger = folded(*people, inner, grant("g-joint", binding=outer))
    assert ledger.standing(GrantId("g-pair"), NOW) is Standing.LIVE
    assert ledger.standing(GrantId("g-joint"), NOW) is Standing.NOT_LIVE


def test_the_members_of_a_joint_grant_are_all_of_them_or_none() -> None:
    joint = grant("g-joint", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-1"), GrantId("g-2"))))
    ledger = folded(joint, grant("g-1"))
    assert ledger.members(joint) == []
    ledger.apply_grant(grant("g-2", subject_id=SubjectId("s-2")))
    assert [member.grant_id for member in ledger.members(joint)] == ["g-1", "g-2"]
    assert ledger.members(grant("g-1")) == []


def test_of_two_withdrawals_the_earlier_one_counts_whichever_is_read_first() -> None:
    earlier, later = withdrawn(at=NOW - timedelta(days=1)), withdrawn(at=NOW)
    for order in permutations((earlier, later)):
        assert folded(grant(GRANT), *order).withdrawn_at(GRANT) == earlier.withdrawn_at


def test_the_end_is_the_earlier_of_withdrawal_and_expiry() -> None:
    ledger = folded(grant(GRANT), withdrawn(at=NOW - timedelta(days=1)), withdrawn(at=NOW))
    assert ledger.ended_at(GRANT) == NOW - timedelta(days=1)
    assert ledger.ended_at(GrantId("g-9")) is None
    assert folded(grant(GRANT)).ended_at(GRANT) == datetime(2027, 1, 1, tzinfo=UTC)
