"""Which test runs which lines: what a mistake needs to be run by, or nobody can notice it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest

Lines = dict[str, set[int]]


@dataclass(slots=True)
class Reach:
    """What one test ran: of the files that are looked at each line, of our other files that something of them was run."""

    took_s: float
    passed: bool
    lines: Lines = field(default_factory=dict)

    def runs(self, path: str, lines: range) -> bool:
        """It runs one of these lines of this file."""
        ran = self.lines.get(path)
        return ran is not None and any(line in ran for line in lines)


def reach_of_each(session: pytest.Session, looked_at: frozenset[str], ours: tuple[str, ...]) -> dict[str, Reach]:
    """Every test run once, by its id; to be called in a process that ends after it."""
    reached: dict[str, Reach] = {}
    for item, following in zip(session.items, [*session.items[1:], None], strict=True):
        failed, started = session.testsfailed, time.monotonic()
        outcome = _Outcome(item.nodeid)
        session.config.pluginmanager.register(outcome)
        with traced(looked_at, ours) as lines:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        session.config.pluginmanager.unregister(outcome)
        passed = outcome.passed and session.testsfailed == failed
        reached[item.nodeid] = Reach(time.monotonic() - started, passed, lines)
    return reached


@contextmanager
def traced(looked_at: frozenset[str], ours: tuple[str, ...]) -> Iterator[Lines]:
    """What is run meanwhile, in every thread that begins meanwhile."""
    lines: Lines = {}

    def each_line(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        lines.setdefault(frame.f_code.co_filename, set()).add(frame.f_lineno)
        return each_line

    def each_call(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        path = frame.f_code.co_filename
        if path in looked_at:
            return each_line(frame, event, argument)
        if path.startswith(ours):
            lines.setdefault(path, set()).add(frame.f_code.co_firstlineno)
        return None

    before = sys.gettrace()
    threading.settrace(each_call)
    sys.settrace(each_call)
    try:
        yield lines
    finally:
        sys.settrace(before)
        threading.settrace(None)


class _Outcome:
    """A plugin that hears whether one test was run and passed; a skipped one did neither."""

    def __init__(self, nodeid: str) -> None:
        self._nodeid = nodeid
        self.passed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid == self._nodeid and report.when == "call":
            self.passed = report.passed
