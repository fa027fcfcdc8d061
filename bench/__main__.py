"""`make bench`: every case in turn, as a table of ratios; `--quick` is a smoke run, `--json FILE` keeps the numbers."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from bench import consent, consent_filter, event_log, faces, geofence_filter, places, vectors
from bench.pair import Result, measured

BENCHES = {
    "log": event_log.cases,
    "areas": places.cases,
    "geofence": geofence_filter.cases,
    "consent": consent_filter.cases,
    "ledger": consent.cases,
    "vectors": vectors.cases,
    "faces": faces.cases,
}
ROUNDS, QUICK_ROUNDS = 9, 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Side-by-side measurements; only the ratios count.")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(BENCHES)} (default all)")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    told = parser.parse_args(arguments)
    unknown = [name for name in told.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHES)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; ours to theirs, above 1 ours is faster")
    # A group that is new is told to ask again; the client calls that an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    results: list[Result] = []
    for name in told.names or BENCHES:
        with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder, BENCHES[name](Path(folder), quick=told.quick) as cases:
            for _, together in groupby(cases, key=lambda case: id(case.ours)):
                found = measured(list(together), rounds=QUICK_ROUNDS if told.quick else ROUNDS)
                results += found
                print("\n".join(_line(result) for result in found), flush=True)
    if told.json is not None:
        told.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0


def _line(result: Result) -> str:
    absolute = f"{result.per_second:,.0f} {result.unit}/s"
    if result.theirs_per_second is not None and result.processor_ratio is not None:
        absolute += f", the other {result.theirs_per_second:,.0f}; by processor time {result.processor_ratio:.2f}"
    noise = f"ours to itself {result.noise[0]:.2f} to {result.noise[1]:.2f}"
    ratio = "absolute only"
    if result.ratio is not None and result.spread is not None:
        ratio = f"{result.ratio:.2f} ({result.spread[0]:.2f} to {result.spread[1]:.2f}) of {result.against}"
    return f"{result.name}: {ratio}\n    {absolute}; {noise}" + (f"; {result.quality}" if result.quality else "")


if __name__ == "__main__":
    sys.exit(main())
