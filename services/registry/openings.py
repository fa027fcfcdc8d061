"""The opening of her receipts, sealed under her own secret when she says yes; the registry keeps it and cannot open it."""

from __future__ import annotations

import sqlite3

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assent.ids import GrantId
from assent.keys.cipher import KEY_BYTES, DataKey, UnsealError, aad

_USED_FOR = b"assent opening v1\x00"


class Openings:
    """Her secret has 256 random bits, so a key derived from it needs no slow hash. `key` is one of the deployment's and binds
    what is sealed here to it; alone it opens nothing.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, grant_id: GrantId, secret: str, salt: str) -> bytes:
        """The salt (hex) that hides this grant in the receipt log, for whoever holds `secret`."""
        return self._cipher(grant_id, secret).seal(bytes.fromhex(salt), aad=_place(grant_id))

    def open(self, grant_id: GrantId, secret: str, sealed: bytes | None) -> str | None:
        """The salt in hex; None when nothing is kept, or it is not this secret's."""
        if sealed is None:
            return None
        try:
            return self._cipher(grant_id, secret).open(sealed, aad=_place(grant_id)).hex()
        except UnsealError:
            return None

    def _cipher(self, grant_id: GrantId, secret: str) -> DataKey:
        info = _USED_FOR + grant_id.encode()
        return DataKey(HKDF(SHA256(), KEY_BYTES, salt=self._key, info=info).derive(secret.encode(errors="surrogateescape")))


def insert_opening(database: sqlite3.Connection, grant_id: GrantId, sealed: bytes) -> None:
    """Keep it beside the hash of her secret, and as long."""
    database.execute("INSERT OR REPLACE INTO openings VALUES (?, ?)", (grant_id, sealed))


def sealed_opening(database: sqlite3.Connection, grant_id: GrantId) -> bytes | None:
    """What is kept, or None."""
    row = database.execute("SELECT sealed FROM openings WHERE grant_id = ?", (grant_id,)).fetchone()
    return None if row is None else bytes(row["sealed"])


def _place(grant_id: GrantId) -> bytes:
    return aad("registry", grant_id, 0, "opening")
