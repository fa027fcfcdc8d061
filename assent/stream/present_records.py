"""Everything that lies on some topics now, read once and without a group; it never waits for more, and writes nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from assent.events.record import StoredRecord
from assent.stream.event_log import EventLog, LogUnavailableError, TopicPartition

POLL_S = 1.0
QUIET_POLLS = 30
"""Polls in a row that bring nothing before the log counts as away."""


async def present_records(log: EventLog, topics: Sequence[str]) -> AsyncGenerator[StoredRecord, None]:
    """In offset order per partition, up to where each ended at the call. Raises LogUnavailableError, UnknownTopicError."""
    ends = await log.end_offsets(topics)
    tail = await log.tail(topics)
    quiet = 0
    try:
        while any(tail.positions().get(at, 0) < end for at, end in ends.items() if end):
            records = await tail.poll(timeout_s=POLL_S)
            quiet = 0 if records else quiet + 1
            if quiet > QUIET_POLLS:
                raise LogUnavailableError(f"{', '.join(topics)} cannot be read to their ends; check the log")
            for record in records:
                if not record.is_marker and record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield record
    finally:
        await tail.close()
