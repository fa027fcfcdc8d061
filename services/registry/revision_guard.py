"""Follows the grants on the log and puts the highest revision last again when a lower one landed after it."""

from __future__ import annotations

import functools

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.events.envelope import UnreadableEventError, decode
from assent.events.grants import GrantSnapshot
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import GrantId
from assent.intake.registry_signature import is_registrys_word
from assent.stream.event_log import EventLog, RecordTooLargeError, Tail
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import GRANTS_REAPPENDED
from services.registry.grant_record import snapshot
from services.registry.grant_table import grant_row, last_revision, mark_published, unpublished
from services.registry.grant_vault import UNREADABLE, GrantVault
from services.registry.publisher import Publisher, snapshot_event
from services.registry.store import RegistryStore
from services.registry.trouble import one_by_one

_LOG = structlog.get_logger()


class RevisionGuard:
    """Compaction keeps the last offset, not the last revision: an older append that timed out and landed late must not stay last.

    Nor must what somebody else wrote: a record that does not hold counts as lower than every revision.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        store: RegistryStore,
        vault: GrantVault,
        publisher: Publisher,
        metrics: Metrics,
        public_key: Ed25519PublicKey,
    ) -> None:
        self._log = log
        self._store = store
        self._vault = vault
        self._publisher = publisher
        self._metrics = metrics
        self._each = one_by_one(metrics)
        self._public_key = public_key
        self._last: dict[GrantId, int] = {}
        self._tail: Tail | None = None

    async def publish_missed(self) -> None:
        """Append what was written to the registry's file and never acknowledged by the log."""
        for row in await self._store.read(unpublished):
            with self._each.alone("snapshots", row.grant_id):
                await self._append(row.grant_id)

    async def look(self, *, timeout_s: float) -> int:
        """Read on; at the end of the log append again what was overtaken. How many were."""
        if self._tail is None:
            self._tail = await self._log.tail([Topic.GRANTS.value])
        for record in await self._tail.poll(timeout_s=timeout_s):
            self._last[GrantId(record.key.decode(errors="replace"))] = self._revision(record)
        ends = await self._log.end_offsets([Topic.GRANTS.value])
        positions = self._tail.positions()
        if any(positions.get(partition, 0) < end for partition, end in ends.items()):
            return 0
        return await self._judge()

    async def close(self) -> None:
        """Stop following."""
        if self._tail is not None:
            await self._tail.close()
            self._tail = None

    def _revision(self, record: StoredRecord) -> int:
        """The revision that this record puts last; 0 where nobody can go by it."""
        if not is_registrys_word(record, self._public_key):
            _LOG.error("grant_not_ours", topic=record.topic, partition=record.partition, offset=record.offset)
            return 0
        try:
            data = decode(record).data
        except UnreadableEventError as error:
            _LOG.error("grant_unreadable", topic=record.topic, partition=record.partition, offset=record.offset, cause=error.cause)
            return 0
        return data.revision if isinstance(data, GrantSnapshot) else 0

    async def _judge(self) -> int:
        """What was seen last is compared once with the registry's own file; what was right is forgotten."""
        overtaken = 0
        for grant_id, revision in list(self._last.items()):
            with self._each.alone("revisions", grant_id):
                overtaken += await self._put_last(grant_id, revision)
        return overtaken

    async def _put_last(self, grant_id: GrantId, revision: int) -> bool:
        row = await self._store.read(functools.partial(grant_row, grant_id=grant_id))
        is_overtaken = row is not None and row.published_revision > revision
        if is_overtaken and not await self._append(grant_id):
            return False  # It stays overtaken, and is looked at again.
        if self._last.get(grant_id) == revision:
            del self._last[grant_id]
        if is_overtaken:
            self._metrics.increase(GRANTS_REAPPENDED)
        return is_overtaken

    async def _append(self, grant_id: GrantId) -> bool:
        """False where the record cannot be opened or is too large for the log: that must stop neither those of others nor the registry,
        which takes withdrawals.
        """
        row = await self._store.read(lambda database: grant_row(database, grant_id))
        last = await self._store.read(lambda database: last_revision(database, grant_id))
        assert row is not None
        assert last is not None
        wire = row.ended()
        if wire is None:
            try:
                wire = snapshot(await self._vault.open(last))
            except UNREADABLE as error:
                _LOG.error("record_unreadable", grant_id=grant_id, error=type(error).__name__)
                return False
        try:
            await self._publisher.publish([snapshot_event(wire, time=row.changed_at)])
        except RecordTooLargeError:
            _LOG.error("record_too_large", grant_id=grant_id)
            return False
        await self._store.write(lambda database: mark_published(database, grant_id, wire.revision))
        return True
