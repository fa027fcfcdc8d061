"""Brings live grants to what the proofs of control say by now, as a new revision each; it never touches what she said herself."""

from __future__ import annotations

import functools

import structlog

from assent.ids import GrantId
from assent.keys.grant_keys import KeyDestroyedError, KeyNotFoundError
from assent.stream.event_log import RecordTooLargeError
from assent.telemetry.meter import Metrics
from services.registry.control_table import changes_so_far, mark_looked, unlooked_grants
from services.registry.controls import Controls
from services.registry.grant_vault import UNREADABLE, RecordGoneError
from services.registry.grants import Grants
from services.registry.store import RegistryStore
from services.registry.trouble import one_by_one

GRANTS_A_ROUND = 200
_LOG = structlog.get_logger()


class ControlWatch:
    """Looks at every live grant once after each change of a proof. A crash half way is made good by the next round."""

    def __init__(self, *, store: RegistryStore, grants: Grants, controls: Controls, metrics: Metrics) -> None:
        self._store = store
        self._grants = grants
        self._controls = controls
        self._each = one_by_one(metrics)
        self._after: GrantId | None = None

    async def look(self) -> int:
        """How many grants got another revision. Raises ApiError when one was changed meanwhile: the next round looks again."""
        changes = await self._store.read(changes_so_far)
        revised = 0
        # From behind the last one: those whose key is missing stay unlooked, and must not be all that is ever looked at.
        found = await self._store.read(lambda database: unlooked_grants(database, limit=GRANTS_A_ROUND, after=self._after))
        self._after = found[-1] if len(found) == GRANTS_A_ROUND else None
        for grant_id in found:
            with self._each.alone("control", grant_id):
                revised += await self._looked_at(grant_id, changes)
        return revised

    async def _looked_at(self, grant_id: GrantId, changes: int) -> bool:
        is_revised = False
        try:
            is_revised = await self._look_at(grant_id)
        except (*UNREADABLE, RecordTooLargeError) as error:
            # Nothing new can be told of it, and it must stop neither those of others nor the registry, which takes withdrawals.
            _LOG.error("record_unreadable", grant_id=grant_id, error=type(error).__name__)
            if isinstance(error, KeyNotFoundError):
                return False  # A key store may get its key back.
        await self._store.write(functools.partial(mark_looked, grant_id=grant_id, changes=changes))
        return is_revised

    async def _look_at(self, grant_id: GrantId) -> bool:
        try:
            record = await self._grants.record(grant_id)
        except (RecordGoneError, KeyDestroyedError):
            return False  # It ended meanwhile.
        sources = await self._controls.on(record.sources, record.source_controller, asks_each=record.asks_each)
        if sources == record.sources:
            return False
        await self._grants.revise(record, {"sources": sources}, is_hers=False)
        return True
