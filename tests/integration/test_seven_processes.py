"""The story as seven processes over a real broker, also with any one of them killed in the middle; it ends the same way every time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assent.testing.kafka_broker import ApacheKafka, Broker, Tansu, free_port
from demo.course import End
from demo.first_act import Stage, first_act
from demo.report import Report
from demo.second_act import second_act
from demo.separate_reader import grants_in_store, vectors_without_live_grant
from demo.site import DemoSite
from demo.state import DemoState
from faults.processes import SERVICES, VECTORS, SevenProcesses
from tests.flow.assent_command import Done, run
from tests.flow.expected_story import OUTCOMES, check_first_act, check_second_act
from tests.integration.written_spans import check_traces, keys_on
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.timeout(600)]
KILLED = (*SERVICES, VECTORS)


def quiet(line: str) -> None:
    """The story is told to nobody."""


async def site_on(port: int) -> DemoSite:
    site = DemoSite()
    await site.start(port)
    assert site.port == port
    return site


def stage_of(world: SevenProcesses, site: DemoSite, folder: Path) -> Stage:
    return Stage(world, site, folder, DemoState(), Report(), quiet, time.monotonic())


@pytest.fixture(params=[pytest.param("apache kafka", marks=pytest.mark.kafka), "tansu"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    if request.param == "tansu":
        made: Broker = Tansu()
    else:
        jars = find_kafka()
        assert jars is not None
        made = ApacheKafka(jars)
    async with made:
        yield made


async def test_the_whole_story_over_a_broker(broker: Broker, tmp_path: Path) -> None:
    port = free_port()
    world = SevenProcesses(tmp_path, log_url=broker.log_url, site_ports=(port,))
    site = await site_on(port)
    try:
        await world.start()
        stage = stage_of(world, site, tmp_path)
        reader = await first_act(stage)
        check_first_act(stage.report)
        await second_act(stage, reader)
        check_second_act(stage.report)
        keys = await keys_on(world.log)
        replayed = await asyncio.to_thread(run, "replay", "--log", broker.log_url, "--keys", tmp_path / "data" / "keys", "--json")
        codes = await world.stop_processes()
    finally:
        await world.close()
        await site.stop()
    assert set(codes.values()) == {0}, codes
    check_replay(replayed)
    check_traces({name: world.traces(name) for name in SERVICES}, secrets={*keys, f"127.0.0.1:{port}"})


def check_replay(done: Done) -> None:
    """Every decision of the story came out the same, read from the broker."""
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["replayed"] == found["same"] >= 17
    assert {"crawler", "geofence", "consent", "embedder", "query"} <= set(found["stages"])
    assert set(found["not_replayable"].values()) == {0}


@pytest.mark.kafka
async def test_any_process_may_be_killed_in_the_middle(tmp_path: Path) -> None:
    """One deployment, one story per victim; each victim gets SIGKILL when the first face was embedded, and is started again."""
    jars = find_kafka()
    assert jars is not None
    ports = tuple(free_port() for _ in KILLED)
    async with ApacheKafka(jars) as broker:
        world = SevenProcesses(tmp_path, log_url=broker.log_url, site_ports=ports)
        try:
            await world.start()
            for victim, port in zip(KILLED, ports, strict=True):
                await story_with_a_death(world, victim, port, tmp_path / victim)
            assert await vectors_without_live_grant(world.log, world.store) == 0
            # Every story embedded the same pictures under grants of its own.
            assert len(await grants_in_store(world.store)) == len(KILLED) * OUTCOMES["embedded"]
        finally:
            await world.close()


async def story_with_a_death(world: SevenProcesses, victim: str, port: int, folder: Path) -> None:
    site, died = await site_on(port), asyncio.Event()

    def on_end(end: End) -> None:
        if not died.is_set():
            world.kill(victim)
            world.begin(victim)
            died.set()

    stage = stage_of(world, site, folder)
    try:
        reader = await first_act(stage, on_end=on_end, from_now=True)
        await reader.stop()
    finally:
        await site.stop()
    assert died.is_set()
    check_first_act(stage.report)
    await world.ready(victim)
