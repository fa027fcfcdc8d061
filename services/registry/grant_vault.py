"""Sealing of full records: requests under a key of the registry, given grants under their own; it never keeps one in clear."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from assent.events.grants import GrantState
from assent.ids import GrantId
from assent.keys.cipher import DataKey, UnsealError, aad
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError
from services.registry.grant_record import OPEN_STATES, Grant
from services.registry.grant_table import RevisionRow

_SIGNED_AS = b"assent grant record v1\x00"


class RecordGoneError(Exception):
    """Raised when the record was erased: its grant has ended or was refused."""


class RecordBrokenError(Exception):
    """Raised when a record is not the one that was signed, or does not follow the revision before it."""


UNREADABLE = (RecordGoneError, RecordBrokenError, KeyDestroyedError, KeyNotFoundError, UnsealError)
"""What `open` raises for one record that cannot be read, now or ever. A store that is away is another thing."""


class GrantVault:
    """Seals and opens revisions. A grant gets a key of its own only when she says yes: before that there is none to seal with."""

    def __init__(self, *, keys: DeploymentKeys, grant_keys: GrantKeyring) -> None:
        self._requests = DataKey(keys.subkey("registry requests"))
        self._signing = Ed25519PrivateKey.from_private_bytes(keys.subkey("registry record signing"))
        self._grant_keys = grant_keys

    async def row(self, record: Grant) -> RevisionRow:
        """The sealed revision. Raises KeyDestroyedError or KeyNotFoundError for a grant that has no key."""
        key = await self._key(record.grant_id, record.state)
        return RevisionRow(
            grant_id=record.grant_id,
            revision=record.revision,
            state=record.state,
            changed_at=record.changed_at,
            sha256=record.digest(),
            prev_hash=record.prev_hash,
            signature=self.sign(record.digest()),
            sealed=key.seal(record.canonical(), aad=_place(record.grant_id, record.revision)),
        )

    async def open(self, row: RevisionRow) -> Grant:
        """The record of a revision. Raises RecordGoneError, RecordBrokenError or KeyDestroyedError."""
        if row.sealed is None:
            raise RecordGoneError("the record of this grant was erased")
        try:
            record = Grant.model_validate_json(await self._unsealed(row, row.sealed))
        except ValidationError:
            raise RecordBrokenError("a revision of this grant is no record that this release reads") from None
        if record.digest() != row.sha256 or self.sign(row.sha256) != row.signature or record.prev_hash != row.prev_hash:
            raise RecordBrokenError("a revision of this grant is not the one that was written; restore the registry's file")
        return record

    async def resealed(self, row: RevisionRow) -> bytes:
        """A requested revision under the key that the grant has by now."""
        record = await self.open(row)
        key = await self._grant_keys.get(row.grant_id)
        return key.seal(record.canonical(), aad=_place(row.grant_id, row.revision))

    def sign(self, sha256: str) -> bytes:
        """Ed25519 over the digest of a revision: the same digest always gives the same signature."""
        return self._signing.sign(_SIGNED_AS + sha256.encode())

    async def _unsealed(self, row: RevisionRow, sealed: bytes) -> bytes:
        place = _place(row.grant_id, row.revision)
        if row.state is GrantState.REQUESTED:
            try:
                return self._requests.open(sealed, aad=place)
            except UnsealError:
                pass  # She has said yes since, and the request was sealed again under the grant's own key.
        return (await self._grant_keys.get(row.grant_id)).open(sealed, aad=place)

    async def _key(self, grant_id: GrantId, state: GrantState) -> DataKey:
        if state is GrantState.REQUESTED:
            return self._requests
        return await self._grant_keys.get(grant_id)


def _place(grant_id: GrantId, revision: int) -> bytes:
    return aad("registry", grant_id, revision, "record")


def is_chained(rows: list[RevisionRow]) -> bool:
    """Every revision names the digest of the one before it, without a gap."""
    return all(
        row.revision == place + 1 and row.prev_hash == (rows[place - 1].sha256 if place else None) for place, row in enumerate(rows)
    ) and all(row.state in OPEN_STATES or row is rows[-1] for row in rows)
