"""The readers of Apache Kafka between two answers of the client: no record is lost there, and no commit outlives a rebalance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupLoadInProgressError, KafkaTimeoutError
from aiokafka.structs import TopicPartition as KafkaPartition

from assent.stream.event_log import LogUnavailableError, TopicPartition
from assent.stream.kafka import KafkaEventLog
from assent.stream.kafka_consumers import KafkaSubscription, KafkaTail, stopped
from assent.stream.kafka_settings import KafkaSettings

AT = KafkaPartition("withdrawals", 0)
OURS = TopicPartition("withdrawals", 0)


def raw(offset: int) -> SimpleNamespace:
    return SimpleNamespace(topic="withdrawals", partition=0, offset=offset, timestamp=0, key=b"g-1", value=b"{}", headers=())


def consumer(**answers: Any) -> Any:
    made = Mock(spec=AIOKafkaConsumer)
    made.assignment.return_value = {AT}
    for name, answer in answers.items():
        setattr(made, name, answer)
    return made


async def test_records_outlive_a_question_that_fails_after_them() -> None:
    """Else a table would pass over them: its next positions lie behind, and it would call itself ready."""
    client = consumer(
        getmany=AsyncMock(side_effect=[{AT: [raw(0), raw(1)]}, {}, {AT: [raw(2)]}]),
        position=AsyncMock(side_effect=[KafkaTimeoutError(), 2, 3]),
    )
    tail = KafkaTail(client, KafkaSettings(), lambda _: None)
    with pytest.raises(LogUnavailableError, match="asking a position"):
        await tail.poll(timeout_s=0.1)
    assert [record.offset for record in await tail.poll(timeout_s=0.1)] == [0, 1]
    assert [record.offset for record in await tail.poll(timeout_s=0.1)] == [2]
    assert tail.positions() == {OURS: 3}


async def test_records_outlive_a_caller_who_gives_up() -> None:
    asked = asyncio.Event()

    async def slowly(_: Any) -> int:
        if not asked.is_set():
            asked.set()
            await asyncio.Event().wait()
        return 2

    client = consumer(getmany=AsyncMock(side_effect=[{AT: [raw(0), raw(1)]}, {}]), position=slowly)
    tail = KafkaTail(client, KafkaSettings(), lambda _: None)
    polling = asyncio.create_task(tail.poll(timeout_s=0.1))
    await asked.wait()
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert [record.offset for record in await tail.poll(timeout_s=0.1)] == [0, 1]


async def test_a_commit_without_an_answer_ends_with_the_rebalance() -> None:
    """The client would send it again in the name of the next generation, over what the new owner committed."""
    asked = asyncio.Event()

    async def never(_: Any) -> None:
        asked.set()
        await asyncio.Event().wait()

    client = consumer(commit=never)
    subscription = KafkaSubscription(client, KafkaSettings(request_timeout_s=30.0), lambda _: None)
    drained = asyncio.Event()

    async def on_revoked(_: frozenset[TopicPartition]) -> None:
        await drained.wait()

    subscription.join(["withdrawals"], on_revoked)
    revoke = cast(Callable[[Any], Coroutine[Any, Any, None]], client.subscribe.call_args.kwargs["listener"].on_partitions_revoked)
    committing = asyncio.create_task(subscription.commit({OURS: 7}))
    await asked.wait()
    revoking = asyncio.create_task(revoke({AT}))
    await asyncio.sleep(0)
    # As long as the owner may still finish, so may its commit.
    assert not committing.done()
    drained.set()
    await revoking
    client.assignment.return_value = set()
    assert await asyncio.wait_for(committing, 5) == {OURS}


async def test_a_client_that_cancels_its_own_tasks_does_not_cancel_us() -> None:
    async def careless() -> None:
        raise asyncio.CancelledError

    await stopped(careless, timeout_s=1.0)

    async def slow() -> None:
        await asyncio.Event().wait()

    meant = asyncio.create_task(stopped(slow, timeout_s=30.0))
    await asyncio.sleep(0)
    meant.cancel()
    with pytest.raises(asyncio.CancelledError):
        await meant


async def test_a_coordinator_that_still_reads_its_offsets_is_asked_again() -> None:
    """The client gives an answer without the partitions then; taken for zeros, a whole topic would seem undone."""
    log = KafkaEventLog("127.0.0.1:1")
    admin = Mock(spec=AIOKafkaAdminClient)
    admin.describe_topics = AsyncMock(return_value=[{"topic": "withdrawals", "error_code": 0, "partitions": [{"leader": 1}]}])
    admin.list_consumer_group_offsets = AsyncMock(side_effect=[GroupLoadInProgressError(), {}, {AT: SimpleNamespace(offset=30)}])
    log._admin = admin
    assert await log.committed("group", ["withdrawals"]) == {OURS: 30}
    assert admin.list_consumer_group_offsets.await_count == 3
