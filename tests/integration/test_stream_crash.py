"""The runner's process killed for real, again and again: every input comes to its output, and each output has one id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from assent.stream.local import SqliteEventLog
from tests.integration.stream_workbench import OUT, committed, inputs, started, written

ROOT = Path(__file__).resolve().parents[2]
COUNT = 200
PROCESS = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from assent.stream.clock import SystemClock
from assent.stream.local import SqliteEventLog
from assent.stream.runner import Runner
from tests.integration.stream_workbench import QUICK, Seen, Worker, committed

async def main():
    log = SqliteEventLog(Path(sys.argv[1]))
    await log.start()
    async def tell(event):
        print(event.data.key(), flush=True)
    runner = Runner(log, Worker(tell), member="m", clock=SystemClock(), observer=Seen(), settings=replace(QUICK, max_batch=3))
    work = asyncio.create_task(runner.run())
    while await committed(log) < int(sys.argv[2]):
        await asyncio.sleep(0.005)
    runner.stop()
    await work
    await log.close()

asyncio.run(main())
"""


def process(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(path), str(COUNT)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_kill_9_between_writing_and_committing_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    names = [f"g-{number}" for number in range(COUNT)]
    log = await started(SqliteEventLog(path))
    await log.append(inputs(*names))
    await log.close()
    for lines in (4, 11, 23):
        running = process(path)
        assert running.stdout is not None
        for _ in range(lines):
            assert running.stdout.readline()
        running.kill()
        running.communicate()
    running = process(path)
    running.communicate(timeout=60)
    assert running.returncode == 0
    log = await started(SqliteEventLog(path))
    out = await written(log, OUT.value)
    assert {record.key.decode() for record in out} == set(names)
    assert len({record.header("ce_id") for record in out}) == COUNT
    assert await committed(log) == COUNT
    await log.close()
