"""One service in a process of its own with promises broken on purpose; the product has no switch for any of it and never loads this.

    python faults/broken.py SERVICE

FAULTS_BREAKS names what is broken, separated by commas; without it the service is as it is. FAULTS_HOLDS is the folder of the
hold points, without which nothing is held.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

BREAKS_VARIABLE, HOLDS_VARIABLE = "FAULTS_BREAKS", "FAULTS_HOLDS"
LAUNCHER = Path(__file__).resolve()
BEFORE_WRITE, AFTER_WRITE, BATCH_ENDED = "before_write", "after_write", "batch_ended"


def _unchecked_writes() -> None:
    """The indexer does not catch its ledger up before a batch, and does not look again after its write."""
    from services.indexer.processor import FaceIndexer

    async def before_batch(self: Any) -> None:
        self._pending.clear()

    async def after_batch(self: Any, events: Sequence[Any]) -> None:
        points = list(self._pending.values())
        self._pending.clear()
        if points:
            await self._store.upsert(points)
            await self._store.flush()

    FaceIndexer.before_batch = before_batch  # type: ignore[method-assign]
    FaceIndexer.after_batch = after_batch  # type: ignore[method-assign]


def _round_robin() -> None:
    """Groups share partitions out by the client's own default."""
    from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

    from assent.stream import kafka

    setattr(kafka, "RangePartitionAssignor", RoundRobinPartitionAssignor)  # noqa: B010  the module does not hand it out


def _one_topic() -> None:
    """Withdrawals are written to and read from the topic of the grants, under the same key."""
    from assent.events.grants import GrantWithdrawn
    from assent.events.topics import Topic

    GrantWithdrawn.topic = Topic.GRANTS


def _no_guard() -> None:
    """The registry does not put the highest revision last again."""
    from services.registry.revision_guard import RevisionGuard

    async def look(self: Any, *, timeout_s: float) -> int:
        return 0

    RevisionGuard.look = look  # type: ignore[method-assign]


def _keys_kept() -> None:
    """The end of a grant leaves its key where it is."""
    from assent.keys.grant_keys import GrantKeyring

    async def destroy(self: Any, grant_id: Any) -> Any:
        return await self.fingerprint(grant_id)

    GrantKeyring.destroy = destroy  # type: ignore[method-assign]


BREAKS: dict[str, Callable[[], None]] = {
    "unchecked_writes": _unchecked_writes,
    "round_robin": _round_robin,
    "one_topic": _one_topic,
    "no_guard": _no_guard,
    "keys_kept": _keys_kept,
}


def hold_writes(folder: Path) -> None:
    """The indexer passes hold points before and after each write of the store and when its batch is written."""
    from assent.vectors.qdrant import QdrantVectorStore
    from faults.hold_points import HoldPoints
    from services.indexer.processor import FaceIndexer

    holds, upsert, after_batch = HoldPoints(folder), QdrantVectorStore.upsert, FaceIndexer.after_batch

    async def held_upsert(self: Any, points: Sequence[Any]) -> None:
        await holds.pass_by(BEFORE_WRITE)
        await upsert(self, points)
        await holds.pass_by(AFTER_WRITE)

    async def marked_after_batch(self: Any, events: Sequence[Any]) -> None:
        await after_batch(self, events)
        await holds.pass_by(BATCH_ENDED)

    QdrantVectorStore.upsert = held_upsert  # type: ignore[method-assign]
    FaceIndexer.after_batch = marked_after_batch  # type: ignore[method-assign]


def main() -> None:
    # Run by its path, the folder beside it comes first, where a `site.py` lies; what is needed is the folder above.
    sys.path[0] = str(LAUNCHER.parent.parent)
    service = sys.argv[1]
    for name in filter(None, os.environ.get(BREAKS_VARIABLE, "").split(",")):
        BREAKS[name]()
    if service == "indexer" and HOLDS_VARIABLE in os.environ:
        hold_writes(Path(os.environ[HOLDS_VARIABLE]))
    sys.argv = [f"services.{service}"]
    runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
