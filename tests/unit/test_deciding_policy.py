"""Which policy is in force: the newest that the registry signed, whatever of it is put on the log again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.deciding.fold import DecisionFold, UntrustedPolicyError
from assent.events.envelope import Event, encode
from assent.events.grants import Operation, PolicyPublished
from assent.events.record import StoredRecord
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import policy_with, shipped

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
OPEN = shipped()
CLOSED = policy_with(CA_BC={"with_grant": []})
LATER = NOW + timedelta(days=1)


def published(policy: Policy, at: datetime, *, key: Ed25519PrivateKey = KEY, is_dated: bool = True) -> PolicyPublished:
    """As the registry publishes it; undated as releases before did."""
    document = policy.canonical_json()
    digest = hashlib.sha256(document.encode()).hexdigest()
    fields = {"version": policy.version, "document": document, "sha256": digest, "key_id": "k", "published_at": at}
    plain = PolicyPublished(**fields, signature=key.sign(digest.encode()))
    return plain.model_copy(update={"signature": key.sign(plain.signed_bytes())}) if is_dated else plain


def folded(records: Sequence[PolicyPublished]) -> DecisionFold:
    fold = DecisionFold(policy_key=KEY.public_key(), grant_key=KEY.public_key())
    for offset, data in enumerate(records):
        record = encode(Event(f"e-{offset}", "/assent/registry", NOW, data))
        fold.apply(StoredRecord(record.topic, 0, offset, 0, record.key, record.value, record.headers))
    return fold


def is_open(fold: DecisionFold) -> bool:
    assert fold.policy is not None
    return fold.policy.rules_for(Jurisdiction("CA-BC")).closed_by(Operation.COLLECT, NOW) is None


def test_an_older_policy_that_is_put_on_the_log_again_opens_nothing() -> None:
    for older in (published(OPEN, NOW), published(OPEN, NOW, is_dated=False), published(OPEN, LATER + timedelta(1), is_dated=False)):
        fold = folded([older, published(CLOSED, LATER), older])
        assert (is_open(fold), fold.unreadable) == (False, {"policies": 1})


def test_a_newer_one_and_an_earlier_document_published_anew_come_into_force() -> None:
    assert is_open(folded([published(CLOSED, NOW), published(OPEN, LATER)]))
    assert is_open(folded([published(OPEN, NOW), published(CLOSED, LATER), published(OPEN, LATER + timedelta(seconds=1))]))
    assert not is_open(folded([published(OPEN, NOW, is_dated=False), published(CLOSED, NOW, is_dated=False)]))


def test_the_same_one_again_is_nothing_strange() -> None:
    fold = folded([published(OPEN, NOW), published(OPEN, NOW)])
    assert (is_open(fold), fold.unreadable) == (True, {})


def test_the_time_is_signed() -> None:
    for forged in (
        published(OPEN, NOW).model_copy(update={"published_at": LATER + timedelta(days=1)}),
        published(OPEN, LATER + timedelta(days=1), key=OTHER),
        published(CLOSED, LATER).model_copy(update={"document": OPEN.canonical_json()}),
        published(OPEN, LATER).model_copy(update={"signature": b""}),
    ):
        with pytest.raises(UntrustedPolicyError):
            folded([published(CLOSED, LATER), forged])


@settings(deadline=None)
@given(st.permutations([published(OPEN, NOW), published(CLOSED, LATER), published(OPEN, NOW), published(OPEN, NOW, is_dated=False)]))
def test_no_order_or_repetition_brings_an_older_one_back(records: list[PolicyPublished]) -> None:
    assert not is_open(folded(records))
