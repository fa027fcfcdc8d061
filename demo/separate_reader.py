"""Counts vectors without a live grant, from the store and a fresh reading of the log; shares no code with what decides in the services."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from assent.ids import FaceId, GrantId
from assent.stream.event_log import EventLog
from assent.vectors.store import VectorStore

_LIVE = ("given", "renewed")


async def grants_that_live(log: EventLog, now: datetime) -> set[str]:
    """Grant ids whose highest revision is given and not over, less every withdrawn one, joint ones less those that lost a member."""
    newest: dict[str, dict[str, Any]] = {}
    async for grant in _values(log, "grants"):
        if grant["revision"] >= newest.get(grant["grant_id"], {"revision": 0})["revision"]:
            newest[grant["grant_id"]] = grant
    withdrawn = {item["grant_id"] async for item in _values(log, "withdrawals")}
    alone = {name for name, grant in newest.items() if name not in withdrawn and _is_live(grant, now)}
    return {name for name in alone if all(member in alone for member in newest[name]["binding"]["member_grants"])}


async def vectors_without_live_grant(log: EventLog, store: VectorStore) -> int:
    """How many points of the store name a grant that is not live."""
    live = await grants_that_live(log, datetime.now(UTC))
    return sum(grant not in live for grant in await grants_in_store(store))


async def grants_in_store(store: VectorStore) -> list[GrantId]:
    """The grant of every point, one entry per point."""
    found: list[GrantId] = []
    after: FaceId | None = None
    while page := await store.scroll(after, 256):
        found.extend(point.grant_id for point in page)
        after = page[-1].face_id
    return found


def _is_live(grant: dict[str, Any], now: datetime) -> bool:
    starts, ends = (datetime.fromisoformat(grant[name]) for name in ("not_before", "expires_at"))
    return grant["state"] in _LIVE and grant["confirmed_at"] is not None and starts <= now < ends


async def _values(log: EventLog, topic: str) -> AsyncIterator[dict[str, Any]]:
    starts, ends = await log.beginning_offsets([topic]), await log.end_offsets([topic])
    tail = await log.tail([topic])
    reached = dict(starts)
    try:
        while any(reached.get(at, 0) < end for at, end in ends.items()):
            for record in await tail.poll(timeout_s=1.0):
                if record.value is not None:
                    yield json.loads(record.value)
            reached.update(tail.positions())
    finally:
        await tail.close()
