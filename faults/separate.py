"""Seven processes and a vector store over a broker, with a proxy before the store and blobs that can fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from assent.testing.kafka_broker import Broker, free_port
from assent.testing.loopback_s3 import LoopbackS3
from demo.api import DemoApi
from demo.settled import settled
from faults.deployment import ERASE_GRACE_S, SWEEP_EVERY_S
from faults.evidence import Evidence, from_kafka, points
from faults.plan import Plan
from faults.processes import VECTORS, SevenProcesses
from faults.proxy import Proxy
from faults.separate_trouble import BLOBS, BROKER, SeparateTrouble
from faults.site import GrowingSite
from faults.truth import Truth
from faults.uptime import Uptime

SETTLED_WITHIN_S = 240.0
ERASED_WITHIN_S = 90.0


class SeparateDeployment:
    """Made by `separate_deployment`."""

    def __init__(self, world: SevenProcesses, broker: Broker, site: GrowingSite, uptime: Uptime, trouble: SeparateTrouble) -> None:
        self._world = world
        self._broker = broker
        self.site = site
        self.uptime = uptime
        self.trouble = trouble

    @property
    def api(self) -> DemoApi:
        return self._world.api

    @property
    def operator_token(self) -> str:
        return self._world.operator_token

    @property
    def store_url(self) -> str:
        return f"http://127.0.0.1:{self._world.vectors_port}"

    async def settle(self, truth: Truth) -> None:
        """Worked off stage by stage; what stays of an ended grant for too long is for the checker to tell."""
        await settled(self._world.log, patience_s=SETTLED_WITHIN_S)
        ended, deadline = truth.ended_before(time.monotonic()), time.monotonic() + ERASED_WITHIN_S
        while time.monotonic() < deadline and ended & {point["grant_id"] async for point in points(self.store_url)}:  # noqa: ASYNC110
            await asyncio.sleep(0.5)

    async def end(self) -> tuple[Evidence, dict[str, int]]:
        found = await from_kafka(self._broker.bootstrap_servers, self.store_url)
        return found, await self._world.stop_processes()


@asynccontextmanager
async def separate_deployment(plan: Plan, broker: Broker, folder: Path, *, say: Callable[[str], None]) -> AsyncIterator[SeparateDeployment]:
    """Everything started, and ended by force at last."""
    async with AsyncExitStack() as stack:
        site, port = GrowingSite(), free_port()
        await site.start(port)
        stack.push_async_callback(site.stop)
        blobs = LoopbackS3(page_size=1_000)
        world = SevenProcesses(
            folder,
            log_url=f"kafka://{broker.bootstrap_servers}",
            site_ports=(port,),
            blobs_url="s3://bucket/assent",
            own={"indexer": {"erase_grace_s": str(ERASE_GRACE_S), "sweep_every_s": str(SWEEP_EVERY_S)}},
            environment={
                "AWS_ENDPOINT_URL": await _served(blobs, stack),
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "test",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            },
        )
        stack.push_async_callback(world.close)
        store = await stack.enter_async_context(Proxy(world.vectors_port))
        world.vectors_url = f"http://127.0.0.1:{store.port}"
        await world.start()
        uptime = Uptime(frozenset({"indexer", VECTORS, BROKER, BLOBS}))
        trouble = SeparateTrouble(
            seed=plan.seed, world=world, broker=broker, store=store, blobs=blobs, uptime=uptime, kill_every_s=plan.kill_every_s, say=say
        )
        yield SeparateDeployment(world, broker, site, uptime, trouble)


async def _served(blobs: LoopbackS3, stack: AsyncExitStack) -> str:
    runner = web.AppRunner(blobs.application(), access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"
