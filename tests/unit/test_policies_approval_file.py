"""The files in which people sign and vouch: what stands in them, how long it may be; whatever is doubtful makes the file unreadable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assent.policies.approval import Approvals, Proposed
from assent.policies.signers import Vouches
from services.registry.policy_approvals import PolicyApprovalFileError, approvals_path, read_approvals, read_vouches, vouches_path
from tests.unit.grant_examples import NOW
from tests.unit.signer_examples import ANNA, BEN, public

PROPOSED = Proposed("v2", "a" * 64, "b" * 64, "deployment-1")
SIGNED = PROPOSED.signed(BEN, at=NOW)
SIGNATURE = {"public_key": public(BEN), "signed_at": "2026-06-01T12:00:00Z", "signature": SIGNED.signature}
FILES: dict[str, dict[str, Any]] = {
    "approvals": {
        "schema": "assent.policy-approval/1",
        "version": "v2",
        "policy_sha256": "a" * 64,
        "base_sha256": "b" * 64,
        "deployment": "deployment-1",
        "signatures": [SIGNATURE],
    },
    "vouches": {
        "schema": "assent.policy-signer/1",
        "public_key": public(ANNA),
        "deployment": "deployment-1",
        "signatures": [SIGNATURE],
    },
}
Read = Callable[..., Approvals | Vouches]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """As the registry reads the file of that kind, with other values in it; None takes a key away."""

    def read_with(kind: str, **changes: Any) -> Approvals | Vouches:
        beside = tmp_path / ("policy.yaml" if kind == "approvals" else "anna.pub")
        path = approvals_path(beside) if kind == "approvals" else vouches_path(beside)
        path.write_text(json.dumps({key: value for key, value in {**FILES[kind], **changes}.items() if value is not None}))
        found = read_approvals(beside) if kind == "approvals" else read_vouches(beside)
        assert found is not None
        return found

    return read_with


@pytest.mark.parametrize("kind", FILES)
def test_what_is_written_is_what_is_read(kind: str, read: Read) -> None:
    found = read(kind)
    assert json.loads(found.model_dump_json(by_alias=True)) == FILES[kind]
    # Who makes one names no schema, and it is the same one.
    assert read(kind, schema=None) == found
    assert read(kind, signatures=None) == found.model_copy(update={"signatures": ()})


def test_what_was_proposed_is_read_from_the_file(read: Read) -> None:
    found = read("approvals")
    assert isinstance(found, Approvals)
    assert (found.proposed, found.signatures) == (PROPOSED, (SIGNED,))


@pytest.mark.parametrize(
    ("kind", "key", "most"), [("approvals", "version", 60), ("approvals", "deployment", 100), ("vouches", "deployment", 100)]
)
def test_a_name_has_one_character_at_least_and_so_many_at_most(kind: str, key: str, most: int, read: Read) -> None:
    for length in (1, most):
        assert getattr(read(kind, **{key: "x" * length}), key) == "x" * length
    for length in (0, most + 1):
        with pytest.raises(PolicyApprovalFileError, match=f"{key}: "):
            read(kind, **{key: "x" * length})


@pytest.mark.parametrize("kind", FILES)
def test_sixteen_signatures_are_read_and_no_more(kind: str, read: Read) -> None:
    """A longer file would be verified signature by signature before anything else is done."""
    assert len(read(kind, signatures=[SIGNATURE] * 16).signatures) == 16
    with pytest.raises(PolicyApprovalFileError, match="signatures: "):
        read(kind, signatures=[SIGNATURE] * 17)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema": "assent.policy-approval/2"}, "schema: "),
        ({"schema": None, "schema_name": "assent.policy-approval/1"}, "schema_name: "),
        ({"schema": None, "schema_name": "assent.policy-signer/1"}, "schema_name: "),
        ({"reason": "urgent"}, "reason: "),
        ({"signatures": [SIGNATURE | {"name": "anna"}]}, "signatures.0.name: "),
        ({"signatures": [SIGNATURE | {"public_key": public(BEN).upper()}]}, "signatures.0.public_key: "),
        ({"signatures": [SIGNATURE | {"signature": SIGNED.signature.upper()}]}, "signatures.0.signature: "),
        ({"signatures": [SIGNATURE | {"signature": SIGNED.signature + "\n"}]}, "signatures.0.signature: "),
        ({"signatures": [SIGNATURE | {"signature": " " + SIGNED.signature}]}, "signatures.0.signature: "),
        ({"signatures": [SIGNATURE | {"signed_at": "2026-06-01T12:00:00"}]}, "signatures.0.signed_at: "),
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
def test_what_can_be_read_in_two_ways_is_not_read(kind: str, changes: dict[str, Any], told: str, read: Read) -> None:
    """A signature that was used is told by its digits: it must have one spelling, or it would count once more in another."""
    with pytest.raises(PolicyApprovalFileError) as caught:
        read(kind, **changes)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_written_over_what_was_signed(kind: str, read: Read) -> None:
    found = read(kind)
    for part in (found, found.signatures[0]):
        for key in type(part).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(part, key, getattr(part, key))
