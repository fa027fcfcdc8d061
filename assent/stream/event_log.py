"""The port to the log: append, read, follow, consume in a group; an append that returned is durable, a commit is always explicit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings


class LogUnavailableError(Exception):
    """Raised when the log does not answer in time; whether an append landed is then unknown, and ids make a second one harmless."""


class LogLockedError(Exception):
    """Raised when another process owns the log. The message names the file and the remedy."""


class RecordTooLargeError(Exception):
    """Raised when a record is over the log's limit."""


class DamagedRecordError(Exception):
    """Raised when a reader that must miss no record meets one that the log cannot give; a group is given its place instead."""


class UnknownTopicError(Exception):
    """Raised when a topic was never created."""


# Tuples, not data classes: one of each is made and hashed for every record.
class TopicPartition(NamedTuple):
    """One ordered part of a topic."""

    topic: str
    partition: int


class Position(NamedTuple):
    """Where a record landed."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a log really does; tests skip by it, and nothing else may.

    `compaction`: keeps only the last record per key; `persistence`: a restart keeps what was acknowledged; `record_limit`:
    the log itself refuses a record that is too large; `multi_process`: several processes may use it at once.
    """

    compaction: bool
    persistence: bool
    record_limit: bool
    multi_process: bool


OnRevoked = Callable[[frozenset[TopicPartition]], Awaitable[None]]
"""Awaited before partitions move to another member, so that work on them ends or is abandoned; not called on close."""


class Subscription(Protocol):
    """A member of a group. Reading begins where the group committed, or at the first record. It polls while it commits."""

    async def poll(self, *, max_records: int, timeout_s: float) -> list[StoredRecord]:
        """Records of unpaused partitions that are ours, in offset order per partition; an empty list after `timeout_s`.

        Where the log has no record to give, its place comes with `damage` or `is_marker`.
        """
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> frozenset[TopicPartition]:
        """Commit the next offset per partition; partitions that moved are dropped and returned."""
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read this partition from here next."""
        ...

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Give no records of these until resumed."""
        ...

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Give records of these again."""
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are ours now."""
        ...

    async def close(self) -> None:
        """Leave the group, inside a bound, whatever the log does."""
        ...


class Tail(Protocol):
    """A follower without a group, from the first record on."""

    async def poll(self, *, timeout_s: float) -> list[StoredRecord]:
        """The next records, in offset order per partition."""
        ...

    def positions(self) -> dict[TopicPartition, int]:
        """Per partition the offset of the next record to read; past gaps of compaction."""
        ...

    async def close(self) -> None:
        """Stop following."""
        ...


class EventLog(Protocol):
    """The log itself."""

    @property
    def capabilities(self) -> Capabilities:
        """What this implementation really does."""
        ...

    async def start(self) -> None:
        """Open. Raises LogLockedError or LogUnavailableError."""
        ...

    async def close(self) -> None:
        """Close."""
        ...

    async def ensure_topics(self, topics: Mapping[str, TopicSettings]) -> None:
        """Create what is missing. Raises ValueError when an existing topic has another partition count."""
        ...

    async def append(self, records: Sequence[Record]) -> list[Position]:
        """Append all or raise; acknowledged and durable on return.

        Raises RecordTooLargeError and UnknownTopicError before anything was written, LogUnavailableError when it is
        unknown what was.
        """
        ...

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> list[StoredRecord]:
        """Records from an offset on, without a group; places without one as `Subscription.poll` gives them."""
        ...

    async def beginning_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        """Per partition the first offset that retention has left."""
        ...

    async def end_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        """Per partition the offset the next record will get: everything acknowledged before the call lies below it."""
        ...

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Raises UnknownTopicError."""
        ...

    async def subscribe(self, topics: Sequence[str], *, group: str, member: str, on_revoked: OnRevoked) -> Subscription:
        """Join a group, where topics with the same partition count always have the same owner per partition."""
        ...

    async def committed(self, group: str, topics: Collection[str]) -> dict[TopicPartition, int]:
        """Committed next offsets of a group; 0 where nothing was committed."""
        ...

    async def tail(self, topics: Collection[str]) -> Tail:
        """Follow topics from their beginning."""
        ...
