"""The gate over a folded ledger: where a picture may be is asked for everybody in it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.deciding.fold import DecisionFold
from assent.deciding.gate import INGEST, Gate
from assent.events.grants import BindingMode, FaceBinding, Residence
from assent.ids import GrantId, Jurisdiction, SubjectId
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
