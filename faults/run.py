"""One run: load and trouble until it is time, then quiet, then the verdict; nothing here decides what should exist."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from demo.control import show_control
from demo.producer import OutsideProducer
from faults.checker import judge, should_exist
from faults.deployment import Deployment, Trouble
from faults.evidence import Evidence
from faults.grace_watch import GraceWatch
from faults.load import Load
from faults.people import People
from faults.plan import Plan, Report
from faults.searches import Searches
from faults.truth import Truth

WORKERS = 2
CRAWL_EVERY_S = 4.0


async def run(plan: Plan, deployment: Deployment, *, say: Callable[[str], None]) -> Report:
    """Work, settle and judge. Raises what the load cannot go on with."""
    report, truth, trouble, uptime = Report(plan), Truth(), deployment.trouble, deployment.uptime
    people = People(deployment.api, operator_token=deployment.operator_token, truth=truth)
    producer = OutsideProducer(deployment.api)
    await producer.register(deployment.operator_token)
    await show_control(deployment.api, deployment.site, deployment.operator_token)
    loads = [
        Load(
            number=number,
            seed=plan.seed,
            people=people,
            producer=producer,
            site=deployment.site,
            truth=truth,
            uptime_s=lambda: uptime.seconds,
        )
        for number in range(WORKERS)
    ]
    searches = Searches(deployment.api, people, truth, seed=plan.seed)
    watch = GraceWatch(truth, uptime, deployment.store_url)
    stopping, quiet = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(searches.run(quiet))
        tasks.create_task(watch.run(quiet))
        async with asyncio.TaskGroup() as acts:
            for load in loads:
                acts.create_task(load.run(stopping))
            acts.create_task(_crawls(deployment, stopping))
            acts.create_task(trouble.run(stopping))
            acts.create_task(_ends(stopping, plan.seconds, trouble))
        say("quiet: everything runs, and the log is worked off")
        await trouble.start_what_ended()
        await deployment.api.need("POST", _crawl_url(deployment), token=deployment.operator_token)
        await deployment.settle(truth)
        quiet.set()
    found, codes = await deployment.end()
    report.findings += judge(truth.plain(), found) + searches.findings + watch.findings
    report.findings += [f"{name} ended with code {code} on SIGTERM" for name, code in codes.items() if code]
    report.load = sum((load.done for load in loads), Counter())
    report.trouble, report.exits = trouble.done, trouble.exits
    report.counts = _counts(truth, found, searches, watch)
    return report


async def _ends(stopping: asyncio.Event, seconds: float, trouble: Trouble) -> None:
    await asyncio.sleep(seconds)
    await trouble.all_killed_once.wait()
    stopping.set()


async def _crawls(deployment: Deployment, stopping: asyncio.Event) -> None:
    """A round now and then; one that a fault ends is no matter, the last one is asked for until it succeeds."""
    while not stopping.is_set():
        await deployment.api.ask("POST", _crawl_url(deployment), token=deployment.operator_token)
        await asyncio.sleep(CRAWL_EVERY_S)


def _crawl_url(deployment: Deployment) -> str:
    return f"{deployment.api.addresses.crawler}/v1/crawls"


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
