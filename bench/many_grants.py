"""A ledger of many grants beside a bare dict of slotted records: how long each takes to load, how large it is, what a look-up costs.

python -m bench.many_grants           # a million: some minutes, and about 9 GB
python -m bench.many_grants 100000

Both read the same JSON, each in a process of its own; times are of the processor. Signatures are not checked here: what they cost at a
start is told in docs/decisions/0020.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assent.consent.asset import Asset
from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import GrantSnapshot, Operation
from assent.events.images import SourceKind
from assent.geofence.policy import Policy
from assent.ids import GrantId
from bench.consent_corpus import PLACE, folder_of, grant_of
from services.registry.policy_file import read_policy

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PIECE = 10_000
ASKED = 10_000
ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Bare:
    """A grant as a hand-written dict would hold it: what a decision looks at, as it stands in the JSON."""

    grant_id: str
    state: str
    subject_id: str
    folder: str
    purposes: list[str]
    operations: list[str]
    forms: list[dict[str, Any]]
    collect_in: list[str]
    store_in: list[str]
    not_before: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Seconds of a processor to load, bytes that the process grew by, seconds a look-up, and a whole decision where there is one."""

    seconds: float
    size_bytes: int
    lookup_s: float
    decision_s: float | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.many_grants", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("count", nargs="?", type=int, default=1_000_000, help="how many grants; without: a million")
    count = parser.parse_args(arguments).count
    if count < 1:
        parser.error("give one grant at least")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        bare = pool.apply(bare_dict, (count,))
        ours = pool.apply(our_ledger, (count,))
    print(f"{count} grants, {sum(map(len, written(0, min(count, 100)))) // min(count, 100)} bytes of JSON each")
    for name, found in (("ledger", ours), ("bare dict", bare)):
        print(
            f"{name}: loaded in {found.seconds:.1f} s ({found.seconds / count * 1e6:.0f} us a grant), "
            f"{found.size_bytes / count:,.0f} bytes a grant, {found.lookup_s * 1e6:.2f} us a look-up"
            + ("" if found.decision_s is None else f", {found.decision_s * 1e6:.1f} us a decision")
        )
    times = (ours.seconds / bare.seconds, ours.size_bytes / max(1, bare.size_bytes), ours.lookup_s / bare.lookup_s)
    print("ledger to bare dict: {:.1f} times as long to load, {:.1f} times the size, {:.0f} times as long for a look-up".format(*times))
    return 0


def our_ledger(count: int) -> Loaded:
    """As a decider folds it, in a process of its own."""
    ledger = ConsentLedger()
    seconds, size = _loaded(count, lambda value: ledger.apply_grant(GrantSnapshot.model_validate_json(value)))
    asked = _asked(count)
    assets = [Asset(SourceKind.WEB_PAGE, final_url=f"https://{folder_of(index)}1.jpg") for index in asked]
    policy = Policy.from_canonical_json(read_policy(None).document)
    requests = [
        (GrantId(f"g-{index}"), Request(Operation.EMBED, frozenset({PLACE}), NOW, asset=asset))
        for index, asset in zip(asked, assets, strict=True)
    ]
    assert all(len(ledger.covering(asset)) == 1 for asset in assets)
    assert all(allow(grant_id, request, ledger=ledger, policy=policy).is_allowed for grant_id, request in requests)
    return Loaded(
        seconds,
        size,
        _each(lambda: [ledger.covering(asset) for asset in assets], len(assets)),
        _each(lambda: [allow(grant_id, request, ledger=ledger, policy=policy) for grant_id, request in requests], len(requests)),
    )


def bare_dict(count: int) -> Loaded:
    """The same facts by folder."""
    table: dict[str, Bare] = {}

    def take(value: bytes) -> None:
        told = json.loads(value)
        folder = told["sources"][0]["value"].partition("://")[2]
        table[folder] = Bare(
            told["grant_id"],
            told["state"],
            told["subject_id"],
            folder,
            told["purposes"],
            told["operations"],
            told["legal"],
            told["scope"]["collect_in"],
            told["scope"]["store_in"],
            told["not_before"],
            told["expires_at"],
        )

    seconds, size = _loaded(count, take)
    names = [folder_of(index) for index in _asked(count)]
    assert all(name in table for name in names)
    return Loaded(seconds, size, _each(lambda: [table.get(name) for name in names], len(names)))


def written(start: int, end: int) -> Iterator[bytes]:
    """Grants as the registry writes them."""
    for index in range(start, end):
        yield grant_of(index, NOW).to_json()


def _loaded(count: int, take: Callable[[bytes], None]) -> tuple[float, int]:
    """Seconds and bytes; in pieces, so that making the JSON counts for nothing. What was loaded is left out of the search for cycles."""
    gc.collect()
    before, seconds = _resident_bytes(), 0.0
    for start in range(0, count, PIECE):
        values = list(written(start, min(start + PIECE, count)))
        began = time.process_time()
        for value in values:
            take(value)
        seconds += time.process_time() - began
        del values
        gc.collect()
        gc.freeze()
    return seconds, _resident_bytes() - before


def _asked(count: int) -> range:
    return range(0, count, max(1, count // ASKED))


def _each(work: Callable[[], object], units: int) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took) / units


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main())
