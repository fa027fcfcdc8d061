"""Who may touch one grant: whoever holds its secret, or its subject's session; staff only where a handler says so."""

from __future__ import annotations

import functools

from assent.ids import GrantId
from services.registry.grant_table import GrantRow, grant_row
from services.registry.refused import wrong_secret
from services.registry.secret_hashes import SecretHashes
from services.registry.secret_table import SecretKind, secret_hash
from services.registry.store import RegistryStore


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

    async def opens(self, grant_id: GrantId, secret: str) -> bool:
        """Either secret of the grant fits."""
        found = False
        for kind in SecretKind:
            stored, _ = await self._store.read(functools.partial(secret_hash, grant_id=grant_id, kind=kind))
            found |= self._hashes.matches(secret, stored, kind=kind.value, owner=grant_id)
        return found
