"""The case that gave withdrawals their own topic, on Apache Kafka: an older snapshot that timed out lands after the acknowledged
withdrawal, compaction keeps it as the last word on its key, and a table built from what is left still says withdrawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.consent.ledger import ConsentLedger, Standing
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, decode, encode, event_id
from assent.events.grants import GrantSnapshot, GrantState, GrantWithdrawn
from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic, all_topics
from assent.ids import GrantId
from assent.intake.registry_signature import signed_by_registry
from assent.keys.signing_keys import PublicKeys
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
TRIES = 30
PARTITIONS = TOPICS[Topic.GRANTS].partitions
# The caller gives up long before its client does.
IMPATIENT = KafkaSettings(append_timeout_s=0.5, request_timeout_s=30.0)
KEY = Ed25519PrivateKey.generate()
PUBLIC = PublicKeys(**{name: KEY.public_key() for name in ("receipt", "token", "policy", "grant")})


@pytest.fixture
async def broker() -> AsyncIterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    async with ApacheKafka(jars) as made:
        yield made


@pytest.fixture
async def log(broker: ApacheKafka) -> AsyncIterator[KafkaEventLog]:
    made = KafkaEventLog(broker.bootstrap_servers)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def late(broker: ApacheKafka) -> AsyncIterator[KafkaEventLog]:
    """A client of a registry that gives up on an append and is gone."""
    made = KafkaEventLog(broker.bootstrap_servers, settings=IMPATIENT)
    await made.start()
    yield made
    await made.close()


def on_log(snapshot: GrantSnapshot) -> Record:
    return signed_by_registry(encode(Event(event_id(snapshot.grant_id, snapshot.revision), "/test", NOW, snapshot)), KEY)


def no(grant_id: GrantId) -> Record:
    ended = GrantWithdrawn(grant_id=grant_id, withdrawn_at=NOW)
    return signed_by_registry(encode(Event(event_id(grant_id, "no"), "/test", NOW, ended)), KEY)


def given(grant_id: str, revision: int) -> GrantSnapshot:
    """Live for as long as the machine's clock may be wrong."""
    return grant(grant_id, revision=revision, state=GrantState.RENEWED, expires_at=NOW + timedelta(days=36_500))


async def clean_soon(broker: ApacheKafka) -> None:
    wanted = {"cleanup.policy": "compact", "segment.ms": "300", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0"}
    for topic in (Topic.GRANTS, Topic.WITHDRAWALS):
        await broker.set_topic(topic.value, wanted)


async def withdraw_while_an_older_snapshot_is_on_its_way(broker: ApacheKafka, log: KafkaEventLog, late: KafkaEventLog, name: str) -> bool:
    """Whether the older snapshot landed after the withdrawal was acknowledged."""
    grant_id, at = GrantId(name), partition_of(name.encode(), PARTITIONS)

    # Both have connections and know the partitions: else what they send while nothing answers never leaves the client.
    async def has_begun() -> bool:
        return bool(await late.append([on_log(given(name, 1))]))

    await until(has_begun)
    await log.append([on_log(given(f"{name}-other", 1)), no(GrantId(f"{name}-other"))])
    broker.pause()
    # The client sends one request at a time: what is asked for second leaves when the first is answered.
    for snapshot in (given(f"{name}-before", 1), given(name, 2)):
        with pytest.raises(LogUnavailableError):
            await late.append([replace(on_log(snapshot), partition=at)])
    # The registry's newest word and the withdrawal: asked for while nothing answers, acknowledged when the broker goes on.
    newest = given(name, 3).model_copy(update={"state": GrantState.WITHDRAWN})
    ending = asyncio.create_task(log.append([on_log(newest), no(grant_id)]))
    await asyncio.sleep(0.1)
    broker.resume()
    await ending
    acknowledged_at = (await log.end_offsets([Topic.GRANTS.value]))[TopicPartition(Topic.GRANTS.value, at)]

    async def has_landed() -> bool:
        return 2 in await revisions_behind(log, at, 0, grant_id)

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


async def test_a_withdrawal_outlives_an_older_snapshot_that_landed_later_and_compaction(
    broker: ApacheKafka, log: KafkaEventLog, late: KafkaEventLog
) -> None:
    await log.ensure_topics(all_topics())
    names = iter(f"g-{number}" for number in range(TRIES))
    name = next(names)
    while not await withdraw_while_an_older_snapshot_is_on_its_way(broker, log, late, name):
        name = next(names)
    grant_id = GrantId(name)
    await clean_soon(broker)
    await only_the_late_one_is_left(log, grant_id)

    # What would have been without the second topic: the snapshots that are left say live.
    alone = ConsentLedger()
    for record in await written(log, Topic.GRANTS.value):
        data = decode(record).data
        assert isinstance(data, GrantSnapshot)
        alone.apply_grant(data)
    assert alone.standing(grant_id, NOW) is Standing.LIVE

    rebuilt = DecisionTables(log, public=PUBLIC, clock=SystemClock())
    await rebuilt.start()
    await rebuilt.table.ready(30)
    assert rebuilt.ledger.grant(grant_id) == given(name, 2)
    assert rebuilt.ledger.standing(grant_id, NOW) is Standing.WITHDRAWN
    assert rebuilt.ledger.live(grant_id, NOW) is None
    await rebuilt.stop()
