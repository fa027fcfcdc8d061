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
    """Ratios of speeds, ours to theirs: above 1 ours is faster. `noise` is the spread of ours to itself.

    `processor_ratio` is of the processor time that each used, getting ready included: what else runs on the machine matters less there.
    """

    name: str
    against: str
    unit: str
    per_second: float
    theirs_per_second: float | None
    ratio: float | None
    spread: tuple[float, float] | None
    processor_ratio: float | None
    noise: tuple[float, float]
    quality: str
    rounds: int = field(default=0)


def measured(cases: Sequence[Case], *, rounds: int) -> list[Result]:
    """Interleaved rounds: ours, everyone else in turn, ours again. Round 0 warms up and is not counted.

    The cases have the same `ours`, which runs twice a round however many others there are.
    """
    ours = cases[0].ours
    first: list[_Time] = []
    again: list[_Time] = []
    others: list[list[_Time]] = [[] for _ in cases]
    for number in range(rounds + 1):
        before = _timed(ours)
        took = [(times, _timed(case.theirs)) for times, case in zip(others, cases, strict=True) if case.theirs is not None]
        after = _timed(ours)
        if number:
            first.append(before)
            again.append(after)
            for times, one in took:
                times.append(one)
    return [_result(case, first, again, other) for case, other in zip(cases, others, strict=True)]


@dataclass(frozen=True, slots=True)
class _Time:
    """Seconds by the clock, and seconds of the processors in all threads of this process."""

    wall: float
    processor: float


def _result(case: Case, first: list[_Time], again: list[_Time], other: list[_Time]) -> Result:
    noise = [one.wall / two.wall for one, two in zip(first, again, strict=True)]
    ratios = [slow.wall / ((one.wall + two.wall) / 2) for slow, one, two in zip(other, first, again, strict=True)] if other else []
    used = (
        [slow.processor / ((one.processor + two.processor) / 2) for slow, one, two in zip(other, first, again, strict=True)]
        if other
        else []
    )
    return Result(
        name=case.name,
        against=case.against,
        unit=case.unit,
        per_second=case.units / statistics.median(one.wall for one in first + again),
        theirs_per_second=case.units / statistics.median(one.wall for one in other) if other else None,
        ratio=statistics.median(ratios) if ratios else None,
        spread=(min(ratios), max(ratios)) if ratios else None,
        processor_ratio=statistics.median(used) if used else None,
        noise=(min(noise), max(noise)),
        quality=case.quality if isinstance(case.quality, str) else case.quality(),
        rounds=len(first),
    )


def _timed(work: Work) -> _Time:
    started, used = time.perf_counter(), time.process_time()
    told = work()
    wall, used = time.perf_counter() - started, time.process_time() - used
    return _Time(float(told) if isinstance(told, Took) else wall, used)
