"""The end of a grant: withdrawal, expiry, order. Written down first, then on the log, then the key; it never waits for a yes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from uuid_utils.compat import uuid7

from assent.blobs.store import BlobStoreUnavailableError
from assent.events.envelope import Event
from assent.events.erasures import ErasureCause, ErasureLevel, ErasureProgressed, ErasureRequested
from assent.events.grants import GrantSnapshot, GrantState, GrantWithdrawn
from assent.events.payload import EventPayload
from assent.identity.errors import ApiError
from assent.ids import ErasureId, GrantId
from assent.keys.grant_keys import GrantKeyring
from assent.receipts.commitment import commit, commit_set, new_salt
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from services.registry.data_map import DATA_MAP, Store
from services.registry.erasure_table import (
    ErasureRow,
    erasure_of,
    insert_erasure,
    mark_all_acknowledged,
    mark_announced,
    set_proof,
    unannounced,
)
from services.registry.grant_record import Grant, ended_snapshot
from services.registry.grant_table import (
    GrantRow,
    RevisionRow,
    delete_idle_subject,
    end_grant,
    forget_records,
    grant_row,
    last_revision,
    mark_published,
    open_joints_of,
    revision_rows,
)
from services.registry.grant_vault import UNREADABLE, GrantVault
from services.registry.openings import Openings, sealed_opening
from services.registry.outcome_table import faces_of, forget_grant
from services.registry.publisher import Offsets, Publisher, registry_event, snapshot_event
from services.registry.receipt_desk import ReceiptDesk
from services.registry.refused import not_live, registry_file_read
from services.registry.store import RegistryStore, RevisionConflictError
from services.registry.trouble import one_by_one

ANSWERED_WITHIN_S = 10.0
"""How long a withdrawal waits for its key to be destroyed; a store that does not even fail must not keep her waiting. Every step may
be cut off and repeated."""
_LOG = structlog.get_logger()
_STATES = {ErasureCause.WITHDRAWAL: GrantState.WITHDRAWN, ErasureCause.EXPIRY: GrantState.EXPIRED}


@dataclass(frozen=True, slots=True)
class Ended:
    """The acknowledgement: the end of the grant is on the log at these offsets, and its key is gone.

    `opening_salt` lets the subject show that a receipt is about her grant. Whoever brings the secret of the grant is told it
    every time; without it, it is known here for the last time.
    """

    erasure_id: ErasureId
    grant_id: GrantId
    ended_at: datetime
    offsets: Offsets
    opening_salt: str | None = None


@dataclass(frozen=True, slots=True)
class _Ending:
    """What one grant's end writes: its last revision, the emptied snapshot and the erasure."""

    erasure: ErasureRow
    revision: RevisionRow
    wire: GrantSnapshot


class Endings:
    """Ends grants. `end` is idempotent; `resume` finishes what a crash or an outage left half way.

    Nothing that happens before the end is on the log asks the key store or the blob store, so neither can delay it.
    """

    def __init__(
        self,
        *,
        store: RegistryStore,
        vault: GrantVault,
        grant_keys: GrantKeyring,
        openings: Openings,
        publisher: Publisher,
        receipts: ReceiptDesk,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._vault = vault
        self._grant_keys = grant_keys
        self._openings = openings
        self._publisher = publisher
        self._receipts = receipts
        self._clock = clock
        self._each = one_by_one(metrics)
        self._writing = asyncio.Lock()
        self._publishing = asyncio.Lock()
        self._finishing = asyncio.Lock()
        self._asked: dict[GrantId, str | None] = {}
        self._unheard: Counter[ErasureId] = Counter()
        self._failed: Counter[ErasureId] = Counter()

    async def end(self, grant_id: GrantId, cause: ErasureCause, *, secret: str | None = None) -> Ended:
        """End a live grant and every joint grant that lists it, in one append. Again: the same erasure and offsets, and for
        `secret`, the one of the grant, the same opening.
        """
        self._asked.setdefault(grant_id, None)
        try:
            await self.begin(grant_id, cause)
            # With the key store away the end is on the log and nothing is disclosed; the rounds destroy the key later.
            with contextlib.suppress(ApiError, BlobStoreUnavailableError, TimeoutError):
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    await self.resume()
        finally:
            salt = self._asked.pop(grant_id, None)
        finished = await self._store.read(lambda database: erasure_of(database, grant_id))
        if finished is None or finished.offsets is None:
            raise ApiError(503, "log_unavailable", "The withdrawal is written down and goes on by itself.", "Ask again.")
        if not finished.is_announced:
            raise ApiError(503, "key_store_unavailable", "The withdrawal counts; what is left of it goes on by itself.", "Ask again.")
        if secret is not None:
            sealed = await self._store.read(lambda database: sealed_opening(database, grant_id))
            salt = self._opens(finished, self._openings.open(grant_id, secret, sealed)) or salt
        return Ended(finished.erasure_id, grant_id, finished.requested_at, finished.offsets, salt)

    async def begin(self, grant_id: GrantId, cause: ErasureCause) -> None:
        """The end is written down and on the log: from here on nothing of it is disclosed. Its key goes with `resume`."""
        # One after the other: two members of a joint grant who end theirs at once both end it, and neither is refused for it.
        async with self._writing:
            while await self._store.read(lambda database: erasure_of(database, grant_id)) is None:
                # A change of hers that came between is no reason to refuse her end: it is prepared again on what stands now.
                with contextlib.suppress(RevisionConflictError):
                    await self._write(await self._prepare(grant_id, cause))
        try:
            await self.publish()
        except ApiError:
            ending = await self._store.read(lambda database: erasure_of(database, grant_id))
            if ending is None or ending.offsets is None:
                raise

    async def publish(self) -> None:
        """Put every end that is written down on the log: what is new in one append, then one by one what failed before."""
        async with self._publishing:
            await self._publish()

    async def resume(self) -> None:
        """Carry every ending that is half way to its end: first all of them onto the log, then key after key."""
        trouble: ApiError | None = None
        try:
            await self.publish()
        except ApiError as error:
            trouble = error  # Of some, perhaps: what the log holds is finished all the same.
        async with self._finishing:
            await self._finish_all()
        if trouble is not None:
            raise trouble

    async def _publish(self) -> None:
        pending = await self._store.read(unannounced)
        unacknowledged = [erasure for erasure in pending if erasure.offsets is None]
        for batch in self._batches(unacknowledged):
            self._unheard.update(erasure.erasure_id for erasure in batch)
            # Made one by one: what cannot be told of one grant must not keep the rest of the append from being made.
            events: dict[ErasureId, Event[EventPayload]] = {}
            for erasure in batch:
                with self._each.alone("withdrawals", erasure.grant_id):
                    events[erasure.erasure_id] = _withdrawn(erasure)
            if not events:
                continue
            offsets = await self._publisher.publish(list(events.values()))
            await self._store.write(functools.partial(mark_all_acknowledged, erasure_ids=list(events), offsets=offsets))
            for erasure_id in events:
                del self._unheard[erasure_id]

    def _batches(self, erasures: Sequence[ErasureRow]) -> list[list[ErasureRow]]:
        """One append fails whole where one partition is away. So what failed before comes last and by itself, a grant with its
        joint grants, and keeps nobody else's end from being acknowledged.
        """
        new = [erasure for erasure in erasures if not self._unheard[erasure.erasure_id]]
        failed: dict[datetime, list[ErasureRow]] = {}
        for erasure in erasures:
            if self._unheard[erasure.erasure_id]:
                failed.setdefault(erasure.requested_at, []).append(erasure)
        rarest_first = sorted(failed.values(), key=lambda batch: self._unheard[batch[0].erasure_id])
        return [new, *rarest_first] if new else rarest_first

    async def _finish_all(self) -> None:
        """What failed before comes last, so that a key that cannot be destroyed keeps nobody else's from being."""
        pending = [erasure for erasure in await self._store.read(unannounced) if erasure.offsets is not None]
        for erasure in sorted(pending, key=lambda erasure: self._failed[erasure.erasure_id]):
            self._failed[erasure.erasure_id] += 1
            with self._each.alone("endings", erasure.grant_id):
                await self._finish(erasure)
                del self._failed[erasure.erasure_id]

    async def _prepare(self, grant_id: GrantId, cause: ErasureCause) -> list[_Ending]:
        row = await self._store.read(lambda database: grant_row(database, grant_id))
        if row is None or not row.is_live:
            raise not_live("unknown" if row is None else row.state.value)
        joints = await self._store.read(lambda database: open_joints_of(database, grant_id))
        now = self._clock.now()
        return [await self._ending(each, cause, now) for each in (row, *joints)]

    async def _ending(self, row: GrantRow, cause: ErasureCause, now: datetime) -> _Ending:
        last = await self._store.read(lambda database: last_revision(database, row.grant_id))
        assert last is not None
        state = _STATES.get(cause, GrantState.REVOKED)
        wire = ended_snapshot(
            row.grant_id,
            revision=row.revision + 1,
            subject_id=row.subject_id,
            state=state,
            ended_at=now,
            expires_at=row.expires_at,
        )
        digest = hashlib.sha256(wire.model_dump_json().encode()).hexdigest()
        erasure = ErasureRow(
            erasure_id=ErasureId(str(uuid7())),
            grant_id=row.grant_id,
            cause=cause,
            requested_at=now,
            grant_commitment="",
            points_commitment="",
            key_fingerprint=None,
            offsets=None,
            is_announced=False,
        )
        revision = RevisionRow(row.grant_id, row.revision + 1, state, now, digest, last.sha256, self._vault.sign(digest), sealed=None)
        return _Ending(erasure, revision, wire)

    async def _write(self, endings: Sequence[_Ending]) -> None:
        def write(database: sqlite3.Connection) -> None:
            for ending in endings:
                end_grant(database, ending.revision, expires_at=ending.wire.expires_at, ended_wire=ending.wire.model_dump_json())
                insert_erasure(database, ending.erasure)

        await self._store.write(write)

    async def _finish(self, erasure: ErasureRow) -> None:
        """Proof, key, rows, then the request and our own progress on the log. Each step may be repeated."""
        if not erasure.grant_commitment:
            await self._set_proof(erasure)
        await self._grant_keys.destroy(erasure.grant_id)
        counts = await self._forget(erasure.grant_id)
        row = await self._store.read(lambda database: grant_row(database, erasure.grant_id))
        assert row is not None
        wire = row.ended()
        assert wire is not None
        now = self._clock.now()
        await self._publisher.publish(
            [
                snapshot_event(wire, time=erasure.requested_at),
                _requested(erasure),
                *(self._progress(erasure, store, ErasureLevel.LOGICAL, counts, now) for store in _OWN),
            ]
        )
        # Before `physical` is told: a crash, a cut-off or the trouble of another ending must not leave the rows in the file. The other
        # stores need not wait for ours.
        if not await self._store.scrub():
            raise registry_file_read()
        await self._publisher.publish([self._progress(erasure, store, ErasureLevel.PHYSICAL, counts, now) for store in _OWN])

        def announce(database: sqlite3.Connection) -> None:
            mark_published(database, erasure.grant_id, wire.revision)
            mark_announced(database, erasure.erasure_id)

        await self._store.write(announce)

    async def _set_proof(self, erasure: ErasureRow) -> None:
        """Open the record for the last time, while its key is there: what the receipts will say rests on it."""
        grant_id = erasure.grant_id
        rows = await self._store.read(lambda database: revision_rows(database, grant_id))
        record = await self._opened(next((row for row in reversed(rows) if row.sealed is not None), None))
        fingerprint = await self._grant_keys.fingerprint(grant_id)
        faces = await self._store.read(lambda database: faces_of(database, grant_id))
        if record is not None:
            last = rows[-1]
            ended = record.model_copy(update={"changed_at": last.changed_at})
            await self._receipts.grant_event(ended, state=last.state, revision=last.revision)
        salt = bytes.fromhex(record.salt) if record is not None else new_salt()
        if grant_id in self._asked and record is not None:
            self._asked[grant_id] = record.salt
        await self._store.write(
            lambda database: set_proof(
                database,
                erasure.erasure_id,
                grant=commit("grant", grant_id, salt=salt),
                points=commit_set("face", [face.face_id for face in faces], salt=salt),
                key_fingerprint=fingerprint,
            )
        )

    @staticmethod
    def _opens(erasure: ErasureRow, salt: str | None) -> str | None:
        """The salt, if it does open the receipts: they name another one where the record could not be read at the end."""
        if salt is None or commit("grant", erasure.grant_id, salt=bytes.fromhex(salt)) != erasure.grant_commitment:
            return None
        return salt

    async def _opened(self, sealed: RevisionRow | None) -> Grant | None:
        """The record, or None when it can never be opened: that must not stand in the way of an erasure."""
        if sealed is None:
            return None
        try:
            return await self._vault.open(sealed)
        except UNREADABLE as error:
            _LOG.error("record_unreadable_at_end", grant_id=sealed.grant_id, error=type(error).__name__)
            return None

    async def _forget(self, grant_id: GrantId) -> dict[Store, int]:
        def forget(database: sqlite3.Connection) -> dict[Store, int]:
            row = grant_row(database, grant_id)
            records = forget_records(database, grant_id)
            rows = forget_grant(database, grant_id)
            if row is not None:
                delete_idle_subject(database, row.subject_id)
            return {Store.KEYS: 1, Store.LOG: row.published_revision if row is not None else 0, Store.REGISTRY: records + rows}

        return await self._store.write(forget)

    def _progress(
        self, erasure: ErasureRow, store: Store, level: ErasureLevel, counts: dict[Store, int], now: datetime
    ) -> Event[EventPayload]:
        data = ErasureProgressed(
            erasure_id=erasure.erasure_id,
            grant_id=erasure.grant_id,
            store=store.value,
            level=level,
            count_before=counts[store],
            count_after=0,
            method="shred",
            remains=DATA_MAP[store].remains,
            reached_at=now,
        )
        return registry_event(data, erasure.erasure_id, store.value, level.value, time=now)


_OWN = (Store.KEYS, Store.LOG, Store.REGISTRY)


def _withdrawn(erasure: ErasureRow) -> Event[EventPayload]:
    data = GrantWithdrawn(grant_id=erasure.grant_id, withdrawn_at=erasure.requested_at)
    return registry_event(data, erasure.grant_id, time=erasure.requested_at)


def _requested(erasure: ErasureRow) -> Event[EventPayload]:
    data = ErasureRequested(
        erasure_id=erasure.erasure_id, grant_id=erasure.grant_id, cause=erasure.cause, requested_at=erasure.requested_at
    )
    return registry_event(data, erasure.erasure_id, time=erasure.requested_at)
