"""A round that gets no further ends the process, whoever asked for it; one that is slow and gets further does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from assent.blobs.quarantine import Quarantine
from assent.deployment.build import open_blobs
from assent.stream.clock import SystemClock
from assent.stream.progress import StalledError
from assent.testing.fake_clock import FakeClock
from demo import photos
from demo.api import JsonObject
from demo.site import PORTRAITS
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from services.crawler.round_watch import RoundWatch
from services.crawler.settings import CrawlerSettings
from tests.flow.opened_parts import opened_parts
from tests.flow.registry_house import grant_house
from tests.flow.switched_store import SwitchedStore

STALL_S = 5.0


class SilentQuarantine(SwitchedStore):
    """The product over a blob store that stops answering when it is told to, as one without a time-out of its own may."""

    @asynccontextmanager
    async def opener(self, layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
        layout.changes["crawler"] |= {"fetch_timeout_s": 2.0, "max_crawl_delay_s": 2.0, "round_stall_after_s": STALL_S}
        async with opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener):
            self.store = open_blobs(layout.registry().blobs_url)
            shared = replace(shared, quarantine=Quarantine(self, shared.keys.quarantine_key))
            async with running_system(EmbeddedSystem(layout, shared), listener, host=host) as system:
                yield system


@pytest.mark.timeout(180)
async def test_a_round_that_hangs_ends_the_process(tmp_path: Path) -> None:
    store = SilentQuarantine()
    async with grant_house(tmp_path, {f"{PORTRAITS}1.jpg": photos.portrait()}, opener=store.opener) as house:
        person = await house.person()
        source: JsonObject = {"kind": "url_prefix", "value": f"{house.site.origin}{PORTRAITS}", "only_me": True}
        await person.grant("page", house.request(person, [source]), house.token)
        crawler = house.world.system.crawler
        assert crawler.is_alive
        store.is_silent = True
        answer = await house.api.ask("POST", f"{house.registry}/v1/crawls", token=house.token)
        assert answer.status == 500
        assert isinstance(crawler.background.failure, StalledError)
        assert str(crawler.background.failure).startswith("the round has fetched, kept and decided nothing for ")
        assert not crawler.is_alive
        assert house.world.failure() is crawler.background.failure, "assent up and a process of its own end by it"
        store.is_silent = False


async def test_a_round_that_gets_further_may_take_any_time() -> None:
    watch = RoundWatch(clock=SystemClock(), stall_after_s=0.5)

    async def slow() -> str:
        for _ in range(20):
            await asyncio.sleep(0.1)
            watch.progressed()
        return "done"

    assert await watch.watched(slow()) == "done"


async def test_a_round_after_a_long_pause_is_not_blamed_for_it() -> None:
    clock = FakeClock()
    watch = RoundWatch(clock=clock, stall_after_s=0.2)
    clock.advance(3_600)

    async def quick() -> int:
        # Long enough to be looked at.
        await asyncio.sleep(0.3)
        return 1

    assert await watch.watched(quick()) == 1


async def test_what_the_round_raises_is_raised_and_one_that_is_given_up_is_cancelled() -> None:
    watch = RoundWatch(clock=SystemClock(), stall_after_s=60)
    ended = asyncio.Event()

    async def broken() -> None:
        raise ValueError("no policy")

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ValueError, match="no policy"):
        await watch.watched(broken())
    watching = asyncio.create_task(watch.watched(endless()))
    await asyncio.sleep(0.05)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert ended.is_set()


async def test_a_round_that_cannot_even_be_cancelled_is_left_behind() -> None:
    watch = RoundWatch(clock=SystemClock(), stall_after_s=0.2)
    let_go = asyncio.Event()

    async def deaf() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    began = time.monotonic()
    with pytest.raises(StalledError):
        await watch.watched(deaf())
    assert time.monotonic() - began < 10
    let_go.set()


def test_a_time_that_a_slow_host_takes_is_no_stall() -> None:
    with pytest.raises(ValidationError, match="round_stall_after_s must be more than 50"):
        CrawlerSettings(round_stall_after_s=50.0)
    assert CrawlerSettings(round_stall_after_s=51.0).round_stall_after_s == 51.0
