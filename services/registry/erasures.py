"""From the reports of the stores to signed receipts: a level is signed when every store of the data map reached it, never sooner."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from assent.events.erasures import ErasureLevel, ErasureProgressed
from assent.ids import ErasureId
from assent.keys.cipher import KeyFingerprint
from assent.receipts.commitment import Commitment
from assent.receipts.leaves import DeletionLogical, DeletionPhysical, StoreCount
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import ERASURE_DURATION, RECEIPTS
from services.registry.data_map import STORES
from services.registry.erasure_table import (
    ErasureRow,
    ProgressRow,
    ReceiptRow,
    erasure_row,
    insert_receipt,
    progress_rows,
    receipts_of,
    record_progress,
    unproven,
)
from services.registry.receipt_desk import ReceiptDesk
from services.registry.store import RegistryStore
from services.registry.trouble import one_by_one

LEVELS = (ErasureLevel.LOGICAL, ErasureLevel.PHYSICAL)
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_.:-]+")


class ErasureDesk:
    """Keeps the progress of every erasure and signs what is complete."""

    def __init__(self, *, store: RegistryStore, receipts: ReceiptDesk, metrics: Metrics) -> None:
        self._store = store
        self._receipts = receipts
        self._metrics = metrics
        self._each = one_by_one(metrics)

    async def take(self, progress: ErasureProgressed) -> bool:
        """Write down a report of an erasure of ours; False for one of a foreign registry."""
        erasure = await self._store.read(lambda database: erasure_row(database, progress.erasure_id))
        if erasure is None or erasure.grant_id != progress.grant_id:
            return False
        await self._store.write(lambda database: record_progress(database, progress))
        with self._each.alone("receipts", erasure.grant_id):
            await self._conclude(erasure)
        return True

    async def conclude_all(self) -> None:
        """Sign what a crash left unsigned."""
        for erasure in await self._store.read(unproven):
            with self._each.alone("receipts", erasure.grant_id):
                await self._conclude(erasure)

    async def status(self, erasure_id: ErasureId) -> tuple[ErasureRow, list[ProgressRow], list[ReceiptRow]] | None:
        """Everything known of one erasure, or None."""
        erasure = await self._store.read(lambda database: erasure_row(database, erasure_id))
        if erasure is None:
            return None
        progress = await self._store.read(lambda database: progress_rows(database, erasure_id))
        return erasure, progress, await self._store.read(lambda database: receipts_of(database, erasure_id))

    async def _conclude(self, erasure: ErasureRow) -> None:
        progress = await self._store.read(lambda database: progress_rows(database, erasure.erasure_id))
        held = {receipt.kind for receipt in await self._store.read(lambda database: receipts_of(database, erasure.erasure_id))}
        for level in LEVELS:
            kind = f"deletion_{level.value}"
            reached = {row.store: row for row in progress if row.level is level}
            if kind in held or not STORES <= reached.keys() or any(row.count_after for row in reached.values()):
                continue
            await self._sign(erasure, level, kind, reached, progress)

    async def _sign(
        self,
        erasure: ErasureRow,
        level: ErasureLevel,
        kind: str,
        reached: Mapping[str, ProgressRow],
        progress: Sequence[ProgressRow],
    ) -> None:
        leaf = _leaf(erasure, level, reached, progress)
        receipt = await self._receipts.deletion(leaf, kind=kind)
        row = ReceiptRow(f"{level.value}-{erasure.erasure_id}", erasure.erasure_id, kind, receipt.to_json())
        await self._store.write(lambda database: insert_receipt(database, row))
        self._metrics.increase(RECEIPTS, level=level.value)
        seconds = (leaf.reached_at - erasure.requested_at).total_seconds()
        self._metrics.observe(ERASURE_DURATION, max(0.0, seconds), level=level.value)


def _leaf(
    erasure: ErasureRow, level: ErasureLevel, reached: Mapping[str, ProgressRow], progress: Sequence[ProgressRow]
) -> DeletionLogical | DeletionPhysical:
    stores = tuple(
        StoreCount(
            store=name,
            count_before=max(row.count_before for row in progress if row.store == name),
            count_after=reached[name].count_after,
            method=_token(reached[name].method),
        )
        for name in sorted(reached)
    )
    remains = tuple(dict.fromkeys(sentence[:300] for name in sorted(reached) for sentence in reached[name].remains if sentence))
    facts = {
        "erasure_id": erasure.erasure_id,
        "cause": erasure.cause.value,
        "grant": Commitment(erasure.grant_commitment),
        "stores": stores,
        "remains": remains[:32],
        "requested_at": erasure.requested_at,
        "reached_at": max(erasure.requested_at, *(row.reached_at for row in reached.values())),
    }
    if level is ErasureLevel.LOGICAL:
        return DeletionLogical.model_validate(facts | {"points": erasure.points_commitment, "queries_sha256": _read_backs(reached)})
    fingerprint = KeyFingerprint(erasure.key_fingerprint) if erasure.key_fingerprint else None
    bounds = {name.replace("/", "."): offset for name, offset in (erasure.offsets or {}).items()}
    return DeletionPhysical.model_validate(
        facts | {"key_fingerprint": fingerprint, "bounds": bounds, "derived_artefacts": ("pictures", "templates")}
    )


def _read_backs(reached: Mapping[str, ProgressRow]) -> str:
    """Digest of what each store found when it read back."""
    facts: list[Any] = [
        {"store": name, "count_after": row.count_after, "method": row.method, "reached_at": row.reached_at.isoformat()}
        for name, row in sorted(reached.items())
    ]
    return hashlib.sha256(rfc8785.dumps(facts)).hexdigest()


def _token(method: str) -> str:
    return _NOT_TOKEN.sub("_", method)[:80] or "deleted"
