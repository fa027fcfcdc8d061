"""The files in which people sign and vouch: what stands in them, how long it may be; whatever is doubtful makes the file unreadable."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from assent.policies.approval import Approvals, Proposed, Signature
from assent.policies.signers import Vouches
from tests.unit.grant_examples import NOW
from tests.unit.signer_examples import ANNA, BEN, public

PROPOSED = Proposed("v2", "a" * 64, "b" * 64, "deployment-1")
SIGNED = PROPOSED.signed(BEN, at=NOW)
SIGNATURE = {"public_key": public(BEN), "signed_at": "2026-06-01T12:00:00Z", "signature": SIGNED.signature}
APPROVALS: dict[str, Any] = {
    "schema": "assent.policy-approval/1",
    "version": "v2",
    "policy_sha256": "a" * 64,
    "base_sha256": "b" * 64,
    "deployment": "deployment-1",
    "signatures": [SIGNATURE],
}
VOUCHES: dict[str, Any] = {
    "schema": "assent.policy-signer/1",
    "public_key": public(ANNA),
    "deployment": "deployment-1",
    "signatures": [SIGNATURE],
}
KINDS: dict[str, tuple[type[BaseModel], dict[str, Any]]] = {"approvals": (Approvals, APPROVALS), "vouches": (Vouches, VOUCHES)}


def read(kind: str, **changes: Any) -> BaseModel:
    """The file with other values; None takes the key away."""
    model, known = KINDS[kind]
    written = {key: value for key, value in {**known, **changes}.items() if value is not None}
    return model.model_validate_json(json.dumps(written))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_is_read(kind: str) -> None:
    found = read(kind)
    assert json.loads(found.model_dump_json(by_alias=True)) == KINDS[kind][1]
    # Who makes one names no schema, and it is the same one.
    assert read(kind, schema=None) == found
    assert read(kind, signatures=None) == found.model_copy(update={"signatures": ()})


def test_what_was_proposed_is_read_from_the_file() -> None:
    found = read("approvals")
    assert isinstance(found, Approvals)
    assert (found.proposed, found.signatures) == (PROPOSED, (SIGNED,))


@pytest.mark.parametrize(
    ("kind", "key", "most"), [("approvals", "version", 60), ("approvals", "deployment", 100), ("vouches", "deployment", 100)]
)
def test_a_name_has_one_character_at_least_and_so_many_at_most(kind: str, key: str, most: int) -> None:
    for length in (1, most):
        assert getattr(read(kind, **{key: "x" * length}), key) == "x" * length
    for length in (0, most + 1):
        with pytest.raises(ValidationError, match=key):
            read(kind, **{key: "x" * length})


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_signatures_are_read_and_no_more(kind: str) -> None:
    """A file of any length would be verified signature by signature before anything else is done."""
    assert len(read(kind, signatures=[SIGNATURE] * 16).model_dump()["signatures"]) == 16
    with pytest.raises(ValidationError, match="signatures"):
        read(kind, signatures=[SIGNATURE] * 17)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "assent.policy-approval/2"},
        {"schema": None, "schema_name": "assent.policy-approval/1"},
        {"schema": None, "schema_name": "assent.policy-signer/1"},
        {"reason": "urgent"},
        {"signatures": [SIGNATURE | {"name": "anna"}]},
        {"signatures": [SIGNATURE | {"public_key": public(BEN).upper()}]},
        {"signatures": [SIGNATURE | {"signature": SIGNED.signature.upper()}]},
        {"signatures": [SIGNATURE | {"signature": SIGNED.signature + "\n"}]},
        {"signatures": [SIGNATURE | {"signature": " " + SIGNED.signature}]},
        {"signatures": [SIGNATURE | {"signed_at": "2026-06-01T12:00:00"}]},
    ],
    ids=[
        "a later form",
        "the schema under another name",
        "the other schema under another name",
        "a key that nobody knows",
        "a name beside a key",
        "a key in capitals",
        "a signature in capitals",
        "a line after a signature",
        "a space before a signature",
        "a time without a zone",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(kind: str, changes: dict[str, Any]) -> None:
    """A signature that was used is told by its digits: it must have one spelling, or it would count once more in another."""
    with pytest.raises(ValidationError):
        read(kind, **changes)


@pytest.mark.parametrize(
    "part",
    [lambda: read("approvals"), lambda: read("vouches"), lambda: SIGNED],
    ids=["approvals", "vouches", "a signature"],
)
def test_nothing_is_written_over_what_was_signed(part: Callable[[], Approvals | Vouches | Signature]) -> None:
    found = part()
    for key in type(found).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(found, key, getattr(found, key))
