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


def test_the_end_is_the_earlier_of_withdrawal_and_expiry() -> None:
    ledger = folded(grant(GRANT), withdrawn(at=NOW - timedelta(days=1)), withdrawn(at=NOW))
    assert ledger.ended_at(GRANT) == NOW - timedelta(days=1)
    assert ledger.ended_at(GrantId("g-9")) is None
    assert folded(grant(GRANT)).ended_at(GRANT) == datetime(2027, 1, 1, tzinfo=UTC)
