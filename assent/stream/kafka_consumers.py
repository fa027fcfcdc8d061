"""The two readers of Apache Kafka, a member of a group and a follower; offsets are committed as told and never by the client itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalGenerationError, IllegalStateError, KafkaError, UnknownMemberIdError
from aiokafka.structs import TopicPartition as KafkaPartition

from assent.events.record import StoredRecord
from assent.events.topics import OPEN_TO_STRANGERS
from assent.stream.event_log import DamagedRecordError, LogUnavailableError, OnRevoked, TopicPartition
from assent.stream.kafka_batches import DAMAGED, MARKER, read_batches_carefully
from assent.stream.kafka_calls import call, translated
from assent.stream.kafka_settings import KafkaSettings

TAIL_BATCH = 5_000
_LOG = structlog.get_logger()
read_batches_carefully()


def theirs(at: TopicPartition) -> Any:
    """The client's own type."""
    return KafkaPartition(at.topic, at.partition)


def ours(at: Any) -> TopicPartition:
    """The port's type."""
    return TopicPartition(at.topic, at.partition)


def stored(found: Mapping[Any, Sequence[Any]]) -> list[StoredRecord]:
    """What `getmany` gives, in offset order per partition."""
    return [_stored(record) for records in found.values() for record in records]


def whole(records: Sequence[StoredRecord]) -> list[StoredRecord]:
    """The records alone, for a reader that must miss none of ours. Raises DamagedRecordError.

    A damaged place where strangers write is handed on as one: decoding it fails as that of an unreadable record does.
    """
    for record in records:
        if record.damage is not None and record.topic not in OPEN_TO_STRANGERS:
            raise DamagedRecordError(
                f"{record.topic}/{record.partition} cannot be read up to offset {record.offset} ({record.damage}); restore the log"
            )
    return [record for record in records if not record.is_marker]


def _stored(record: Any) -> StoredRecord:
    name, told = record.headers[0] if record.headers else ("", None)
    place = (record.topic, record.partition, record.offset, record.timestamp)
    if name is DAMAGED:
        return StoredRecord(*place, b"", None, damage=(told or b"").decode())
    if name is MARKER:
        return StoredRecord(*place, b"", None, is_marker=True)
    return StoredRecord(*place, record.key or b"", record.value, tuple([(name, value or b"") for name, value in record.headers]))


async def stopped(stop: Callable[[], Awaitable[None]], *, timeout_s: float) -> None:
    """Close a client; one that hangs on a dead broker is left behind after `timeout_s`."""
    with contextlib.suppress(KafkaError, OSError):
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    await stop()
                except asyncio.CancelledError:
                    # The client awaits tasks that it cancelled itself; only a cancellation that is meant for us goes on.
                    task = asyncio.current_task()
                    if task is None or task.cancelling():
                        raise
        except TimeoutError:
            _LOG.warning("kafka_client_left_behind")


async def getmany(consumer: AIOKafkaConsumer, *, max_records: int | None, timeout_s: float) -> list[StoredRecord]:
    """Records, or none in time: the client waits for the end of a rebalance beyond its own time-out."""
    try:
        with translated("reading"):
            async with asyncio.timeout(timeout_s + 0.1):
                return stored(await consumer.getmany(timeout_ms=max(1, int(timeout_s * 1000)), max_records=max_records))
    except LogUnavailableError as error:
        if isinstance(error.__cause__, TimeoutError):
            return []
        raise


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs inside the client's own task between two awaits of ours; it must not call `getmany`."""

    def __init__(self, on_revoked: OnRevoked) -> None:
        self._on_revoked = on_revoked

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        if revoked:
            await self._on_revoked(frozenset(ours(at) for at in revoked))

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Positions come from the committed offsets, as the client does it."""


class KafkaSubscription:
    """A member of a group on Apache Kafka."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: KafkaSettings, on_closed: Callable[[KafkaSubscription], None]) -> None:
        self._consumer = consumer
        self._settings = settings
        self._on_closed = on_closed
        self._committing: asyncio.Timeout | None = None

    def join(self, topics: Sequence[str], on_revoked: OnRevoked) -> None:
        """Ask for partitions; they come while polling."""

        async def revoked(partitions: frozenset[TopicPartition]) -> None:
            await on_revoked(partitions)
            self._drop_commit()

        self._consumer.subscribe(list(topics), listener=_Listener(revoked))

    def _drop_commit(self) -> None:
        """The client would try a commit that got no answer again as a member of the next generation, for partitions that moved."""
        if self._committing is not None:
            self._committing.reschedule(asyncio.get_running_loop().time())

    async def poll(self, *, max_records: int, timeout_s: float) -> list[StoredRecord]:
        return await getmany(self._consumer, max_records=max_records, timeout_s=timeout_s)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> frozenset[TopicPartition]:
        held = self.assignment()
        wanted = {theirs(at): offset for at, offset in offsets.items() if at in held}
        moved = frozenset(offsets.keys() - held)
        if not wanted:
            return moved
        try:
            with translated("committing offsets"):
                async with asyncio.timeout(self._settings.request_timeout_s) as self._committing:
                    try:
                        await self._consumer.commit(wanted)
                    except (CommitFailedError, IllegalStateError, IllegalGenerationError, UnknownMemberIdError):
                        return frozenset(offsets)
        except LogUnavailableError:
            # The answer is lost, or a rebalance began: whoever owns the partitions next starts at what the broker has.
            if not offsets.keys() <= self.assignment():
                return frozenset(offsets)
            raise
        finally:
            self._committing = None
        return moved

    def seek(self, partition: TopicPartition, offset: int) -> None:
        with contextlib.suppress(IllegalStateError):
            self._consumer.seek(theirs(partition), offset)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        for at in self.assignment().intersection(partitions):
            with contextlib.suppress(IllegalStateError):
                self._consumer.pause(theirs(at))

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        for at in self.assignment().intersection(partitions):
            with contextlib.suppress(IllegalStateError):
                self._consumer.resume(theirs(at))

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(ours(at) for at in self._consumer.assignment())

    async def close(self) -> None:
        await stopped(self._consumer.stop, timeout_s=self._settings.close_timeout_s)
        self._on_closed(self)


class KafkaTail:
    """A follower without a group."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: KafkaSettings, on_closed: Callable[[KafkaTail], None]) -> None:
        self._consumer = consumer
        self._settings = settings
        self._on_closed = on_closed
        self._positions: dict[TopicPartition, int] = {}
        # Given by the client and not yet by us: a table that missed one would hold a withdrawn grant for live.
        self._taken: list[StoredRecord] = []

    async def begin(self, partitions: Collection[TopicPartition]) -> None:
        """Stand before the first record that is left."""
        assigned = [theirs(at) for at in partitions]
        self._consumer.assign(assigned)
        timeout_s = self._settings.request_timeout_s
        await call(self._consumer.seek_to_beginning(*assigned), timeout_s=timeout_s, what="finding the first offsets")
        await self._look()

    async def poll(self, *, timeout_s: float) -> list[StoredRecord]:
        self._taken += whole(await getmany(self._consumer, max_records=TAIL_BATCH, timeout_s=timeout_s))
        await self._look()
        records, self._taken = self._taken, []
        return records

    def positions(self) -> dict[TopicPartition, int]:
        return dict(self._positions)

    async def close(self) -> None:
        await stopped(self._consumer.stop, timeout_s=self._settings.close_timeout_s)
        self._on_closed(self)

    async def _look(self) -> None:
        """The client's position moves past what compaction took, also where it gave no record."""
        for at in self._consumer.assignment():
            position = await call(self._consumer.position(at), timeout_s=self._settings.request_timeout_s, what="asking a position")
            self._positions[ours(at)] = position
