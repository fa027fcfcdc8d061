"""A broker that comes back empty, as after a bad restore: no process goes on by itself on tables that cannot be trusted any more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from assent.deployment.build import open_log
from assent.events.topics import all_topics
from assent.testing.kafka_broker import Tansu, free_port
from faults.processes import SERVICES, SevenProcesses

pytestmark = pytest.mark.timeout(300)
PATIENCE_S = 90.0


async def test_every_process_ends_with_one_line(tmp_path: Path) -> None:
    async with Tansu() as broker:
        world = SevenProcesses(tmp_path, log_url=broker.log_url, site_ports=(free_port(),))
        try:
            await world.start()
            # Nobody may ask for a topic before it is there again: Tansu would create it, with partitions of its own number.
            for name in SERVICES:
                world.pause(name)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            again = open_log(broker.log_url)
            await again.start()
            await again.ensure_topics(all_topics())
            await again.close()
            for name in SERVICES:
                world.resume(name)
            codes = await world.ended_within(SERVICES, within_s=PATIENCE_S)
            assert codes == dict.fromkeys(SERVICES, 1), {name: world.said(name)[-500:] for name in SERVICES}
            for name in SERVICES:
                lines = [line for line in world.said(name).splitlines() if line.startswith(f"{name}: ")]
                assert len(lines) == 1, world.said(name)
                assert lines[0].startswith(f"{name}: stopped by TableBrokenError: the table of "), lines
                assert "Traceback" not in world.said(name), world.said(name)
        finally:
            await world.close()
