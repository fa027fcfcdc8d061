"""AES-256-GCM gives the published answers, and nothing opens in another place or after a change."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from assent.keys.cipher import DataKey, UnsealError, aad

KEY = DataKey(bytes(range(32)))
PLACE = aad("faces.embedded", "g-1", 1, "vector")

# Test cases 13 to 16 (256-bit keys) of the GCM specification submitted to NIST: key, nonce, plaintext, associated data, output.
_K = "feffe9928665731c6d6a8f9467308308" * 2
_P = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
_C = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
VECTORS = [
    ("00" * 32, "00" * 12, "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    ("00" * 32, "00" * 12, "00" * 16, "", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    (_K, "cafebabefacedbaddecaf888", _P, "", _C + "b094dac5d93471bdec1a502270e3cc6c"),
    (
        _K,
        "cafebabefacedbaddecaf888",
        _P[:120],
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        _C[:120] + "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
]


def frame_of(key: DataKey, nonce: bytes, output: bytes) -> bytes:
    """Built from the documented layout, not by the code under test."""
    return b"\x01" + bytes.fromhex(key.fingerprint)[:8] + nonce + output


@pytest.mark.parametrize("vector", VECTORS, ids=["case 13", "case 14", "case 15", "case 16"])
def test_published_vectors_open(vector: tuple[str, ...]) -> None:
    secret, nonce, plaintext, data, output = (bytes.fromhex(text) for text in vector)
    key = DataKey(secret)
    assert key.open(frame_of(key, nonce, output), aad=data) == plaintext
    broken = frame_of(key, nonce, output[:-1] + bytes([output[-1] ^ 1]))
    with pytest.raises(UnsealError):
        key.open(broken, aad=data)


def test_what_is_sealed_is_plain_gcm_in_the_documented_frame() -> None:
    sealed = KEY.seal(b"vector", aad=PLACE)
    assert AESGCM(bytes(range(32))).decrypt(sealed[9:21], sealed[21:], PLACE) == b"vector"
    assert sealed == frame_of(KEY, sealed[9:21], sealed[21:])


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_it_opens_where_it_was_sealed(plaintext: bytes, place: bytes) -> None:
    assert KEY.open(KEY.seal(plaintext, aad=place), aad=place) == plaintext


@pytest.mark.parametrize(
    "other",
    [
        aad("images.cleared", "g-1", 1, "vector"),
        aad("faces.embedded", "g-2", 1, "vector"),
        aad("faces.embedded", "g-1", 2, "vector"),
        aad("faces.embedded", "g-1", 1, "box"),
        b"",
    ],
)
def test_it_does_not_open_in_another_place(other: bytes) -> None:
    with pytest.raises(UnsealError):
        KEY.open(KEY.seal(b"vector", aad=PLACE), aad=other)


def test_it_does_not_open_under_another_key() -> None:
    with pytest.raises(UnsealError, match="another key"):
        DataKey(bytes(32)).open(KEY.seal(b"vector", aad=PLACE), aad=PLACE)


def test_no_bit_can_be_flipped_and_no_byte_cut() -> None:
    sealed = KEY.seal(b"vector", aad=PLACE)
    for position in range(len(sealed)):
        for bit in range(8):
            flipped = bytearray(sealed)
            flipped[position] ^= 1 << bit
            with pytest.raises(UnsealError):
                KEY.open(bytes(flipped), aad=PLACE)
        with pytest.raises(UnsealError):
            KEY.open(sealed[:position], aad=PLACE)


def test_nonces_do_not_repeat() -> None:
    assert len({KEY.seal(b"", aad=b"")[9:21] for _ in range(2000)}) == 2000


def test_a_part_with_a_separator_is_refused() -> None:
    assert PLACE == b"faces.embedded|g-1|1|vector"
    with pytest.raises(ValueError, match="associated data"):
        aad("faces.embedded", "g-1|1", 1, "vector")


def test_the_key_does_not_show_itself() -> None:
    assert bytes(range(32)).hex() not in repr(KEY)
    assert KEY.fingerprint != bytes(range(32)).hex()
    assert len(KEY.fingerprint) == 64


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(bytes(16))
