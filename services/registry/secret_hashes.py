"""Secrets of grants and login codes: 256 random bits out, a keyed hash kept; the plain secret is shown once and never stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets

SECRET_BYTES = 32


class SecretHashes:
    """HMAC-SHA256 under a key of the deployment. The secrets are random, so no slow hash is needed against guessing."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @staticmethod
    def new_secret() -> str:
        """A fresh secret as 43 URL-safe characters."""
        return secrets.token_urlsafe(SECRET_BYTES)

    def hash(self, secret: str, *, kind: str, owner: str) -> bytes:
        """What is stored; bound to its kind and owner, so that no secret opens another thing."""
        # What came as a header or in a path may hold bytes that are no UTF-8: a wrong secret like any other.
        parts = (part.encode(errors="surrogateescape") for part in (kind, owner, secret))
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.new(self._key, message, hashlib.sha256).digest()

    def matches(self, secret: str, stored: bytes | None, *, kind: str, owner: str) -> bool:
        """Compared in constant time; the work is the same when nothing is stored."""
        computed = self.hash(secret, kind=kind, owner=owner)
        return hmac.compare_digest(computed, stored or bytes(len(computed))) and stored is not None
