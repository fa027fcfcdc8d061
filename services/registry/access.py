"""Who may touch one grant: whoever holds its secret, or its subject's session; staff only where a handler says so."""

from __future__ import annotations

import functools
import sqlite3
from dataclasses import dataclass

from assent.ids import GrantId, SubjectId
from services.registry.grant_table import GrantRow, first_given, grant_row
from services.registry.refused import not_signed_in_as_her, wrong_secret
from services.registry.secret_hashes import SecretHashes
from services.registry.secret_table import SecretKind, grant_secrets_of, secret_hash
from services.registry.store import RegistryStore


@dataclass(frozen=True, slots=True)
class Asker:
    """What comes with a request to show which subject sends it: whose session it is, and the secret of a grant of hers."""

    signed_in_as: SubjectId | None = None
    grant_secret: str | None = None


NOBODY = Asker()


class GrantAccess:
    """Compares secrets in constant time; an unknown grant costs and answers the same as a wrong secret."""

    def __init__(self, *, store: RegistryStore, hashes: SecretHashes) -> None:
        self._store = store
        self._hashes = hashes

    async def with_secret(self, grant_id: GrantId, secret: str, kind: SecretKind) -> tuple[GrantRow, bool]:
        """The grant and whether this secret was used up. Raises ApiError 403."""
        row = await self._store.read(lambda database: grant_row(database, grant_id))
        stored, is_used = await self._store.read(lambda database: secret_hash(database, grant_id, kind))
        if not self._hashes.matches(secret, stored, kind=kind.value, owner=grant_id) or row is None:
            raise wrong_secret()
        return row, is_used

    async def opened_by(self, grant_id: GrantId, secret: str) -> SecretKind | None:
        """Which secret of the grant this is, or None."""
        found: SecretKind | None = None
        for kind in SecretKind:
            stored, _ = await self._store.read(functools.partial(secret_hash, grant_id=grant_id, kind=kind))
            found = kind if self._hashes.matches(secret, stored, kind=kind.value, owner=grant_id) else found
        return found

    async def is_she(self, subject_id: SubjectId, asker: Asker) -> bool:
        """Her own session, or the secret of any grant of hers, also of one that has ended. Where a secret was sent, it decides."""
        secret = asker.grant_secret
        if secret is None:
            return asker.signed_in_as == subject_id
        stored = await self._store.read(lambda database: grant_secrets_of(database, subject_id))
        return any([self._hashes.matches(secret, digest, kind=SecretKind.GRANT.value, owner=owner) for owner, digest in stored])

    async def needs_her(self, row: GrantRow) -> bool:
        """Whether somebody said yes as this subject before: then the one-time secret of another grant shows nothing any more."""
        return await self._store.read(lambda database: is_further(database, row))

    async def refuse_another(self, row: GrantRow, asker: Asker) -> bool:
        """For a yes to this grant: whether it is shown to be hers, which her first needs not be. Raises ApiError 403."""
        is_she = await self.is_she(row.subject_id, asker)
        if not is_she and await self.needs_her(row):
            raise not_signed_in_as_her()
        return is_she


def is_further(database: sqlite3.Connection, row: GrantRow) -> bool:
    """Whether another grant of this subject was given before this one."""
    return first_given(database, row.subject_id) not in (None, row.grant_id)


def refuse_further(database: sqlite3.Connection, row: GrantRow, *, is_she: bool) -> None:
    """For the transaction that gives: of two yeses at once one is the first. Raises ApiError 403."""
    if not is_she and is_further(database, row):
        raise not_signed_in_as_her()
