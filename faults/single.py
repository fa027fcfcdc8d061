"""Everything in one process over the embedded log, killed and paused; log and store are read when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import aiohttp

from assent.testing.kafka_broker import free_port
from demo.api import Addresses, DemoApi
from faults.evidence import Evidence, from_file
from faults.plan import Plan
from faults.processes import SERVICES
from faults.site import GrowingSite
from faults.truth import Truth
from faults.uptime import Uptime

PATIENCE_S = 60.0
PAUSED_S = (1.0, 6.0)
SETTLED_WITHIN_S = 180.0
QUIET_FOR_S = 5.0
"""Longer than the second look of an erasure, which waits a second in one process."""
_LAG = re.compile(rb"^assent_consumer_lag_records\{[^}]*\} (\S+)$", re.MULTILINE)
_BACKLOG = re.compile(rb"^assent_purge_backlog_points (\S+)$", re.MULTILINE)


class OneProcess:
    """`assent up`, and afterwards `assent vectors serve` on what it left."""

    def __init__(self, folder: Path, *, site_port: int) -> None:
        self._folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self._site_port = site_port
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, *command: str) -> None:
        """Start it, or the command that is given; its output goes to a file."""
        up = command or ("up", "--data", str(self.data), "--port", str(self.port))
        with (self._folder / "assent.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "assent.cli.main", *up], env={**os.environ, **self._environment()}, stdout=output, stderr=output
            )

    async def ready(self, path: str = "/readyz") -> None:
        """Wait until it says so."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.asked(path) is None:
                assert self.process.poll() is None, (self._folder / "assent.log").read_text(errors="replace")[-3_000:]
                await asyncio.sleep(0.1)

    async def asked(self, path: str) -> bytes | None:
        """The body of a 200, or None."""
        try:
            async with aiohttp.ClientSession(trust_env=False) as session, session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
                return await answer.read() if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, 60)

    def kill(self) -> None:
        """SIGKILL; harmless for one that has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running one."""
        assert self._process is not None
        return self._process

    def _environment(self) -> dict[str, str]:
        """What the demonstration tells every service, and what makes the crawler quick on loopback."""
        told = {"IS_DEMO": "true", "ACCEPTS_FIXTURES": "true", "ALLOWED_SOCKETS": json.dumps([["127.0.0.1", self._site_port]])}
        every = {f"ASSENT_{name.upper()}_{key}": value for name in SERVICES for key, value in told.items()}
        return {**every, "ASSENT_CRAWLER_HOST_DELAY_S": "0"}


class SingleTrouble:
    """SIGKILL now and then, SIGSTOP in between."""

    def __init__(self, one: OneProcess, uptime: Uptime, plan: Plan, say: Callable[[str], None]) -> None:
        self._one = one
        self._uptime = uptime
        self._plan = plan
        self._say = say
        self._chance = Random(f"{plan.seed}/trouble")  # noqa: S311  trouble that can be repeated, no secret
        self.done: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.all_killed_once = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """One after the other."""
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.uniform(0.5, 1.5) * self._plan.kill_every_s):
                    await stopping.wait()
            await self.start_what_ended()
            with self._uptime.without("assent"):
                await (self._killed() if self._chance.random() < 0.7 else self._paused())

    async def start_what_ended(self) -> None:
        code = self._one.process.poll()
        if code is not None:
            self.exits[f"assent: {code}"] += 1
            self._one.begin()
            await self._one.ready()

    async def _killed(self) -> None:
        self._say("SIGKILL")
        self._one.kill()
        self._one.begin()
        await self._one.ready()
        self.done["SIGKILL assent"] += 1
        self.all_killed_once.set()

    async def _paused(self) -> None:
        seconds = self._chance.uniform(*PAUSED_S)
        self._say(f"SIGSTOP for {seconds:.0f} s")
        self._one.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._one.process.send_signal(signal.SIGCONT)
        self.done["SIGSTOP assent"] += 1


class SingleDeployment:
    """Made by `single_deployment`."""

    store_url = None

    def __init__(self, one: OneProcess, api: DemoApi, site: GrowingSite, trouble: SingleTrouble, uptime: Uptime) -> None:
        self._one = one
        self.api = api
        self.site = site
        self.trouble = trouble
        self.uptime = uptime

    @property
    def operator_token(self) -> str:
        return (self._one.data / "operator.token").read_text().strip()

    async def settle(self, truth: Truth) -> None:
        """Until the process itself has told for a while that no record waits and nothing is left to purge."""
        quiet_since = None
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while quiet_since is None or time.monotonic() - quiet_since < QUIET_FOR_S + 5:
                told = await self._one.asked("/metrics") or b""
                waits = [float(value) for value in (*_LAG.findall(told), *_BACKLOG.findall(told))]
                quiet_since = None if any(waits) or not waits else quiet_since or time.monotonic()
                await asyncio.sleep(0.5)

    async def end(self) -> tuple[Evidence, dict[str, int]]:
        codes = {"assent": await self._one.stop()}
        self._one.begin(
            "vectors",
            "serve",
            "--data",
            str(self._one.data / "vectors"),
            "--pack",
            str(self._one.data / "model"),
            "--port",
            str(self._one.port),
        )
        await self._one.ready()
        found = await from_file(self._one.data / "log.sqlite3", f"http://127.0.0.1:{self._one.port}")
        return found, {**codes, "vectors": await self._one.stop()}


@asynccontextmanager
async def single_deployment(plan: Plan, folder: Path, *, say: Callable[[str], None]) -> AsyncIterator[SingleDeployment]:
    """Everything started, and ended by force at last."""
    async with AsyncExitStack() as stack:
        site, port = GrowingSite(), free_port()
        await site.start(port)
        stack.push_async_callback(site.stop)
        one = OneProcess(folder, site_port=port)
        stack.callback(one.kill)
        one.begin()
        await one.ready()
        url = f"http://127.0.0.1:{one.port}"
        api = await stack.enter_async_context(DemoApi(Addresses(url, url, url), patience_s=PATIENCE_S))
        uptime = Uptime(frozenset({"assent"}))
        yield SingleDeployment(one, api, site, SingleTrouble(one, uptime, plan, say), uptime)
