"""Topics as they should be and as a cluster has them: what is missing, what drifted, which broker setting is unsafe; it deletes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from assent.events.topics import TopicSettings
from assent.stream.event_log import LogUnavailableError
from assent.stream.kafka_calls import call
from assent.stream.kafka_consumers import stopped
from assent.stream.kafka_settings import KafkaSecurity, KafkaSettings, topic_configuration

UNSAFE: Mapping[str, tuple[str, str]] = {
    "log.cleaner.enable": ("false", "nothing is ever compacted, and what a grant said before its end is kept for ever"),
    "auto.create.topics.enable": ("true", "a mistyped name makes a topic with the broker's own settings, which may keep what must go"),
    "unclean.leader.election.enable": ("true", "a replica that lags may become leader, and an acknowledged withdrawal is lost"),
}
"""Broker settings that no topic's own setting makes good: the value that is refused, and why."""


class Kind(StrEnum):
    """What is wrong with one topic or broker."""

    MISSING = "missing"
    PARTITIONS = "partitions"
    REPLICAS = "replicas"
    DRIFT = "drift"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class TopicFault:
    """One thing that differs: where, which setting, what is asked for and what was found."""

    kind: Kind
    name: str
    setting: str
    wanted: str
    found: str
    why: str = ""

    @property
    def can_be_applied(self) -> bool:
        """Whether `apply` mends it: partition counts never change, moving replicas is the operator's, and brokers are not ours."""
        return self.kind in (Kind.MISSING, Kind.DRIFT)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Partitions of a topic, and the replicas of the partition that has fewest."""

    partitions: int
    replicas: int


class KafkaTopics:
    """Looks at a cluster and brings its topics to what is asked for."""

    def __init__(self, bootstrap_servers: str, *, security: KafkaSecurity, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = AIOKafkaAdminClient(
            bootstrap_servers=bootstrap_servers, request_timeout_ms=int(settings.request_timeout_s * 1000), **security.options()
        )

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError."""
        try:
            await self._ask(self._admin.start(), "connecting to Kafka")
        except LogUnavailableError:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go."""
        await stopped(self._admin.close, timeout_s=self._settings.close_timeout_s)

    async def faults(self, topics: Mapping[str, TopicSettings]) -> list[TopicFault]:
        """Everything that differs, brokers first. Raises LogUnavailableError."""
        brokers = await self._brokers()
        replicas = self._settings.replicas or min(3, len(brokers))
        shapes = await self._shapes(topics)
        found = await self._configurations(ConfigResourceType.TOPIC, sorted(shapes))
        faults = [fault for broker in brokers for fault in await self._unsafe(broker)]
        for name, settings in sorted(topics.items()):
            wanted = topic_configuration(settings, replicas=replicas)
            if name not in shapes:
                faults.append(TopicFault(Kind.MISSING, name, "topic", f"{settings.partitions} partitions, {replicas} replicas", "none"))
                continue
            shape = shapes[name]
            if shape.partitions != settings.partitions:
                why = "partition counts never change: keys would move"
                faults.append(TopicFault(Kind.PARTITIONS, name, "partitions", str(settings.partitions), str(shape.partitions), why))
            if shape.replicas < replicas:
                why = "one broker's disk could lose an acknowledged withdrawal; give every partition more replicas"
                faults.append(TopicFault(Kind.REPLICAS, name, "replicas", str(replicas), str(shape.replicas), why))
            faults.extend(
                TopicFault(Kind.DRIFT, name, key, value, found[name].get(key, "unset"))
                for key, value in wanted.items()
                if found[name].get(key) != value
            )
        return faults

    async def apply(self, topics: Mapping[str, TopicSettings], faults: Sequence[TopicFault]) -> None:
        """Create what is missing and set what drifted. Raises LogUnavailableError."""
        replicas = self._settings.replicas or min(3, len(await self._brokers()))
        missing = [fault.name for fault in faults if fault.kind is Kind.MISSING]
        if missing:
            new = [
                NewTopic(name, topics[name].partitions, replicas, topic_configs=topic_configuration(topics[name], replicas=replicas))
                for name in missing
            ]
            answer = await self._ask(self._admin.create_topics(new), "creating topics")
            _raise_for((name, code) for name, code, *_ in answer.topic_errors)
        drifted = sorted({fault.name for fault in faults if fault.kind is Kind.DRIFT})
        if drifted:
            resources = [
                ConfigResource(ConfigResourceType.TOPIC, name, configs=topic_configuration(topics[name], replicas=replicas))
                for name in drifted
            ]
            for answer in await self._ask(self._admin.alter_configs(resources), "setting topics"):
                _raise_for((name, code) for code, _, _, name in answer.resources)

    async def _brokers(self) -> list[int]:
        cluster = await self._ask(self._admin.describe_cluster(), "describing the cluster")
        return [int(broker["node_id"]) for broker in cluster["brokers"]]

    async def _shapes(self, topics: Mapping[str, TopicSettings]) -> dict[str, _Shape]:
        described = await self._ask(self._admin.describe_topics(), "describing topics")
        return {
            topic["topic"]: _Shape(len(topic["partitions"]), min(len(part["replicas"]) for part in topic["partitions"]))
            for topic in described
            if topic["topic"] in topics and topic["error_code"] == 0
        }

    async def _unsafe(self, broker: int) -> list[TopicFault]:
        found = (await self._configurations(ConfigResourceType.BROKER, [str(broker)]))[str(broker)]
        return [
            TopicFault(Kind.UNSAFE, f"broker {broker}", key, "false" if value == "true" else "true", value, why)
            for key, (value, why) in UNSAFE.items()
            if found.get(key) == value
        ]

    async def _configurations(self, kind: ConfigResourceType, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        answers = await self._ask(self._admin.describe_configs([ConfigResource(kind, name) for name in names]), "reading settings")
        found: dict[str, dict[str, str]] = {}
        for answer in answers:
            for code, _, _, name, entries in answer.resources:
                _raise_for([(name, code)])
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found

    async def _ask(self, work: Any, what: str) -> Any:
        return await call(work, timeout_s=self._settings.request_timeout_s, what=what)


def _raise_for(errors: Any) -> None:
    for name, code in errors:
        if code:
            raise LogUnavailableError(f"{name}: {for_code(code).__name__}; check the brokers and the permissions")
