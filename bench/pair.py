"""Two ways to do one piece of work, measured in turn; an A/A pair beside them shows what the machine's noise alone makes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Work = Callable[[], object]


class Took(float):
    """Seconds: returned by work that times itself, because getting ready is no part of it."""


@dataclass(frozen=True, slots=True)
class Case:
    """`ours` and `theirs` do the same work on the same input; `unit` counts it; `quality` is a fact told beside the speed."""

    name: str
    against: str
    units: int
    unit: str
    ours: Work
    theirs: Work | None
    quality: str | Callable[[], str] = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Ratios of speeds, ours to theirs: above 1 ours is faster. `noise` is the spread of ours to itself."""

    name: str
    against: str
    unit: str
    per_second: float
    theirs_per_second: float | None
    ratio: float | None
    spread: tuple[float, float] | None
    noise: tuple[float, float]
    quality: str
    rounds: int = field(default=0)


def measured(cases: Sequence[Case], *, rounds: int) -> list[Result]:
    """Interleaved rounds: ours, everyone else in turn, ours again. Round 0 warms up and is not counted.

    The cases have the same `ours`, which runs twice a round however many others there are.
    """
    ours = cases[0].ours
    first: list[float] = []
    again: list[float] = []
    others: list[list[float]] = [[] for _ in cases]
    for number in range(rounds + 1):
        before = _timed(ours)
        took = [_timed(case.theirs) if case.theirs is not None else 0.0 for case in cases]
        after = _timed(ours)
        if number:
            first.append(before)
            again.append(after)
            for times, seconds in zip(others, took, strict=True):
                times.append(seconds)
    return [_result(case, first, again, other) for case, other in zip(cases, others, strict=True)]


def _result(case: Case, first: list[float], again: list[float], other: list[float]) -> Result:
    noise = [one / two for one, two in zip(first, again, strict=True)]
    ratios = [slow / ((one + two) / 2) for slow, one, two in zip(other, first, again, strict=True)] if case.theirs else []
    return Result(
        name=case.name,
        against=case.against,
        unit=case.unit,
        per_second=case.units / statistics.median(first + again),
        theirs_per_second=case.units / statistics.median(other) if case.theirs else None,
        ratio=statistics.median(ratios) if ratios else None,
        spread=(min(ratios), max(ratios)) if ratios else None,
        noise=(min(noise), max(noise)),
        quality=case.quality if isinstance(case.quality, str) else case.quality(),
        rounds=len(first),
    )


def _timed(work: Work) -> float:
    started = time.perf_counter()
    told = work()
    return float(told) if isinstance(told, Took) else time.perf_counter() - started
