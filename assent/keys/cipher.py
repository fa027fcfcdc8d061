"""Sealing with AES-256-GCM under one data key; never shows the key, nor opens what was sealed for another place."""

from __future__ import annotations

import hashlib
import os
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KeyFingerprint = NewType("KeyFingerprint", str)
"""64 hex characters that name a key and reveal nothing of it."""

KEY_BYTES = 32
_VERSION = b"\x01"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES
_FINGERPRINT_DOMAIN = b"assent key fingerprint v1\x00"


class UnsealError(Exception):
    """Raised when sealed bytes do not open: another key, another place (associated data), or changed bytes."""


class DataKey:
    """One AES-256 key that seals and opens. Frame: version (1) | key id (8) | random nonce (12) | ciphertext | tag (16).

    Random 96-bit nonces are safe for 2^32 messages per key (NIST SP 800-38D, 8.3), which no grant and no quarantine
    period comes near.
    """

    __slots__ = ("_aead", "_key_id", "fingerprint")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"an AES-256 key has {KEY_BYTES} bytes, not {len(secret)}")
        self._aead = AESGCM(secret)
        digest = hashlib.sha256(_FINGERPRINT_DOMAIN + secret).digest()
        self._key_id = digest[:_KEY_ID_BYTES]
        self.fingerprint = KeyFingerprint(digest.hex())

    def __repr__(self) -> str:
        return f"DataKey({self.fingerprint[:16]})"

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """A frame that opens only with this key and the same `aad`."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + self._key_id + nonce + self._aead.encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, *, aad: bytes) -> bytes:
        """The plaintext. Raises UnsealError."""
        if len(sealed) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES or not sealed.startswith(_VERSION):
            raise UnsealError("the sealed bytes are cut short or of an unknown version")
        if sealed[len(_VERSION) : _HEADER_BYTES] != self._key_id:
            raise UnsealError("the bytes were sealed under another key; fetch the key of the grant they belong to")
        body = _HEADER_BYTES + _NONCE_BYTES
        try:
            return self._aead.decrypt(sealed[_HEADER_BYTES:body], sealed[body:], aad)
        except InvalidTag as error:
            raise UnsealError("the sealed bytes were changed, or belong to another topic, grant, revision or field") from error


def aad(topic: str, grant_id: str, revision: int, field: str) -> bytes:
    """Associated data `topic|grant_id|revision|field` (rule T-1): ciphertext copied to another record does not open."""
    parts = (topic, grant_id, str(revision), field)
    if any("|" in part for part in parts):
        raise ValueError("a part of the associated data holds `|`, so two records could share it; use plain identifiers")
    return "|".join(parts).encode()
