"""What every test of the event log stands on: the three logs, records of a topic of its own, members that join and settle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal
from uuid import uuid4

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.event_log import (
    EventLog,
    Subscription,
    TopicPartition,
)
from tests.contract.kafka_broker import apache_kafka, tansu  # noqa: F401  fixtures

PATIENCE_S = 30.0
STORM = 8
Codec = Literal["gzip", "snappy", "lz4", "zstd"]
Opener = Callable[[], Awaitable[EventLog]]


async def topic_of(log: EventLog, *, partitions: int = 6, cleanup: str = "delete") -> str:
    """A new topic of its own."""
    name = f"t.{uuid4().hex[:12]}"
    settings = TopicSettings("key", "compact" if cleanup == "compact" else "delete", None, partitions, ())
    await log.ensure_topics({name: settings})
    return name


def records(topic: str, count: int, *, start: int = 0) -> list[Record]:
    return [Record(topic, f"k{number}".encode(), str(number).encode()) for number in range(start, start + count)]


def values(found: Sequence[StoredRecord]) -> list[int]:
    return sorted(int(record.value or b"-1") for record in found)


async def no_revoke(_: frozenset[TopicPartition]) -> None:
    """A member that has nothing in hand."""


async def join(log: EventLog, topics: Sequence[str], group: str, member: str = "m") -> Subscription:
    return await log.subscribe(topics, group=group, member=member, on_revoked=no_revoke)


async def take(subscription: Subscription, count: int) -> list[StoredRecord]:
    """At least `count` records."""
    found: list[StoredRecord] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} records"
        found += await subscription.poll(max_records=100, timeout_s=0.5)
    return found


async def settle(members: Sequence[Subscription], wanted: int) -> list[frozenset[TopicPartition]]:
    """Poll all members, as they would, until their shares cover `wanted` partitions once each."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        await asyncio.gather(*(member.poll(max_records=10, timeout_s=0.2) for member in members))
        shares = [member.assignment() for member in members]
        if all(shares) and sum(map(len, shares)) == wanted == len(frozenset().union(*shares)):
            return shares
        assert time.monotonic() < deadline, shares


def next_offsets(found: Sequence[StoredRecord]) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = {}
    for record in found:
        at = TopicPartition(record.topic, record.partition)
        ends[at] = max(ends.get(at, 0), record.offset + 1)
    return ends


class Latest:
    """The last value per key."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes | None] = {}

    def apply(self, record: StoredRecord) -> None:
        self.held[record.key] = record.value
