"""Approvals: two people, these contents, this newest policy, this deployment, lately, once; whatever is doubtful does not count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.policies.approval import ApprovalError, Approvals, Proposed, Signature, approved
from tests.unit.grant_examples import NOW

ANNA, BEN, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
SIGNERS = {"anna": ANNA.public_key().public_bytes_raw().hex(), "ben": BEN.public_key().public_bytes_raw().hex()}
PROPOSED = Proposed("v2", "a" * 64, "b" * 64, "deployment-1")
MONTH = timedelta(days=30)


def file(*signatures: Signature, proposed: Proposed = PROPOSED) -> Approvals:
    return Approvals(
        version=proposed.version,
        policy_sha256=proposed.policy_sha256,
        base_sha256=proposed.base_sha256,
        deployment=proposed.deployment,
        signatures=signatures,
    )


def counted(approvals: Approvals | None, **changes: Any) -> tuple[str, ...]:
    rules: dict[str, Any] = {"signers": SIGNERS, "used": frozenset(), "now": NOW, "max_age": MONTH}
    return tuple(approval.signer for approval in approved(PROPOSED, approvals, **(rules | changes)))


def refused(approvals: Approvals | None, **changes: Any) -> str:
    with pytest.raises(ApprovalError) as caught:
        counted(approvals, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def signed(key: Ed25519PrivateKey, *, days: float = 0, proposed: Proposed = PROPOSED) -> Signature:
    return proposed.signed(key, at=NOW - timedelta(days=days))


def test_two_people_are_enough_in_either_order_and_the_file_reads_back() -> None:
    whole = file(signed(BEN), signed(ANNA, days=29))
    assert counted(whole) == ("anna", "ben")
    assert counted(Approvals.model_validate_json(whole.model_dump_json(by_alias=True))) == ("anna", "ben")


def test_a_stranger_beside_them_does_not_hurt() -> None:
    assert counted(file(signed(ANNA), signed(EVE), signed(BEN))) == ("anna", "ben")


@pytest.mark.parametrize(
    ("approvals", "told"),
    [
        (None, "there is none"),
        (file(), "those of nobody count"),
        (file(signed(ANNA)), "those of anna count"),
        (file(signed(ANNA), signed(ANNA, days=1)), "those of anna count"),
        (file(signed(ANNA), signed(EVE)), "belongs to none of the signers"),
        (file(signed(ANNA), signed(BEN, days=31)), "more than 30 days ago"),
        (file(signed(ANNA), signed(BEN, days=-1)), "yet to come; set the clocks"),
        (
            file(signed(ANNA), signed(BEN, proposed=Proposed("v2", "c" * 64, "b" * 64, "deployment-1"))),
            "the signature of ben does not hold",
        ),
        (
            file(signed(ANNA), signed(BEN, proposed=Proposed("v2", "a" * 64, "c" * 64, "deployment-1"))),
            "the signature of ben does not hold",
        ),
        (file(signed(ANNA), signed(BEN, proposed=Proposed("v2", "a" * 64, "b" * 64, "other"))), "the signature of ben does not hold"),
        (file(proposed=Proposed("v2", "c" * 64, "b" * 64, "deployment-1")), "the file was changed after it was signed"),
        (file(proposed=Proposed("v3", "a" * 64, "b" * 64, "deployment-1")), "the file was changed after it was signed"),
        (file(proposed=Proposed("v2", "a" * 64, "c" * 64, "deployment-1")), "look at the difference again"),
        (file(proposed=Proposed("v2", "a" * 64, "b" * 64, "other")), "are for the deployment other"),
    ],
)
def test_what_does_not_count_is_told(approvals: Approvals | None, told: str) -> None:
    assert told in refused(approvals)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.model_copy(update={"signed_at": NOW}),
        lambda one: one.model_copy(update={"public_key": SIGNERS["anna"]}),
        lambda one: one.model_copy(update={"signature": "0" * 128}),
    ],
    ids=["another time", "another person's key", "no signature"],
)
def test_nothing_of_a_signature_can_be_changed(change: Callable[[Signature], Signature]) -> None:
    """An old signature does not become new by its date, nor one person two."""
    assert "those of anna count" in refused(file(signed(ANNA), change(signed(BEN, days=31))))
    assert "those of anna count" in refused(
        file(signed(ANNA), change(signed(ANNA, days=1)).model_copy(update={"public_key": SIGNERS["ben"]}))
    )


def test_a_signature_counts_once() -> None:
    ours = signed(BEN)
    assert "was used before, and counts once" in refused(file(signed(ANNA), ours), used=frozenset({ours.signature}))


def test_who_is_no_signer_any_more_does_not_count() -> None:
    assert "those of anna count" in refused(file(signed(ANNA), signed(BEN)), signers={"anna": SIGNERS["anna"]})
    assert "those of nobody count" in refused(file(signed(ANNA), signed(BEN)), signers={})


def test_clocks_may_lie_some_minutes_apart_and_not_more() -> None:
    assert counted(file(signed(ANNA), signed(BEN, days=-5 / 1440))) == ("anna", "ben")
    assert "set the clocks" in refused(file(signed(ANNA), signed(BEN, days=-20 / 1440)))
