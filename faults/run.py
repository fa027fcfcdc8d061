"""One run over processes: load and trouble until it is time, then quiet, then the verdict; nothing here decides what should exist."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from assent.testing.kafka_broker import Broker, free_port
from assent.testing.loopback_s3 import LoopbackS3
from demo.producer import OutsideProducer
from demo.settled import settled
from faults.checker import judge, should_exist
from faults.evidence import Evidence, from_kafka, points
from faults.load import Load
from faults.people import People
from faults.processes import VECTORS, SevenProcesses
from faults.proxy import Proxy
from faults.searches import Searches
from faults.site import GrowingSite
from faults.trouble import BLOBS, BROKER, Trouble
from faults.truth import Truth
from faults.uptime import Uptime

WORKERS = 2
ERASE_GRACE_S, SWEEP_EVERY_S = 20.0, 5.0
GRACE_CHECKED_S = ERASE_GRACE_S + 2 * SWEEP_EVERY_S
"""The grace time and two turns of the sweep, which begins one while the other has just missed the end."""
LOOK_EVERY_S = 2.0
CRAWL_EVERY_S = 4.0
SETTLED_WITHIN_S = 240.0
ERASED_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often a process is killed, and the seed of load and trouble."""

    seed: int
    seconds: float
    kill_every_s: float


@dataclass(slots=True)
class Report:
    """What was done and what was found. `findings` is empty when every promise was kept."""

    plan: Plan
    load: Counter[str] = field(default_factory=Counter)
    trouble: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


async def run(plan: Plan, broker: Broker, folder: Path, *, say: Callable[[str], None], launcher: tuple[str, ...] = ()) -> Report:
    """Start everything, work, settle and judge. Raises what the load cannot go on with."""
    report, truth = Report(plan), Truth()
    async with _opened(broker, folder, launcher) as (world, site, store, blobs):
        uptime = Uptime(frozenset({"indexer", VECTORS, BROKER, BLOBS}))
        people = People(world.api, operator_token=world.operator_token, truth=truth)
        producer = OutsideProducer(world.api)
        await producer.register(world.operator_token)
        loads = [
            Load(number=n, seed=plan.seed, people=people, producer=producer, site=site, truth=truth, uptime_s=lambda: uptime.seconds)
            for n in range(WORKERS)
        ]
        searches = Searches(world.api, people, truth, seed=plan.seed)
        trouble = Trouble(
            seed=plan.seed, world=world, broker=broker, store=store, blobs=blobs, uptime=uptime, kill_every_s=plan.kill_every_s, say=say
        )
        watch = GraceWatch(truth, uptime, f"http://127.0.0.1:{world.vectors_port}")
        stopping, quiet = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(searches.run(quiet))
            tasks.create_task(watch.run(quiet))
            async with asyncio.TaskGroup() as acts:
                for load in loads:
                    acts.create_task(load.run(stopping))
                acts.create_task(_crawls(world, stopping))
                acts.create_task(trouble.run(stopping))
                acts.create_task(_ends(stopping, plan.seconds, trouble))
            say("quiet: everything runs, and the log is worked off")
            await trouble.start_what_ended()
            await _crawl(world)
            await settled(world.log, patience_s=SETTLED_WITHIN_S)
            await _erased(truth, f"http://127.0.0.1:{world.vectors_port}")
            quiet.set()
        found = await from_kafka(broker.bootstrap_servers, f"http://127.0.0.1:{world.vectors_port}")
        codes = await world.stop_processes()
    report.findings += judge(truth.plain(), found) + searches.findings + watch.findings
    report.findings += [f"{name} ended with code {code} on SIGTERM" for name, code in codes.items() if code]
    report.load = sum((load.done for load in loads), Counter())
    report.trouble, report.exits = trouble.done, trouble.exits
    report.counts = _counts(truth, found, searches, watch)
    return report


class GraceWatch:
    """Looks at the store all the time: nothing of an ended grant may be there once the grace time of uptime is over."""

    def __init__(self, truth: Truth, uptime: Uptime, store_url: str) -> None:
        self._truth = truth
        self._uptime = uptime
        self._store_url = store_url
        self.looks = 0
        self.findings: list[str] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until it is time; a store that does not answer is looked at later."""
        while not stopping.is_set():
            overdue = self._overdue()
            try:
                seen = {point["grant_id"] async for point in points(self._store_url)}
                self.looks += 1
            except (aiohttp.ClientError, TimeoutError):
                seen = set()
            self.findings += [f"{grant} had vectors after {GRACE_CHECKED_S:.0f} s of uptime" for grant in sorted(seen & overdue)]
            await asyncio.sleep(LOOK_EVERY_S)

    def _overdue(self) -> set[str]:
        """Grants whose end lies more than the grace time of uptime before now."""
        now = self._uptime.seconds
        ends = ((grant.grant_id, grant.uptime_at_end) for grant in self._truth.grants.values())
        return {name for name, at in ends if at is not None and now - at > GRACE_CHECKED_S}


@asynccontextmanager
async def _opened(
    broker: Broker, folder: Path, launcher: tuple[str, ...]
) -> AsyncIterator[tuple[SevenProcesses, GrowingSite, Proxy, LoopbackS3]]:
    async with AsyncExitStack() as stack:
        site, port = GrowingSite(), free_port()
        await site.start(port)
        stack.push_async_callback(site.stop)
        blobs = LoopbackS3(page_size=1_000)
        blobs_url = await _served(blobs, stack)
        world = SevenProcesses(
            folder,
            log_url=f"kafka://{broker.bootstrap_servers}",
            site_ports=(port,),
            blobs_url="s3://bucket/assent",
            own={"indexer": {"erase_grace_s": str(ERASE_GRACE_S), "sweep_every_s": str(SWEEP_EVERY_S)}},
            environment={
                "AWS_ENDPOINT_URL": blobs_url,
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "test",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            },
            launcher=launcher,
        )
        stack.push_async_callback(world.close)
        store = await stack.enter_async_context(Proxy(world.vectors_port))
        world.vectors_url = f"http://127.0.0.1:{store.port}"
        await world.start()
        yield world, site, store, blobs


async def _served(blobs: LoopbackS3, stack: AsyncExitStack) -> str:
    runner = web.AppRunner(blobs.application(), access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _ends(stopping: asyncio.Event, seconds: float, trouble: Trouble) -> None:
    await asyncio.sleep(seconds)
    await trouble.all_killed_once.wait()
    stopping.set()


async def _crawls(world: SevenProcesses, stopping: asyncio.Event) -> None:
    """A round now and then; one that a fault ends is no matter, the last one is asked for until it succeeds."""
    while not stopping.is_set():
        await world.api.ask("POST", f"{world.api.addresses.crawler}/v1/crawls", token=world.operator_token)
        await asyncio.sleep(CRAWL_EVERY_S)


async def _crawl(world: SevenProcesses) -> None:
    await world.api.need("POST", f"{world.api.addresses.crawler}/v1/crawls", token=world.operator_token)


async def _erased(truth: Truth, store_url: str) -> None:
    """Wait until nothing of an ended grant is left; what stays for too long is for the checker to tell."""
    ended, deadline = truth.ended_before(time.monotonic()), time.monotonic() + ERASED_WITHIN_S
    while time.monotonic() < deadline:
        if not ended & {point["grant_id"] async for point in points(store_url)}:
            return
        await asyncio.sleep(0.5)


def _counts(truth: Truth, found: Evidence, searches: Searches, watch: GraceWatch) -> Counter[str]:
    return Counter(
        {
            "grants given": len(truth.grants),
            "grants ended": sum(grant.withdrawn_at is not None for grant in truth.grants.values()),
            "pictures": len(truth.pictures),
            "vectors that should exist": should_exist(truth.plain(), found).total(),
            "vectors that exist": len(found.points),
            "searches answered": searches.asked,
            "searches not answered": searches.unanswered,
            "candidates told": searches.candidates,
            "pictures shown": searches.pictures,
            "looks at the store": watch.looks,
        }
    )
