"""The gate over a folded ledger: where a picture may be is asked for everybody in it."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.deciding.fold import DecisionFold
from assent.deciding.gate import INGEST, Gate
from assent.events.grants import BindingMode, FaceBinding, GrantState, Operation, Residence, SourceKindRule, SourceRule
from assent.ids import GrantId, Jurisdiction, SubjectId
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.testing.fake_clock import FakeClock
from tests.unit.grant_examples import NOW, grant
from tests.unit.policy_examples import shipped


def test_the_places_of_everybody_in_a_joint_photo_count() -> None:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    fold.policy = shipped()
    joint = grant("g-1", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))
    elsewhere = (Residence(jurisdiction=Jurisdiction("CA-QC")),)
    for held in (joint, grant("g-2"), grant("g-3", subject_id=SubjectId("s-3"), residences=elsewhere)):
        fold.ledger.apply_grant(held)
    gate = Gate(fold, FakeClock(NOW))
    assert gate.locate(grant("g-2"), (), INGEST).rules == ()
    found = gate.locate(joint, (), INGEST)
    assert found.candidates == ("CA-BC", "CA-QC")
    assert "QC-3" in found.rules


def test_a_face_stays_while_its_source_and_storing_are_granted(tmp_path: Path) -> None:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    names, held = ImageIds(DeploymentKeys.load_or_create(tmp_path)), grant("g-1")
    gate, (rule,) = Gate(fold, FakeClock(NOW), names), held.sources
    source = names.source_name(rule.kind.value, rule.value)
    other = SourceRule(kind=SourceKindRule.IMAGE_URL, value=rule.value)
    assert not gate.may_stay(held.grant_id, source=source)
    for revision, changes, stays, stays_unnamed in (
        (1, {}, True, True),
        (2, {"sources": (other, rule)}, True, True),
        (3, {"sources": (other,)}, False, True),
        (4, {"operations": (Operation.SEARCH,)}, False, False),
        (5, {"state": GrantState.REVOKED}, False, False),
    ):
        fold.ledger.apply_grant(grant("g-1", revision=revision, **changes))
        told = gate.may_stay(held.grant_id, source=source), gate.may_stay(held.grant_id, source=None)
        assert told == (stays, stays_unnamed), changes
    fold.ledger.apply_grant(grant("g-1", revision=6))
    assert not Gate(fold, FakeClock(NOW)).may_stay(held.grant_id, source=source), "who knows no names keeps nothing that has one"


def test_a_face_of_a_joint_grant_stays_while_each_of_its_people_grants_storing() -> None:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    joint = grant("g-1", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))
    for held in (joint, grant("g-2"), grant("g-3", subject_id=SubjectId("s-3"))):
        fold.ledger.apply_grant(held)
    gate = Gate(fold, FakeClock(NOW))
    assert gate.may_stay(joint.grant_id, source=None)
    fold.ledger.apply_grant(grant("g-3", revision=2, subject_id=SubjectId("s-3"), operations=(Operation.SEARCH, Operation.DISCLOSE)))
    assert gate.live(joint.grant_id) is not None
    assert not gate.may_stay(joint.grant_id, source=None)
    assert gate.may_stay(GrantId("g-2"), source=None)
