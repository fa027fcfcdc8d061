"""What is held stays while it is granted, named by everybody in it, and while no clock of its places has run out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.consent.asset import Asset
from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.events.fetched_from import FetchedFrom
from assent.events.grants import (
    BindingMode,
    FaceBinding,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    Operation,
    Residence,
    SourceKindRule,
    SourceRule,
    SuppressionAdded,
)
from assent.events.images import SourceKind
from assent.geofence.policy import Policy
from assent.ids import GrantId, ImageId, Jurisdiction, SubjectId
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.testing.fake_clock import FakeClock
from tests.unit.grant_examples import CA_BC, NOW, folder, grant
from tests.unit.held_examples import Held
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped
from tests.unit.rule_tables import least_basis, least_grant


def test_a_face_stays_while_its_source_and_storing_are_granted(tmp_path: Path) -> None:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    names, held = ImageIds(DeploymentKeys.load_or_create(tmp_path)), grant("g-1")
    gate, (rule,) = Gate(fold, FakeClock(NOW), names), held.sources
    source = names.source_name(rule.kind.value, rule.value)
    other = SourceRule(kind=SourceKindRule.IMAGE_URL, value=rule.value)
    assert not gate.may_stay(held.grant_id, source=source, fetched=())
    for revision, changes, stays, stays_unnamed in (
        (1, {}, True, True),
        (2, {"sources": (other, rule)}, True, True),
        (3, {"sources": (other,)}, False, True),
        (4, {"operations": (Operation.SEARCH,)}, False, False),
        (5, {"state": GrantState.REVOKED}, False, False),
    ):
        fold.ledger.apply_grant(grant("g-1", revision=revision, **changes))
        told = gate.may_stay(held.grant_id, source=source, fetched=()), gate.may_stay(held.grant_id, source=None, fetched=())
        assert told == (stays, stays_unnamed), changes
    fold.ledger.apply_grant(grant("g-1", revision=6))
    assert not Gate(fold, FakeClock(NOW)).may_stay(held.grant_id, source=source, fetched=()), (
        "who knows no names keeps nothing that has one"
    )
    assert gate.keeps(held.grant_id, source=source, fetched=(), image_id=ImageId("image"))
    assert not gate.keeps(held.grant_id, source="another", fetched=(), image_id=ImageId("image"))
    assert not gate.keeps(GrantId("g-2"), source=source, fetched=(), image_id=ImageId("image"))
    fold.suppressions.add(SuppressionAdded(suppression_key="key", added_at=NOW, image_id=ImageId("image")))
    assert not gate.keeps(held.grant_id, source=source, fetched=(), image_id=ImageId("image"))
    assert gate.keeps(held.grant_id, source=source, fetched=(), image_id=ImageId("another image"))
    assert gate.may_stay(held.grant_id, source=source, fetched=())


def test_a_face_of_a_joint_grant_stays_while_each_of_its_people_grants_storing() -> None:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    joint = grant("g-1", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))
    for held in (joint, grant("g-2"), grant("g-3", subject_id=SubjectId("s-3"))):
        fold.ledger.apply_grant(held)
    gate = Gate(fold, FakeClock(NOW))
    assert gate.may_stay(joint.grant_id, source=None, fetched=())
    fold.ledger.apply_grant(grant("g-3", revision=2, subject_id=SubjectId("s-3"), operations=(Operation.SEARCH, Operation.DISCLOSE)))
    assert gate.live(joint.grant_id) is not None
    assert not gate.may_stay(joint.grant_id, source=None, fetched=())
    assert gate.may_stay(GrantId("g-2"), source=None, fetched=())


MORE = folder("https://site.example/ada/private/")
PORTRAIT = SourceRule(kind=SourceKindRule.IMAGE_URL, value="https://site.example/ada/1.jpg")
FILE = SourceRule(kind=SourceKindRule.ASSET_SHA256, value="a" * 64)
FOLDER = folder("https://site.example/ada/")


@pytest.mark.parametrize(
    ("of_joint", "of_member", "by_member", "stays"),
    [
        (FOLDER, (FOLDER,), (), True),
        (FOLDER, (folder("http://site.example/ada/", control_until=None),), (), True),
        (MORE, (FOLDER,), (), True),
        (PORTRAIT, (FOLDER,), (), True),
        (PORTRAIT, (PORTRAIT,), (), True),
        (FILE, (FILE,), (), True),
        (FOLDER, (MORE, PORTRAIT), (), False),
        (FOLDER, (SourceRule(kind=SourceKindRule.IMAGE_URL, value="https://site.example/ada/"),), (), False),
        (PORTRAIT, (MORE, FILE), (), False),
        (FILE, (FOLDER,), (), False),
        (FILE, (FOLDER,), (FOLDER, FOLDER), True),
        (FOLDER, (PORTRAIT,), (FOLDER, PORTRAIT), True),
        (FOLDER, (FOLDER,), (FOLDER, PORTRAIT), False),
        (FOLDER, (FOLDER,), (FOLDER,), False),
        (FOLDER, (FOLDER,), (FOLDER, FOLDER, FOLDER), False),
    ],
    ids=[
        "the same folder",
        "the same under the other scheme",
        "a folder within hers",
        "a picture in her folder",
        "the same picture",
        "the same file",
        "she names less",
        "she names the page of the folder",
        "she names something else",
        "a file that may lie in her folder",
        "a file that was in her folder",
        "a picture of the folder that she names",
        "she took the picture out and left the folder",
        "one of them named nothing",
        "more names than people",
    ],
)
def test_a_face_of_a_joint_grant_stays_while_the_own_grant_of_each_of_its_people_names_its_picture(
    tmp_path: Path, of_joint: SourceRule, of_member: tuple[SourceRule, ...], by_member: tuple[SourceRule, ...], stays: bool
) -> None:
    """By the source that named it there, where that was kept; else hers must name whatever the joint grant's names."""
    names = ImageIds(DeploymentKeys.load_or_create(tmp_path))

    def named(rule: SourceRule) -> str:
        return names.source_name(rule.kind.value, rule.value)

    both = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))
    holder = grant("g-2", sources=(FOLDER, FILE))
    other = grant("g-3", subject_id=SubjectId("s-3"), sources=of_member)
    fold = Held()
    for held in (grant("g-1", binding=both, sources=(of_joint,)), holder, other):
        fold.ledger.apply_grant(held)
    gate = Gate(fold, FakeClock(NOW), names)
    fetched = FetchedFrom(source=named(of_joint), at=NOW, members=tuple(named(rule) for rule in by_member))
    assert gate.may_stay(GrantId("g-1"), source=fetched.source, fetched=(fetched,)) is stays
    if not by_member:
        assert gate.may_stay(GrantId("g-1"), source=fetched.source, fetched=()) is stays
    assert gate.may_stay(GrantId("g-1"), source=None, fetched=()), "of a release that did not keep the source"


def test_what_the_holder_sent_under_a_joint_grant_stays_only_if_it_was_kept_what_the_others_named_it_by(tmp_path: Path) -> None:
    names = ImageIds(DeploymentKeys.load_or_create(tmp_path))
    sent, own = (SourceRule(kind=SourceKindRule.UPLOAD, value=grant_id) for grant_id in ("g-1", "g-2"))
    both = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))
    fold = Held()
    for held in (grant("g-1", binding=both, sources=(sent,)), grant("g-2", sources=(own,)), grant("g-3", subject_id=SubjectId("s-3"))):
        fold.ledger.apply_grant(held.model_copy(update={"sources": (FILE,)}) if held.grant_id == "g-3" else held)
    gate = Gate(fold, FakeClock(NOW), names)
    photo = Asset(SourceKind.UPLOAD, sha256=FILE.value, upload_grant_id=GrantId("g-1"))
    assert gate.member_sources(fold.ledger.members(grant("g-1", binding=both))[0], photo) == ()
    assert gate.member_sources(grant("g-1", binding=both, sources=(sent,)), photo) == (own, FILE)
    named = FetchedFrom(source=names.source_name(sent.kind.value, sent.value), at=NOW)
    by_each = named.model_copy(update={"members": tuple(names.source_name(rule.kind.value, rule.value) for rule in (own, FILE))})
    assert [gate.may_stay(GrantId("g-1"), source=None, fetched=(one,)) for one in (named, by_each)] == [False, True]


HEARD = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = {"US_TX": {"with_grant": EVERY_OPERATION, "consent": {"last_interaction_cap_days": 365}}}


def stays_after(days: timedelta, *held: GrantSnapshot, policy: Policy | None) -> bool:
    """Whether a face of the first of these grants may stay that long after the first day."""
    state = Held(policy=policy)
    for each in held:
        state.ledger.apply_grant(each)
    gate, grant_id = Gate(state, FakeClock(HEARD + days)), held[0].grant_id
    assert gate.live(grant_id) is not None
    assert not gate.is_retention_over(GrantId("nobody's"))
    assert gate.is_retention_over(grant_id) is not gate.may_stay(grant_id, source=None, fetched=())
    assert gate.keeps(grant_id, source=None, fetched=(), image_id=ImageId("image")) is gate.may_stay(grant_id, source=None, fetched=())
    return gate.may_stay(grant_id, source=None, fetched=())


def heard_once(*places: str, **changes: Any) -> GrantSnapshot:
    """A grant that goes on for years, of somebody who was last heard of on the first day."""
    return least_grant(*places, not_before=HEARD, expires_at=HEARD + timedelta(days=3000), last_interaction_at=HEARD, **changes)


@pytest.mark.parametrize(
    ("place", "policy", "days"),
    [("US-IL", shipped(), 1095), ("CA-BC", shipped(), 1095), ("US-TX", policy_with(**YEAR), 365)],
    ids=["three years in Illinois", "three years in British Columbia", "a year in Texas where the policy says so"],
)
def test_il_1_and_tx_1_nothing_stays_when_the_clock_of_its_place_has_run_out(place: str, policy: Policy, days: int) -> None:
    held = heard_once(place)
    assert stays_after(timedelta(days=days), held, policy=policy)
    assert not stays_after(timedelta(days=days, microseconds=1), held, policy=policy)
    assert not stays_after(timedelta(days=days + 1), held, policy=policy)
    heard_again = held.model_copy(update={"last_interaction_at": HEARD + timedelta(days=1)})
    assert stays_after(timedelta(days=days + 1), heard_again, policy=policy)
    assert stays_after(timedelta(days=days + 1), held, policy=None), "without a policy no clock is known, and nothing is erased for one"


@pytest.mark.parametrize(
    "changes",
    [
        {"residences": (Residence(jurisdiction=Jurisdiction("CA-BC")), Residence(jurisdiction=Jurisdiction("US-TX")))},
        {"legal": (least_basis("CA-BC"), least_basis("US-TX"))},
        {"scope": GeographicScope(collect_in=(CA_BC, Jurisdiction("US-TX")), store_in=(CA_BC,), disclose_in=(CA_BC,))},
        {"scope": GeographicScope(collect_in=(CA_BC,), store_in=(CA_BC, Jurisdiction("US-TX")), disclose_in=(CA_BC,))},
        {"scope": GeographicScope(collect_in=(CA_BC,), store_in=(CA_BC,), disclose_in=(CA_BC, Jurisdiction("US-TX")))},
    ],
    ids=["she lives there too", "a form for it", "collected there", "stored there", "disclosed there"],
)
def test_il_1_the_first_clock_that_runs_out_counts_of_every_place_of_the_grant(changes: dict[str, Any]) -> None:
    assert stays_after(timedelta(days=365), heard_once("CA-BC", **changes), policy=policy_with(**YEAR))
    assert not stays_after(timedelta(days=366), heard_once("CA-BC", **changes), policy=policy_with(**YEAR))
    assert stays_after(timedelta(days=366), heard_once("CA-BC"), policy=policy_with(**YEAR))


def test_il_1_each_person_of_a_joint_grant_has_a_clock_of_her_own() -> None:
    lately = HEARD + timedelta(days=700)
    joint = heard_once("CA-BC", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))
    joint = joint.model_copy(update={"last_interaction_at": lately})
    hers = heard_once("CA-BC", grant_id=GrantId("g-2")).model_copy(update={"last_interaction_at": lately})
    silent = heard_once("CA-BC", grant_id=GrantId("g-3"), subject_id=SubjectId("s-3"))
    assert stays_after(timedelta(days=1095), joint, hers, silent, policy=shipped())
    assert not stays_after(timedelta(days=1096), joint, hers, silent, policy=shipped())
