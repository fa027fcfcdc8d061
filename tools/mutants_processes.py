"""Each mistake in a process of its own, a few at a time, with an end to each; what one of them breaks the others do not see."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_MORE_MEMORY = 2 * 1024**3
_WAKES_EACH_S = 0.005


class Outcome(StrEnum):
    """What became of a mistake."""

    NOTICED = "noticed"
    UNNOTICED = "not noticed"
    ENDLESS = "no end"
    UNREACHED = "not reached"
    UNJUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Job:
    """One mistake. `notices` judges it in the new process, which is given these `seconds` of a processor, and eight times the time."""

    number: int
    notices: Callable[[], bool]
    seconds: float


def judged(jobs: Iterable[Job], *, workers: int) -> Iterator[tuple[int, Outcome]]:
    """The outcome of each, as they end."""
    running: dict[int, tuple[int, float]] = {}
    waiting = iter(jobs)
    try:
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                running[_forked(job)] = job.number, time.monotonic() + 8 * job.seconds
            if not running:
                return
            for child, outcome in list(_ended(running)):
                yield running.pop(child)[0], outcome
            time.sleep(_WAKES_EACH_S)
    finally:
        for child in running:
            os.killpg(child, signal.SIGKILL)


def _ended(running: dict[int, tuple[int, float]]) -> Iterator[tuple[int, Outcome]]:
    for child, (_, deadline) in running.items():
        done, status = os.waitpid(child, os.WNOHANG)
        if not done and time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            yield child, Outcome.ENDLESS
        elif done:
            code = os.waitstatus_to_exitcode(status)
            if code in (-signal.SIGXCPU, -signal.SIGKILL):
                yield child, Outcome.ENDLESS
            else:
                yield child, Outcome.NOTICED if code else Outcome.UNNOTICED


def _forked(job: Job) -> int:
    child = os.fork()
    if child:
        # Here too, so that the group is there when it has to be ended.
        os.setpgid(child, child)
        return child
    code = 1
    try:
        os.setpgid(0, 0)
        seconds = int(job.seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (_memory() + _MORE_MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        code = 1 if job.notices() else 0
    finally:
        os._exit(code)


def _memory() -> int:
    with open("/proc/self/statm", encoding="ascii") as told:
        return int(told.read().split()[0]) * resource.getpagesize()
