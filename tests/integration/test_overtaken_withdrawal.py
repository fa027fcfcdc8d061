"""The case that gave withdrawals their own topic, on Apache Kafka: an older snapshot that timed out lands after the acknowledged
withdrawal, compaction keeps it as the last word on its key, and a table built from what is left still says withdrawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.consent.ledger import ConsentLedger, Standing
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, decode, encode, event_id
from assent.events.grants import GrantSnapshot, GrantState, GrantWithdrawn
from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic, all_topics
from assent.ids import GrantId
from assent.stream.clock import SystemClock
from assent.stream.event_log import LogUnavailableError, TopicPartition
from assent.stream.kafka import KafkaEventLog
from assent.stream.kafka_settings import KafkaSettings
from assent.stream.partitioner import partition_of
from assent.testing.kafka_broker import ApacheKafka
from tests.integration.stream_workbench import until, written
from tests.unit.grant_examples import NOW, grant
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]
TRIES = 10
BACKLOG = 40
PARTITIONS = TOPICS[Topic.GRANTS].partitions
# One record per request, so that what waits behind a backlog arrives late; the caller gives up long before the client does.
SLOW = KafkaSettings(max_batch_bytes=1, append_timeout_s=1.0, request_timeout_s=30.0)


@pytest.fixture
async def broker() -> AsyncIterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    async with ApacheKafka(jars) as made:
        yield made


def on_log(snapshot: GrantSnapshot) -> Record:
    return encode(Event(event_id(snapshot.grant_id, snapshot.revision), "/test", NOW, snapshot))


def no(grant_id: GrantId) -> Record:
    return encode(Event(event_id(grant_id, "no"), "/test", NOW, GrantWithdrawn(grant_id=grant_id, withdrawn_at=NOW)))


def given(grant_id: str, revision: int) -> GrantSnapshot:
    """Live for as long as the machine's clock may be wrong."""
    return grant(grant_id, revision=revision, state=GrantState.RENEWED, expires_at=NOW + timedelta(days=36_500))


async def clean_soon(broker: ApacheKafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    wanted = {"cleanup.policy": "compact", "segment.ms": "300", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0"}
    for topic in (Topic.GRANTS, Topic.WITHDRAWALS):
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.value, configs=wanted)])
    await admin.close()


async def withdraw_while_an_older_snapshot_is_on_its_way(broker: ApacheKafka, log: KafkaEventLog, late: KafkaEventLog, name: str) -> bool:
    """Whether the older snapshot landed after the withdrawal was acknowledged."""
    grant_id, at = GrantId(name), partition_of(name.encode(), PARTITIONS)
    await log.append([on_log(given(name, 1))])
    backlog = [replace(on_log(given(f"{name}-{number}", 1)), partition=at) for number in range(BACKLOG)]
    broker.pause()
    with pytest.raises(LogUnavailableError):
        await late.append([*backlog, on_log(given(name, 2))])
    # The registry's newest word, and the withdrawal: asked for while nothing answers, acknowledged when the broker goes on.
    ending = asyncio.create_task(log.append([on_log(given(name, 3).model_copy(update={"state": GrantState.WITHDRAWN}))]))
    withdrawing = asyncio.create_task(log.append([no(grant_id)]))
    broker.resume()
    await asyncio.gather(ending, withdrawing)
    acknowledged_at = (await log.end_offsets([Topic.GRANTS.value]))[TopicPartition(Topic.GRANTS.value, at)]

    async def has_landed() -> bool:
        return bool(await revisions_behind(log, at, acknowledged_at, grant_id)) or 2 in await revisions_behind(log, at, 0, grant_id)

    await until(has_landed)
    return await revisions_behind(log, at, acknowledged_at, grant_id) == [2]


async def revisions_behind(log: KafkaEventLog, partition: int, offset: int, grant_id: GrantId) -> list[int]:
    records = await log.read(TopicPartition(Topic.GRANTS.value, partition), offset, max_records=1_000)
    return revisions(records, grant_id)


def revisions(records: list[StoredRecord], grant_id: GrantId) -> list[int]:
    found = [decode(record).data for record in records if record.key == grant_id.encode()]
    return [snapshot.revision for snapshot in found if isinstance(snapshot, GrantSnapshot)]


async def only_the_late_one_is_left(log: KafkaEventLog, grant_id: GrantId) -> None:
    """Poll until the log cleaner ran: a new segment begins with an append, and only closed ones are cleaned."""
    at = partition_of(grant_id.encode(), PARTITIONS)

    async def is_compacted() -> bool:
        await log.append([replace(on_log(given("tick", 1)), partition=at), replace(no(GrantId("tick")), partition=at)])
        return await revisions_behind(log, at, 0, grant_id) == [2]

    await until(is_compacted, patience_s=45)


async def test_a_withdrawal_outlives_an_older_snapshot_that_landed_later_and_compaction(broker: ApacheKafka) -> None:
    log, late = KafkaEventLog(broker.bootstrap_servers), KafkaEventLog(broker.bootstrap_servers, settings=SLOW)
    await log.start()
    await late.start()
    await log.ensure_topics(all_topics())
    await clean_soon(broker)
    names = iter(f"g-{number}" for number in range(TRIES))
    name = next(names)
    while not await withdraw_while_an_older_snapshot_is_on_its_way(broker, log, late, name):
        name = next(names)
    grant_id = GrantId(name)
    await only_the_late_one_is_left(log, grant_id)

    # What would have been without the second topic: the snapshots that are left say live.
    alone = ConsentLedger()
    for record in await written(log, Topic.GRANTS.value):
        data = decode(record).data
        assert isinstance(data, GrantSnapshot)
        alone.apply_grant(data)
    assert alone.standing(grant_id, NOW) is Standing.LIVE

    rebuilt = DecisionTables(log, policy_key=Ed25519PrivateKey.generate().public_key(), clock=SystemClock())
    await rebuilt.start()
    await rebuilt.table.ready(30)
    assert rebuilt.ledger.grant(grant_id) == given(name, 2)
    assert rebuilt.ledger.standing(grant_id, NOW) is Standing.WITHDRAWN
    assert rebuilt.ledger.live(grant_id, NOW) is None
    await rebuilt.stop()
    await late.close()
    await log.close()
