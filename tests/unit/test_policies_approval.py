"""Approvals: two people, these contents, this newest policy, this deployment, lately, once; whatever is doubtful does not count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.policies.approval import ApprovalError, Approvals, Proposed, Signature, approved
from assent.policies.signers import Vouches
from tests.unit.grant_examples import NOW
from tests.unit.signer_examples import ANNA, BEN, EVE, public, signed_by_hand

SIGNERS = {"anna": public(ANNA), "ben": public(BEN)}
PROPOSED = Proposed("v2", "0123456789abcdef" * 4, "fedcba9876543210" * 4, "deployment-1")
CHANGED, MOVED, ELSEWHERE = (
    replace(PROPOSED, policy_sha256="a1b2c3d4e5f60718" * 4),
    replace(PROPOSED, base_sha256="99aabbccddeeff00" * 4),
    replace(PROPOSED, deployment="other"),
)
MONTH = timedelta(days=30)
TICK = timedelta(microseconds=1)
ORDER_OF_THE_CURVE = 2**252 + 27742317777372353535851937790883648493


def file(*signatures: Signature, proposed: Proposed = PROPOSED) -> Approvals:
    return Approvals(
        version=proposed.version,
        policy_sha256=proposed.policy_sha256,
        base_sha256=proposed.base_sha256,
        deployment=proposed.deployment,
        signatures=signatures,
    )


def counted(approvals: Approvals | None, **changes: Any) -> tuple[str, ...]:
    rules: dict[str, Any] = {"signers": SIGNERS, "used": frozenset(), "since": None, "now": NOW, "max_age": MONTH}
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
        (file(signed(ANNA), signed(EVE)), "; the key ed4928c628d1 belongs to none of the signers"),
        (file(signed(ANNA), signed(BEN, days=31)), "more than 30 days ago"),
        (file(signed(ANNA), signed(BEN, days=-1)), "yet to come; set the clocks"),
        (file(signed(ANNA), signed(BEN, proposed=CHANGED)), "the signature of ben does not hold"),
        (file(signed(ANNA), signed(BEN, proposed=MOVED)), "the signature of ben does not hold"),
        (file(signed(ANNA), signed(BEN, proposed=ELSEWHERE)), "the signature of ben does not hold"),
        (file(proposed=replace(PROPOSED, version="v3")), "the file was changed after it was signed"),
    ],
)
def test_what_does_not_count_is_told(approvals: Approvals | None, told: str) -> None:
    assert told in refused(approvals)


@pytest.mark.parametrize(
    ("proposed", "told"),
    [
        (
            CHANGED,
            "for policy v2 with digest a1b2c3d4e5f6, and this one is v2 with 0123456789ab: the file was changed",
        ),
        (MOVED, "signed when 99aabbccddee was the newest policy, and now it is fedcba987654; look at the difference again"),
        (ELSEWHERE, "are for the deployment other, and this is deployment-1; sign it for this"),
    ],
    ids=["other contents", "another newest policy", "elsewhere"],
)
def test_approvals_of_something_else_say_of_what(proposed: Proposed, told: str) -> None:
    """Two people signed, and what they signed is not this. Both digests are told as `assent policy diff` writes them."""
    assert told in refused(file(signed(ANNA, proposed=proposed), signed(BEN, proposed=proposed), proposed=proposed))


def test_what_a_person_signs_is_the_change_with_her_key_and_the_time() -> None:
    """The same for whoever signs with another program, and in each release: a signature that lies beside a file goes on counting."""

    def by_hand(key: Ed25519PrivateKey) -> Signature:
        said = {
            "base_sha256": PROPOSED.base_sha256,
            "deployment": "deployment-1",
            "policy_sha256": PROPOSED.policy_sha256,
            "public_key": public(key),
            "signed_at": "2026-06-01T12:00:00+00:00",
            "version": "v2",
        }
        return signed_by_hand(key, b"assent policy approval v1\n", said, NOW)

    assert counted(file(by_hand(ANNA), by_hand(BEN))) == ("anna", "ben")
    assert signed(ANNA) == by_hand(ANNA)


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


def again(one: Signature) -> Signature:
    """The same signature in other digits: its second number, and once around the curve."""
    first, second = one.signature[:64], int.from_bytes(bytes.fromhex(one.signature[64:]), "little")
    return one.model_copy(update={"signature": first + (second + ORDER_OF_THE_CURVE).to_bytes(32, "little").hex()})


def vouch_of_ben() -> Signature:
    return Vouches(public_key=public(EVE), deployment=PROPOSED.deployment).vouched(BEN, at=NOW).signatures[0]


@pytest.mark.parametrize(
    "second",
    [
        signed(BEN).model_copy(update={"signature": "not in hex"}),
        again(signed(BEN)),
        vouch_of_ben(),
        signed(BEN).model_copy(update={"signed_at": NOW.astimezone(timezone(timedelta(hours=2)))}),
    ],
    ids=["no digits", "in other digits", "his word for a newcomer", "written with another zone"],
)
def test_one_person_makes_no_second_signature_of_what_she_finds(second: Signature) -> None:
    assert "those of anna count" in refused(file(signed(ANNA), second))


def test_a_person_under_two_names_is_one() -> None:
    both = {"anna": public(ANNA), "another": public(ANNA)}
    assert "and those of another count" in refused(file(signed(ANNA), signed(ANNA, days=1)), signers=both)


def test_what_was_signed_for_an_earlier_publication_of_the_very_policy_counts_no_more_also_by_a_clock_that_is_ahead() -> None:
    both = file(signed(ANNA), signed(BEN))
    assert counted(both, since=NOW - timedelta(minutes=10)) == ("anna", "ben")
    told = refused(both, since=NOW - timedelta(minutes=10) + TICK)
    assert (
        f"that of ben is of {NOW:%Y-%m-%d %H:%M} UTC, and this very policy was published at 2026-06-01 11:50 UTC; "
        "sign it again, not before 2026-06-01 12:01 UTC" in told
    )
    assert "those of anna count" in refused(file(signed(ANNA), PROPOSED.signed(BEN, at=NOW - TICK)), since=NOW - timedelta(minutes=10))


@pytest.mark.parametrize(
    ("second", "told"), [(0, "2026-06-01 00:05"), (1, "2026-06-01 00:06"), (59, "2026-06-01 00:06")], ids=["whole", "after", "nearly"]
)
def test_the_time_that_is_told_to_sign_at_counts_and_has_its_day(second: int, told: str) -> None:
    """By seconds that are not told it would be too early, and without a day it might be another's."""
    since = datetime(2026, 5, 31, 23, 55, second, tzinfo=UTC)
    in_moscow = PROPOSED.signed(BEN, at=datetime(2026, 6, 1, 3, 4, tzinfo=timezone(timedelta(hours=3))))
    words = refused(file(signed(ANNA), in_moscow), since=since)
    assert "that of ben is of 2026-06-01 03:04 UTC+03:00, and this very policy was published at 2026-05-31 23:55 UTC; " in words
    assert f"; sign it again, not before {told} UTC; see" in words
    in_time = PROPOSED.signed(BEN, at=datetime.fromisoformat(f"{told}+00:00"))
    assert counted(file(signed(ANNA), in_time), since=since) == ("anna", "ben")


def test_every_signature_that_counts_is_used_up_with_the_first_of_its_person() -> None:
    """Spare ones in the same file would open once more what was closed in between."""
    spare = [signed(ANNA, days=-5 / 1440), signed(BEN, days=-5 / 1440)]
    whole = file(signed(ANNA), signed(BEN), *spare, signed(ANNA))
    found = approved(PROPOSED, whole, signers=SIGNERS, used=frozenset(), since=None, now=NOW, max_age=MONTH)
    assert [(approval.signer, approval.signature) for approval in found] == [
        ("anna", signed(ANNA)),
        ("anna", spare[0]),
        ("ben", signed(BEN)),
        ("ben", spare[1]),
    ]
    used = frozenset(approval.signature.signature for approval in found)
    assert "those of nobody count" in refused(whole, used=used)


def test_a_signature_counts_once() -> None:
    ours = signed(BEN)
    assert "was used before, and counts once" in refused(file(signed(ANNA), ours), used=frozenset({ours.signature}))


def test_who_is_no_signer_any_more_does_not_count() -> None:
    assert "those of anna count" in refused(file(signed(ANNA), signed(BEN)), signers={"anna": SIGNERS["anna"]})
    assert "those of nobody count" in refused(file(signed(ANNA), signed(BEN)), signers={})


def test_a_month_and_ten_minutes_are_counted_to_the_end_and_not_beyond() -> None:
    """Clocks of two people may lie ten minutes apart; what was signed a month ago is old the moment after."""

    def at(when: datetime) -> Approvals:
        return file(signed(ANNA), PROPOSED.signed(BEN, at=when))

    ahead = timedelta(minutes=10)
    assert counted(at(NOW + ahead)) == counted(at(NOW - MONTH)) == ("anna", "ben")
    assert "that of ben is of 2026-06-01 12:10 UTC, which is yet to come; set the clocks" in refused(at(NOW + ahead + TICK))
    assert "that of ben is of 2026-05-02, more than 30 days ago" in refused(at(NOW - MONTH - TICK))
