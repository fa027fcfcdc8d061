"""Apache Kafka behind the port, through aiokafka: acks=all, offsets as told, no transaction and no idempotent producer, which hang."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    LeaderNotAvailableError,
    NotCoordinatorForGroupError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from assent.events.record import Record, StoredRecord
from assent.events.topics import TopicSettings
from assent.stream.event_log import (
    Capabilities,
    LogUnavailableError,
    OnRevoked,
    Position,
    RecordTooLargeError,
    TopicPartition,
    UnknownTopicError,
)
from assent.stream.kafka_appends import Appending
from assent.stream.kafka_calls import call, translated
from assent.stream.kafka_consumers import KafkaSubscription, KafkaTail, getmany, stopped, theirs
from assent.stream.kafka_settings import KafkaSecurity, KafkaSettings, topic_configuration
from assent.stream.partitioner import positive_hashes

APACHE_KAFKA = Capabilities(compaction=True, persistence=True, record_limit=True, multi_process=True)
TANSU_BROKER = Capabilities(compaction=False, persistence=False, record_limit=False, multi_process=True)
BATCH_OVERHEAD_BYTES = 65_536
RETRY_S = 0.05
COORDINATOR_MOVES = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
_PLAIN = KafkaSecurity()
_USUAL = KafkaSettings()


class KafkaEventLog:
    """One producer, one client for questions, one consumer per reader. Close it: it holds connections."""

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        security: KafkaSecurity = _PLAIN,
        settings: KafkaSettings = _USUAL,
        capabilities: Capabilities = APACHE_KAFKA,
    ) -> None:
        self.capabilities = capabilities
        self._settings = settings
        self._client: dict[str, Any] = {
            "bootstrap_servers": bootstrap_servers,
            "request_timeout_ms": int(settings.request_timeout_s * 1000),
            **security.options(),
        }
        self._producer: AIOKafkaProducer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        # Its own client: on one that long-polls, a question waits behind the fetch in flight.
        self._questions: AIOKafkaConsumer | None = None
        self._readers: list[KafkaSubscription | KafkaTail] = []
        self._counts: dict[str, int] = {}

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError."""
        self._producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=False,
            compression_type=self._settings.compression,
            linger_ms=int(self._settings.linger_s * 1000),
            max_batch_size=self._settings.max_batch_bytes,
            max_request_size=self._settings.max_record_bytes + BATCH_OVERHEAD_BYTES,
            **self._client,
        )
        self._admin = AIOKafkaAdminClient(**self._client)
        self._questions = AIOKafkaConsumer(group_id=None, enable_auto_commit=False, **self._client)
        try:
            for part in (self._producer, self._admin, self._questions):
                await call(part.start(), timeout_s=self._settings.request_timeout_s, what="connecting to Kafka")
        except LogUnavailableError:
            await self.close()
            raise

    async def close(self) -> None:
        """Close every reader and client, one after the other, each inside its bound."""
        for reader in list(self._readers):
            await reader.close()
        timeout_s = self._settings.close_timeout_s
        if self._questions is not None:
            await stopped(self._questions.stop, timeout_s=timeout_s)
        if self._producer is not None:
            await stopped(self._producer.stop, timeout_s=timeout_s)
        if self._admin is not None:
            await stopped(self._admin.close, timeout_s=timeout_s)
        self._producer = self._admin = self._questions = None

    async def ensure_topics(self, topics: Mapping[str, TopicSettings]) -> None:
        """Create what is missing with its settings; what exists keeps its own, except that partition counts must agree."""
        found = await self._described(topics)
        missing = {name: settings for name, settings in topics.items() if name not in found}
        if missing:
            replicas = await self._replicas()
            new = [
                NewTopic(name, settings.partitions, replicas, topic_configs=topic_configuration(settings, replicas=replicas))
                for name, settings in missing.items()
            ]
            _raise_for_topics(await self._ask(self._open(self._admin).create_topics(new), "creating topics"))
            found = await self._led(topics)
        for name, settings in topics.items():
            if found[name] != settings.partitions:
                raise ValueError(f"topic {name} has {found[name]} partitions, {settings.partitions} are asked for; they never change")

    async def append(self, records: Sequence[Record]) -> list[Position]:
        appending = Appending(self._open(self._producer), records, await self._placed(records))
        with translated("appending (it is unknown what landed)"):
            async with asyncio.timeout(self._settings.append_timeout_s):
                await appending.send()
            return appending.landed()

    async def read(self, partition: TopicPartition, offset: int, *, max_records: int) -> list[StoredRecord]:
        end = (await self._offsets([partition.topic], "end_offsets"))[partition]
        first = (await self._offsets([partition.topic], "beginning_offsets"))[partition]
        found: list[StoredRecord] = []
        if max(offset, first) >= end:
            return found
        consumer = await self._consumer(None)
        try:
            consumer.assign([theirs(partition)])
            consumer.seek(theirs(partition), max(offset, first))
            async with asyncio.timeout(self._settings.request_timeout_s):
                while len(found) < max_records and await consumer.position(theirs(partition)) < end:
                    found += await getmany(consumer, max_records=max_records - len(found), timeout_s=self._settings.fetch_wait_s)
        except TimeoutError as error:
            raise LogUnavailableError(f"reading {partition.topic}: no answer in time; check the brokers") from error
        finally:
            await stopped(consumer.stop, timeout_s=self._settings.close_timeout_s)
        return found

    async def beginning_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        return await self._offsets(topics, "beginning_offsets")

    async def end_offsets(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        return await self._offsets(topics, "end_offsets")

    async def partitions(self, topic: str) -> int:
        if topic not in self._counts:
            found = await self._described([topic])
            if topic not in found:
                raise UnknownTopicError(f"topic {topic} was never created")
        return self._counts[topic]

    async def subscribe(self, topics: Sequence[str], *, group: str, member: str, on_revoked: OnRevoked) -> KafkaSubscription:
        for topic in topics:
            await self.partitions(topic)
        subscription = KafkaSubscription(await self._consumer(group, member), self._settings, self._readers.remove)
        subscription.join(topics, on_revoked)
        self._readers.append(subscription)
        return subscription

    async def committed(self, group: str, topics: Collection[str]) -> dict[TopicPartition, int]:
        found = dict.fromkeys(await self._parts(topics), 0)
        held = await self._group_offsets(group, [theirs(at) for at in found])
        return {at: max(0, held[theirs(at)].offset) for at in found}

    async def tail(self, topics: Collection[str]) -> KafkaTail:
        parts = await self._parts(topics)
        tail = KafkaTail(await self._consumer(None), self._settings, self._readers.remove)
        self._readers.append(tail)
        await tail.begin(parts)
        return tail

    async def _consumer(self, group: str | None, member: str | None = None) -> AIOKafkaConsumer:
        """A started consumer. Range assignment is pinned: the client's default would split co-partitioned topics."""
        settings = self._settings
        consumer = AIOKafkaConsumer(
            group_id=group,
            client_id=member or "assent",
            group_instance_id=member if settings.has_static_members else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.heartbeat_s * 1000),
            rebalance_timeout_ms=int(settings.rebalance_timeout_s * 1000),
            max_poll_interval_ms=int(settings.max_poll_interval_s * 1000),
            fetch_max_wait_ms=int(settings.fetch_wait_s * 1000),
            **self._client,
        )
        try:
            await call(consumer.start(), timeout_s=settings.request_timeout_s, what="starting a consumer")
        except LogUnavailableError:
            await stopped(consumer.stop, timeout_s=settings.close_timeout_s)
            raise
        return consumer

    async def _placed(self, records: Sequence[Record]) -> list[int]:
        """The partition of each. Raises RecordTooLargeError and UnknownTopicError."""
        counts = {topic: await self.partitions(topic) for topic in {record.topic for record in records}}
        places: list[int] = []
        for record, hashed in zip(records, positive_hashes([record.key for record in records]), strict=True):
            if len(record.value or b"") + len(record.key) > self._settings.max_record_bytes:
                raise RecordTooLargeError(
                    f"a record for {record.topic} is over {self._settings.max_record_bytes} bytes; send a reference instead"
                )
            count = counts[record.topic]
            part = hashed % count if record.partition is None else record.partition
            if not 0 <= part < count:
                raise UnknownTopicError(f"topic {record.topic} has no partition {part}; it has {count}")
            places.append(part)
        return places

    async def _group_offsets(self, group: str, parts: list[Any]) -> Any:
        """A coordinator that is just being chosen, or still reads its offsets, is asked again until it answers.

        The client passes over an error of the whole group: then the answer lacks the partitions that were asked for.
        """
        admin = self._open(self._admin)
        with translated("asking committed offsets"):
            async with asyncio.timeout(self._settings.request_timeout_s):
                while True:
                    with contextlib.suppress(*COORDINATOR_MOVES):
                        found = await admin.list_consumer_group_offsets(group, partitions=parts)
                        if found.keys() >= set(parts):
                            return found
                    await asyncio.sleep(RETRY_S)

    async def _parts(self, topics: Collection[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, part) for topic in topics for part in range(await self.partitions(topic))]

    async def _offsets(self, topics: Collection[str], which: str) -> dict[TopicPartition, int]:
        parts = await self._parts(topics)
        question = getattr(self._open(self._questions), which)
        found = await self._ask(question([theirs(at) for at in parts]), "asking offsets")
        return {at: found[theirs(at)] for at in parts}

    async def _led(self, topics: Collection[str]) -> dict[str, int]:
        """Partition counts once every new topic is known and has its leaders."""
        with translated("waiting for new topics"):
            async with asyncio.timeout(self._settings.request_timeout_s):
                while True:
                    found = await self._described(topics, with_leaders=True)
                    if len(found) == len(topics):
                        return found
                    await asyncio.sleep(RETRY_S)

    async def _described(self, topics: Collection[str], *, with_leaders: bool = False) -> dict[str, int]:
        """Partition counts of those that exist, or only of those that have their leaders.

        All topics are listed, since a broker may create one that is asked for by name.
        """
        described = await self._ask(self._open(self._admin).describe_topics(), "describing topics")
        found: dict[str, int] = {}
        for topic in (topic for topic in described if topic["topic"] in topics):
            error = for_code(topic["error_code"])
            is_led = all(part["leader"] >= 0 for part in topic["partitions"])
            if topic["error_code"] == 0 and (is_led or not with_leaders):
                found[topic["topic"]] = len(topic["partitions"])
            elif topic["error_code"] and error not in (UnknownTopicOrPartitionError, LeaderNotAvailableError):
                raise LogUnavailableError(f"describing topic {topic['topic']}: {error.__name__}; check the brokers and the permissions")
        self._counts.update(found)
        return found

    async def _replicas(self) -> int:
        if self._settings.replicas is not None:
            return self._settings.replicas
        cluster = await self._ask(self._open(self._admin).describe_cluster(), "describing the cluster")
        return min(3, len(cluster["brokers"]))

    async def _ask(self, work: Any, what: str) -> Any:
        return await call(work, timeout_s=self._settings.request_timeout_s, what=what)

    def _open(self, part: Any) -> Any:
        if part is None:
            raise LogUnavailableError("the log is closed")
        return part


def _raise_for_topics(answer: Any) -> None:
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise LogUnavailableError(f"topic {name} could not be created: {error.__name__}; check the brokers and the permissions")
