"""Signers: the first are as they were named, later ones take the word of two who may sign; one person alone brings in nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.policies.approval import Proposed
from assent.policies.signers import Signers, Vouches
from tests.unit.grant_examples import NOW
from tests.unit.signer_examples import ANNA, BEN, EVE, MALLORY, public, signed_by_hand

HERE = "deployment-1"
NAMED = {"anna": public(ANNA), "ben": public(BEN)}
WITH_EVE = NAMED | {"eve": public(EVE)}
KNOWN = frozenset(NAMED.values())


def words(*vouchers: Ed25519PrivateKey, of: Ed25519PrivateKey = EVE, deployment: str = HERE) -> Vouches:
    """The file beside a newcomer's key after each of these has vouched."""
    vouches = Vouches(public_key=public(of), deployment=deployment)
    for key in vouchers:
        vouches = vouches.vouched(key, at=NOW)
    return vouches


def counting(beside_eve: Vouches | None, named: dict[str, str] = WITH_EVE, known: frozenset[str] = KNOWN) -> set[str]:
    """Who may sign with this file beside the key of Eve."""
    vouches = {} if beside_eve is None else {public(EVE): beside_eve}
    found = Signers(named, vouches).that_count(known, deployment=HERE)
    assert found.items() <= named.items()
    return set(found)


def changed(vouches: Vouches, **changes: Any) -> Vouches:
    """Each of the signatures written over."""
    return vouches.model_copy(update={"signatures": tuple(item.model_copy(update=changes) for item in vouches.signatures)})


@pytest.mark.parametrize(
    "known",
    [frozenset[str](), frozenset({public(ANNA)}), frozenset({public(MALLORY)})],
    ids=["nobody", "one of them", "one who has gone"],
)
def test_until_two_are_known_whoever_is_named_counts(known: frozenset[str]) -> None:
    assert counting(None, known=known) == {"anna", "ben", "eve"}


def test_two_who_may_sign_let_a_newcomer_in_and_only_her() -> None:
    assert counting(words(ANNA, BEN)) == {"anna", "ben", "eve"}
    assert counting(words(ANNA, BEN), named=WITH_EVE | {"mallory": public(MALLORY)}) == {"anna", "ben", "eve"}
    # Three may vouch, and a stranger's word beside theirs takes nothing away.
    assert counting(words(MALLORY, BEN, EVE, ANNA)) == {"anna", "ben", "eve"}


PROPOSAL = Proposed("v2", "a" * 64, "b" * 64, HERE)
ONE_ALONE: dict[str, Vouches | None] = {
    "a key and no word": None,
    "a file without a word": words(),
    "one word": words(ANNA),
    "one word twice": words(ANNA, ANNA),
    "her own word beside it": words(ANNA, EVE),
    "the word of another newcomer": words(ANNA, MALLORY),
    "words of two newcomers": words(EVE, MALLORY),
    "words for another": words(ANNA, BEN, of=MALLORY),
    "words for another under her key": words(ANNA, BEN, of=MALLORY).model_copy(update={"public_key": public(EVE)}),
    "words elsewhere": words(ANNA, BEN, deployment="other"),
    "words elsewhere written over": words(ANNA, BEN, deployment="other").model_copy(update={"deployment": HERE}),
    "another time": changed(words(ANNA, BEN), signed_at=NOW.replace(year=2027)),
    "digits without a meaning": changed(words(ANNA, BEN), signature="0" * 128),
    "no digits": changed(words(ANNA, BEN), signature="not in hex"),
    "her own word under the key of a signer": words(ANNA).model_copy(
        update={"signatures": (*words(ANNA).signatures, words(EVE).signatures[0].model_copy(update={"public_key": public(BEN)}))}
    ),
    "a signature under a policy": words(ANNA).model_copy(
        update={"signatures": (*words(ANNA).signatures, PROPOSAL.signed(BEN, at=NOW))},
    ),
}


@pytest.mark.parametrize("doubtful", ONE_ALONE)
def test_what_one_can_lay_beside_a_key_makes_no_signer_of_it(doubtful: str) -> None:
    """Whoever may write into the folder, with her own key and all that others ever signed."""
    assert counting(ONE_ALONE[doubtful], named=WITH_EVE | {"mallory": public(MALLORY)}) == {"anna", "ben"}


def test_only_who_is_named_still_can_vouch() -> None:
    """One who was taken away counts no more, whatever she left signed; and nobody counts who is known and not named."""
    named = {"anna": public(ANNA), "eve": public(EVE)}
    assert counting(words(ANNA, BEN), named=named) == {"anna"}
    assert counting(words(ANNA, BEN, MALLORY), named=named, known=KNOWN | {public(MALLORY)}) == {"anna"}
    assert counting(words(ANNA, BEN), named={"eve": public(EVE)}) == set()


def test_who_was_let_in_stays_when_the_file_beside_her_key_is_gone() -> None:
    assert counting(None, known=KNOWN | {public(EVE)}) == {"anna", "ben", "eve"}


def test_a_name_says_nothing_the_key_does() -> None:
    """Another key under the name of a signer is a newcomer."""
    assert counting(None, named={"anna": public(ANNA), "ben": public(MALLORY)}) == {"anna"}


def test_what_a_voucher_signs_is_the_newcomers_key_with_her_own_the_place_and_the_time() -> None:
    """The same for whoever signs with another program, and in each release."""

    def by_hand(key: Ed25519PrivateKey) -> Any:
        said = {"deployment": HERE, "newcomer": public(EVE), "signed_at": "2026-06-01T12:00:00+00:00", "voucher": public(key)}
        return signed_by_hand(key, b"assent policy signer v1\n", said, NOW)

    vouches = Vouches(public_key=public(EVE), deployment=HERE, signatures=(by_hand(ANNA), by_hand(BEN)))
    assert vouches == words(ANNA, BEN)
    assert vouches.holders() == KNOWN
    assert counting(vouches) == {"anna", "ben", "eve"}


@pytest.mark.parametrize(
    "change",
    [
        lambda vouches: vouches.model_copy(update={"deployment": "other"}),
        lambda vouches: vouches.model_copy(update={"public_key": public(MALLORY)}),
        lambda vouches: changed(vouches, signed_at=NOW.replace(year=2027)),
        lambda vouches: changed(vouches, public_key=public(ANNA)),
    ],
    ids=["the deployment", "the newcomer", "the time", "the voucher"],
)
def test_nothing_of_a_word_can_be_written_over(change: Callable[[Vouches], Vouches]) -> None:
    assert words(BEN).holders() == {public(BEN)}
    assert change(words(BEN)).holders() == frozenset()
