"""Members that come, go, stop all at once, and come back from the dead, on Apache Kafka: nothing is lost, and a zombie commits nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from assent.events.topics import all_topics
from assent.stream.clock import SystemClock
from assent.stream.event_log import TopicPartition
from assent.stream.kafka import KafkaEventLog
from assent.stream.kafka_settings import KafkaSettings
from assent.stream.runner import Runner
from assent.testing.kafka_broker import ApacheKafka
from tests.integration.stream_workbench import IN, OUT, QUICK, Seen, Worker, inputs, until, written
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]
STORM_S = 15.0
AT_ONCE = 5
SETTINGS = KafkaSettings(session_timeout_s=6.0, heartbeat_s=0.3)
ZOMBIE = """
import asyncio, sys
from assent.stream.clock import SystemClock
from assent.stream.kafka import KafkaEventLog
from assent.stream.runner import Runner
from tests.integration.stream_workbench import QUICK, Seen, Worker
from tests.integration.test_stream_rebalance import SETTINGS

async def main():
    log = KafkaEventLog(sys.argv[1], settings=SETTINGS)
    await log.start()
    async def tell(event):
        print(event.data.key(), flush=True)
        await asyncio.sleep(0.3)
    await Runner(log, Worker(tell), member="zombie", clock=SystemClock(), observer=Seen(), settings=QUICK, group=sys.argv[2]).run()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    with ApacheKafka(jars) as made:
        yield made


@pytest.fixture
async def log(broker: ApacheKafka) -> AsyncIterator[KafkaEventLog]:
    made = KafkaEventLog(broker.bootstrap_servers, settings=SETTINGS)
    await made.start()
    await made.ensure_topics(all_topics())
    yield made
    await made.close()


def member(log: KafkaEventLog, name: str, seen: Seen, group: str) -> Runner:
    return Runner(log, Worker(), member=name, clock=SystemClock(), observer=seen, settings=QUICK, group=group)


def zombie_of(broker: ApacheKafka, group: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ZOMBIE, broker.bootstrap_servers, group]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


async def caught_up(log: KafkaEventLog, group: str) -> bool:
    return await log.committed(group, [IN.value]) == await log.end_offsets([IN.value])


async def outputs_of(log: KafkaEventLog, prefix: str) -> list[tuple[str, bytes]]:
    """Key and id of every output of one test."""
    found = [(record.key.decode(), record.header("ce_id") or b"") for record in await written(log, OUT.value)]
    return [(key, identity) for key, identity in found if key.startswith(prefix)]


async def test_a_member_that_was_paused_beyond_its_session_commits_nothing_over_the_new_owner(
    broker: ApacheKafka, log: KafkaEventLog
) -> None:
    """SIGSTOP in the middle of a batch, another takes over and goes on, SIGCONT: the batch is written again under the same ids, and
    no committed offset goes back or is set by the one that lost its partitions.
    """
    at = TopicPartition(IN.value, 3)
    zombie = zombie_of(broker, "zombies")
    assert zombie.stdout is not None
    seen, first = Seen(), [f"z-{number}" for number in range(6)]
    try:
        await log.append(inputs(*first, partition=at.partition))
        assert await asyncio.to_thread(zombie.stdout.readline) == "z-0\n"
        zombie.send_signal(signal.SIGSTOP)
        owner = member(log, "owner", seen, "zombies")
        owning = asyncio.create_task(owner.run())
        await until(lambda: caught_up(log, "zombies"), patience_s=40)
        later = [f"z-{number}" for number in range(6, 12)]
        await log.append(inputs(*later, partition=at.partition))
        await until(lambda: caught_up(log, "zombies"), patience_s=40)
        reached = (await log.committed("zombies", [IN.value]))[at]
        copies = len(await outputs_of(log, "z-"))
        zombie.send_signal(signal.SIGCONT)

        async def wrote() -> bool:
            # It writes what it had in hand, and only then learns that it was not to.
            return len(await outputs_of(log, "z-")) > copies

        await until(wrote, patience_s=40)
        for _ in range(20):
            assert (await log.committed("zombies", [IN.value]))[at] == reached
            await asyncio.sleep(0.1)
        await log.append(inputs("z-12", partition=at.partition))
        await until(lambda: caught_up(log, "zombies"), patience_s=40)
        owner.stop()
        await owning
    finally:
        zombie.kill()
        zombie.communicate()
    out = await outputs_of(log, "z-")
    assert {key for key, _ in out} == {*first, *later, "z-12"}
    assert len({identity for _, identity in out}) == 13


async def test_a_storm_of_rebalances_loses_nothing_and_lag_recovers(log: KafkaEventLog) -> None:
    """A member comes or goes every second while records flow; then five are stopped in one moment."""
    names: list[str] = []
    seen = Seen()
    present: list[tuple[Runner, asyncio.Task[None]]] = []
    ending = time.monotonic() + STORM_S

    async def produce() -> None:
        while time.monotonic() < ending:
            more = [f"storm-{len(names) + number}" for number in range(20)]
            await log.append(inputs(*more))
            names.extend(more)
            await asyncio.sleep(0.1)

    def begin(number: int) -> None:
        runner = member(log, f"m{number}", seen, "storm")
        present.append((runner, asyncio.create_task(runner.run())))

    producing, number = asyncio.create_task(produce()), 0
    while time.monotonic() < ending:
        begin(number)
        number += 1
        if len(present) > 3:
            runner, task = present.pop(0)
            runner.stop()
            await asyncio.wait_for(task, 20)
        await asyncio.sleep(1.0)
    await producing
    while len(present) < AT_ONCE:
        begin(number)
        number += 1
    await until(lambda: caught_up(log, "storm"), patience_s=60)
    await until(lambda: not any(seen.lags.values()))
    began = time.monotonic()
    for runner, _ in present:
        runner.stop()
    await asyncio.wait_for(asyncio.gather(*(task for _, task in present)), 30)
    assert time.monotonic() - began < 15
    out = await outputs_of(log, "storm-")
    assert {key for key, _ in out} == set(names)
    assert len({identity for _, identity in out}) == len(names)
    assert await caught_up(log, "storm")
