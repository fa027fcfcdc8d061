"""Salted commitments that stand in a public log for a grant or its faces; never reversible without the salt."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from typing import NewType

Commitment = NewType("Commitment", str)
"""64 hex characters of HMAC-SHA256 under a salt of one record."""

SALT_BYTES = 32


def new_salt() -> bytes:
    """A fresh salt. It is kept sealed under the grant's key and so goes with it; then the commitment links to nobody."""
    return os.urandom(SALT_BYTES)


def commit(kind: str, identifier: str, *, salt: bytes) -> Commitment:
    """Commits to one identifier; `kind` (`grant`, `subject`, `caller`) keeps the same text apart in two roles."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}: a short one can be guessed")
    message = len(kind.encode()).to_bytes(2, "big") + kind.encode() + identifier.encode()
    return Commitment(hmac.new(salt, message, hashlib.sha256).hexdigest())


def commit_set(kind: str, identifiers: Iterable[str], *, salt: bytes) -> Commitment:
    """Commits to a set of identifiers, whatever their order."""
    return commit(f"{kind} set", "\n".join(sorted(set(identifiers))), salt=salt)
