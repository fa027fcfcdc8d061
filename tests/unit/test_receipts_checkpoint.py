"""A signed head opens with its own key and in one spelling only."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.receipts.checkpoint import Checkpoint, CheckpointError, CheckpointSigner, open_checkpoint

ORIGIN = "faces.example.org/receipts"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = CheckpointSigner(ORIGIN, PRIVATE)
ROOT = hashlib.sha256(b"root").digest()


def test_the_note_has_the_c2sp_layout() -> None:
    note = SIGNER.sign(42, ROOT)
    body, empty, signature, end = note[: note.index("\n\n") + 1], *note[note.index("\n\n") + 1 :].split("\n")
    assert body == f"{ORIGIN}\n42\n{base64.b64encode(ROOT).decode()}\n"
    assert (empty, end) == ("", "")
    dash, name, encoded = signature.split(" ")
    assert (dash, name) == ("\N{EM DASH}", ORIGIN)
    raw = base64.b64decode(encoded)
    # Signed note: key hash = SHA-256(name, newline, algorithm 0x01, public key), first four bytes.
    assert raw[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + PRIVATE.public_key().public_bytes_raw()).digest()[:4]
    PRIVATE.public_key().verify(raw[4:], body.encode())


def test_it_opens_with_its_key() -> None:
    assert open_checkpoint(SIGNER.sign(0, ROOT), PRIVATE.public_key()) == Checkpoint(ORIGIN, 0, ROOT)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(CheckpointError, match="another key"):
        open_checkpoint(SIGNER.sign(1, ROOT), Ed25519PrivateKey.generate().public_key())


def test_every_flipped_bit_is_noticed() -> None:
    note = SIGNER.sign(1234, ROOT).encode()
    for position in range(len(note)):
        for bit in range(8):
            flipped = bytearray(note)
            flipped[position] ^= 1 << bit
            try:
                text = flipped.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(CheckpointError):
                open_checkpoint(text, PRIVATE.public_key())


def test_a_second_base64_spelling_of_the_same_signature_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    note = SIGNER.sign(12, ROOT)
    assert note.endswith("=\n")
    last = note[-3]
    encoded = note.rsplit(" ", 1)[1].strip()
    for spare_bits in (1, 2, 3):  # 68 bytes leave two bits of the last character unused
        other = alphabet[alphabet.index(last) + spare_bits]
        assert base64.b64decode(encoded[:-2] + other + "=") == base64.b64decode(encoded)
        with pytest.raises(CheckpointError, match="one spelling"):
            open_checkpoint(note[:-3] + other + "=\n", PRIVATE.public_key())


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note + "\N{EM DASH} witness.example AAAA\n",
        lambda note: note.replace("\n\n", "\nextension\n\n"),
        lambda note: note.replace("\n12\n", "\n012\n"),
        lambda note: note.replace("\n12\n", "\n12 \n"),
        lambda note: note.rstrip("\n"),
        lambda note: "\n" + note,
        lambda note: note.replace("\N{EM DASH}", "-"),
        lambda note: "",
    ],
)
def test_a_second_spelling_or_anything_unsigned_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(CheckpointError):
        open_checkpoint(change(SIGNER.sign(12, ROOT)), PRIVATE.public_key())


def test_a_name_other_than_the_origin_is_refused() -> None:
    body = Checkpoint(ORIGIN, 3, ROOT).body()
    key_hash = hashlib.sha256(b"other\n\x01" + PRIVATE.public_key().public_bytes_raw()).digest()[:4]
    signature = base64.b64encode(key_hash + PRIVATE.sign(body.encode())).decode()
    with pytest.raises(CheckpointError, match="another name"):
        open_checkpoint(f"{body}\n\N{EM DASH} other {signature}\n", PRIVATE.public_key())


@pytest.mark.parametrize("origin", ["", "two words", "line\nbreak", "a+b", "é"])
def test_an_origin_that_would_break_the_note_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        CheckpointSigner(origin, PRIVATE)
