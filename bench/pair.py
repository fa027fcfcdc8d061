"""Two ways to do one piece of work, measured in turn; an A/A pair beside them shows what the machine's noise alone makes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """`ours` and `theirs` do the same work on the same input; `unit` counts it; `quality` is a fact told beside the speed."""

    name: str
    against: str
    units: int
    unit: str
    ours: Work
    theirs: Work | None
    quality: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Ratios of speeds, ours to theirs: above 1 ours is faster. `noise` is the spread of ours to itself."""

    name: str
    against: str
    unit: str
    per_second: float
    ratio: float | None
    spread: tuple[float, float] | None
    noise: tuple[float, float]
    quality: str
    rounds: int = field(default=0)


def measured(case: Case, *, rounds: int) -> Result:
    """Interleaved rounds: ours, theirs, ours again. Round 0 warms up and is not counted."""
    first: list[float] = []
    again: list[float] = []
    other: list[float] = []
    for number in range(rounds + 1):
        took = _timed(case.ours), _timed(case.theirs) if case.theirs is not None else 0.0, _timed(case.ours)
        if number:
            first.append(took[0])
            other.append(took[1])
            again.append(took[2])
    noise = [one / two for one, two in zip(first, again, strict=True)]
    ours = statistics.median(first + again)
    ratios = [slow / ((one + two) / 2) for slow, one, two in zip(other, first, again, strict=True)] if case.theirs else []
    return Result(
        name=case.name,
        against=case.against,
        unit=case.unit,
        per_second=case.units / ours,
        ratio=statistics.median(ratios) if ratios else None,
        spread=(min(ratios), max(ratios)) if ratios else None,
        noise=(min(noise), max(noise)),
        quality=case.quality,
        rounds=rounds,
    )


def _timed(work: Work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
