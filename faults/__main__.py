"""`make faults`: the seven services under load and trouble, and the verdict; ends with code 1 when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from assent.testing.kafka_broker import ApacheKafka
from faults.plan import Plan, Report
from faults.run import run
from faults.separate import separate_deployment
from faults.single import single_deployment
from tools.outside_programs import find_kafka

LONG_S, LONG_KILL_EVERY_S = 900.0, 5.0
SHORT_S, SHORT_KILL_EVERY_S = 90.0, 6.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make faults", description="Load, trouble, and a checker that shares no code with the services.")
    parser.add_argument("--seed", type=int, default=1, help="of the load and of the trouble (default 1)")
    parser.add_argument("--seconds", type=float, help=f"how long trouble is made (default {LONG_S:.0f})")
    parser.add_argument("--kill-every", type=float, help=f"seconds between two SIGKILLs (default {LONG_KILL_EVERY_S:.0f})")
    parser.add_argument("--short", action="store_true", help=f"a run of {SHORT_S:.0f} s in which every service is killed at least once")
    parser.add_argument("--embedded", action="store_true", help="one process over the embedded log, without a broker")
    parser.add_argument("--json", type=Path, help="file for the report")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the output of every process")
    told = parser.parse_args(arguments)
    jars = None if told.embedded else find_kafka()
    if jars is None and not told.embedded:
        print(
            "make faults: Apache Kafka is not here; it needs Java 17 and Maven: run make test once and read what it says", file=sys.stderr
        )
        return 3
    plan = Plan(
        seed=told.seed,
        seconds=told.seconds or (SHORT_S if told.short else LONG_S),
        kill_every_s=told.kill_every or (SHORT_KILL_EVERY_S if told.short else LONG_KILL_EVERY_S),
    )
    folder = Path(tempfile.mkdtemp(prefix="assent-faults-"))
    report = asyncio.run(_run(plan, jars, folder))
    _print(report)
    if told.json is not None:
        told.json.write_text(json.dumps(_plain(report), indent=2) + "\n")
    if told.keep or report.findings:
        print(f"what every process wrote: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if report.findings else 0


async def _run(plan: Plan, jars: Path | None, folder: Path) -> Report:
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    if jars is None:
        async with single_deployment(plan, folder, say=say) as one:
            return await run(plan, one, say=say)
    async with ApacheKafka(jars) as broker, separate_deployment(plan, broker, folder, say=say) as seven:
        return await run(plan, seven, say=say)


def _plain(report: Report) -> dict[str, object]:
    counts = {"load": report.load, "trouble": report.trouble, "exits": report.exits, "counts": report.counts}
    return {"plan": asdict(report.plan), **{name: dict(count) for name, count in counts.items()}, "findings": report.findings}


def _print(report: Report) -> None:
    for title, counts in (("load", report.load), ("trouble", report.trouble), ("ended by themselves", report.exits), ("", report.counts)):
        print(f"\n{title}" if title else "")
        for name, count in sorted(counts.items()):
            print(f"  {name:34} {count}")
    print(f"\n{len(report.findings)} findings with seed {report.plan.seed}")
    for finding in report.findings[:50]:
        print(f"  {finding}")


if __name__ == "__main__":
    sys.exit(main())
