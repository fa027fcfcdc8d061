"""A receipt holds with only its file and the public key, and no longer after any change to the file."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from assent.ids import ErasureId, GrantId, QueryId
from assent.keys.cipher import KeyFingerprint
from assent.keys.signing_keys import public_pem
from assent.receipts.checkpoint import CheckpointSigner
from assent.receipts.commitment import commit, commit_set, new_salt
from assent.receipts.leaves import Control, DeletionLogical, DeletionPhysical, Disclosure, GrantEvent, Leaf, StoreCount
from assent.receipts.log import ReceiptLog
from assent.receipts.receipt import Opening, Receipt, issue_receipt
from assent.receipts.verify import ReceiptInvalidError, StoreResult, read_public_key, read_receipt, verify_receipt
from tests.unit.key_examples import OF_NO_KNOWN_KIND

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = CheckpointSigner("test.example/receipts", KEY)
GRANT = GrantId("0192f0aa-0000-7000-8000-000000000001")
SALT = bytes(range(32, 64))
REQUESTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STORES = (
    StoreCount(store="vectors", count_before=2, count_after=0, method="delete_by_id"),
    StoreCount(store="derivatives", count_before=2, count_after=0, method="delete"),
)


def logical(**changes: Any) -> DeletionLogical:
    fields: dict[str, Any] = {
        "erasure_id": ErasureId("e-1"),
        "cause": "withdrawal",
        "grant": commit("grant", GRANT, salt=SALT),
        "stores": STORES,
        "requested_at": REQUESTED,
        "reached_at": REQUESTED + timedelta(seconds=6),
        "points": commit_set("face", ["f1", "f2"], salt=SALT),
        "queries_sha256": "ab" * 32,
        "remains": ("sealed copies on the log until its retention ends",),
    }
    return DeletionLogical(**(fields | changes))


def physical() -> DeletionPhysical:
    return DeletionPhysical(
        erasure_id=ErasureId("e-1"),
        cause="withdrawal",
        grant=commit("grant", GRANT, salt=SALT),
        stores=(StoreCount(store="vectors", count_before=2, count_after=0, method="vacuum"),),
        requested_at=REQUESTED,
        reached_at=REQUESTED + timedelta(minutes=3),
        key_fingerprint=KeyFingerprint("cd" * 32),
        bounds={"faces.embedded:0": 17},
    )


def others() -> list[Leaf]:
    commitment = commit("grant", GRANT, salt=SALT)
    return [
        GrantEvent(grant=commitment, revision=1, state="given", happened_at=REQUESTED),
        Disclosure(
            query_id=QueryId("q-1"),
            caller=commit("caller", "org", salt=SALT),
            caller_jurisdictions=(),
            purpose="self_search",
            basis="self",
            outcome="answered",
            points=commit_set("face", [], salt=SALT),
            count=0,
            policy_sha256="ef" * 32,
            answered_at=REQUESTED,
        ),
        Control(action="policy_loaded", reference="p-7", happened_at=REQUESTED),
    ]


@pytest.fixture
def receipt(tmp_path: Path) -> Receipt:
    """The logical receipt, at place 3 of 7."""
    with ReceiptLog(tmp_path / "log.sqlite", SIGNER) as log:
        for leaf in [*others(), logical(), physical(), *others()[:2]]:
            log.append(leaf.document())
        return issue_receipt(log, 3)


def test_it_says_what_was_erased(receipt: Receipt) -> None:
    verified = verify_receipt(read_receipt(receipt.to_json()), KEY.public_key())
    assert (verified.kind, verified.level) == ("deletion_logical", "logical")
    assert verified.times == {"requested_at": "2026-01-02T03:04:05.000Z", "reached_at": "2026-01-02T03:04:11.000Z"}
    assert verified.stores == (
        StoreResult("vectors", 2, 0, "delete_by_id"),
        StoreResult("derivatives", 2, 0, "delete"),
    )
    assert verified.remains == ("sealed copies on the log until its retention ends",)
    assert (verified.index, verified.tree_size, verified.origin) == (3, 7, "test.example/receipts")
    assert verified.grant_id is None


def test_every_kind_of_leaf_gives_a_receipt_that_holds(tmp_path: Path) -> None:
    with ReceiptLog(tmp_path / "log.sqlite", SIGNER) as log:
        for index, leaf in enumerate([*others(), physical()]):
            log.append(leaf.document())
            receipt = issue_receipt(log, index)
            verified = verify_receipt(read_receipt(receipt.to_json()), KEY.public_key())
            assert verified.leaf == leaf.document()
        assert (verified.level, verified.key_fingerprint) == ("physical", "cd" * 32)


def test_no_bit_of_the_file_can_be_flipped(receipt: Receipt) -> None:
    opening = Opening(grant_id=GRANT, salt=SALT.hex())
    text = receipt.model_copy(update={"opening": opening}).to_json()
    assert verify_receipt(read_receipt(text), KEY.public_key()).grant_id == GRANT
    for position in range(len(text)):
        for bit in range(8):
            flipped = bytearray(text)
            flipped[position] ^= 1 << bit
            with pytest.raises(ReceiptInvalidError):
                verify_receipt(read_receipt(bytes(flipped)), KEY.public_key())


CHANGES: dict[str, tuple[Any, str]] = {
    "another count": (lambda d: d["leaf"]["stores"][0].update(count_before=3), "inclusion_path"),
    "a store left out": (lambda d: d["leaf"]["stores"].pop(), "inclusion_path"),
    "another time": (lambda d: d["leaf"].update(reached_at="2026-01-02T03:04:06.000Z"), "inclusion_path"),
    "physical for logical": (lambda d: d.update(kind="deletion_physical"), "kind"),
    "nothing remains": (lambda d: d.update(remains=[]), "remains"),
    "another place": (lambda d: d.update(index=2), "inclusion_path"),
    "true for a place": (lambda d: d.update(index=True), "index"),
    "another size": (lambda d: d.update(tree_size=8), "tree_size"),
    "a shorter path": (lambda d: d["inclusion_path"].pop(), "inclusion_path"),
    "an upper-case path": (lambda d: d.update(inclusion_path=[n.upper() for n in d["inclusion_path"]]), "inclusion_path"),
    "an unsigned remark": (lambda d: d.update(remark="all copies are gone"), "remark"),
    "a missing field": (lambda d: d.pop("remains"), "remains"),
    "another format": (lambda d: d.update(format="assent-receipt/2"), "format"),
    "another key named": (lambda d: d.update(public_key_id="00" * 32), "public_key_id"),
    "a huge number": (lambda d: d["leaf"].update(extra=2**60), "canonical"),
    "another grant": (lambda d: d.update(opening={"grant_id": "g-2", "salt": SALT.hex()}), "another grant"),
    "an odd opening": (lambda d: d.update(opening={"grant_id": GRANT}), "opening"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_field_is_named(receipt: Receipt, name: str) -> None:
    change, part = CHANGES[name]
    document = copy.deepcopy(receipt.document())
    change(document)
    with pytest.raises(ReceiptInvalidError, match=part):
        verify_receipt(read_receipt(json.dumps(document).encode()), KEY.public_key())


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b'{"kind":1,"kind":1}', b"[" * 100_000, b'{"leaf":NaN}'], ids=range(7))
def test_a_file_that_can_be_read_two_ways_or_none_is_refused(text: bytes) -> None:
    with pytest.raises(ReceiptInvalidError):
        verify_receipt(read_receipt(text), KEY.public_key())


def test_a_repeated_name_is_refused(receipt: Receipt) -> None:
    text = receipt.to_json().replace(b'"count_after":0', b'"count_after":9,"count_after":0', 1)
    with pytest.raises(ReceiptInvalidError, match="one way only"):
        read_receipt(text)


def test_another_key_does_not_verify_it(receipt: Receipt) -> None:
    with pytest.raises(ReceiptInvalidError, match="another key"):
        verify_receipt(receipt.document(), Ed25519PrivateKey.generate().public_key())


def test_a_forger_without_the_key_cannot_sign(receipt: Receipt, tmp_path: Path) -> None:
    forger = CheckpointSigner(SIGNER.origin, Ed25519PrivateKey.generate())
    with ReceiptLog(tmp_path / "forged.sqlite", forger) as log:
        log.append(logical().document())
        forged = issue_receipt(log, 0).document() | {"public_key_id": receipt.public_key_id}
    with pytest.raises(ReceiptInvalidError, match="checkpoint"):
        verify_receipt(forged, KEY.public_key())


def test_it_verifies_in_a_process_that_loads_nothing_else(receipt: Receipt, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_bytes(receipt.to_json())
    (tmp_path / "key.pem").write_bytes(public_pem(KEY.public_key()))
    program = """
import sys, socket
def refuse(*args, **kwargs): raise SystemExit("the verifier used the network")
socket.socket.connect = refuse
from assent.receipts.verify import read_public_key, read_receipt, verify_receipt
folder = sys.argv[1]
verified = verify_receipt(read_receipt(open(folder + "/receipt.json", "rb").read()),
                          read_public_key(open(folder + "/key.pem", "rb").read()))
ours = sorted(name for name in sys.modules if name.startswith(("assent", "services")))
heavy = sorted({"pydantic", "sqlite3", "aiohttp", "obstore", "numpy", "asyncio"} & set(sys.modules))
print(verified.level, *ours, "heavy:", *heavy)
"""
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [
        "logical",
        "assent",
        "assent.receipts",
        "assent.receipts.checkpoint",
        "assent.receipts.commitment",
        "assent.receipts.merkle",
        "assent.receipts.verify",
        "heavy:",
    ]


@pytest.mark.parametrize("contents", [b"no key", OF_NO_KNOWN_KIND])
def test_a_key_file_of_another_kind_is_refused(contents: bytes) -> None:
    with pytest.raises(ReceiptInvalidError, match="PEM"):
        read_public_key(contents)


def test_a_deletion_that_left_something_cannot_be_written() -> None:
    held = StoreCount(store="backups", count_before=2, count_after=1, method="delete")
    with pytest.raises(ValidationError, match="still hold something: backups"):
        logical(stores=(*STORES, held))
    with pytest.raises(ValidationError, match="named twice"):
        logical(stores=(*STORES, STORES[0]))
    with pytest.raises(ValidationError, match="before it was requested"):
        logical(reached_at=REQUESTED - timedelta(seconds=1))
    with pytest.raises(ValidationError):
        logical(stores=())


def test_a_leaf_takes_a_commitment_and_never_an_id_in_clear() -> None:
    with pytest.raises(ValidationError):
        logical(grant=GRANT)
    with pytest.raises(ValidationError):
        logical(note="Ada Lovelace")


def test_times_are_written_in_utc() -> None:
    local = datetime(2026, 1, 1, 19, 4, 5, tzinfo=timezone(timedelta(hours=-8)))
    assert logical(requested_at=local).document()["requested_at"] == "2026-01-02T03:04:05.000Z"
    with pytest.raises(ValidationError):
        logical(requested_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is the point


def test_a_commitment_needs_its_salt() -> None:
    assert commit("grant", GRANT, salt=new_salt()) != commit("grant", GRANT, salt=new_salt())
    assert commit("grant", GRANT, salt=SALT) != commit("subject", GRANT, salt=SALT)
    assert commit("grant", "a", salt=SALT) != commit("gran", "ta", salt=SALT)
    assert commit_set("face", ["b", "a"], salt=SALT) == commit_set("face", ["a", "b", "b"], salt=SALT)
    assert commit_set("face", ["a"], salt=SALT) != commit("face", "a", salt=SALT)
    with pytest.raises(ValueError, match="salt"):
        commit("grant", GRANT, salt=b"short")
