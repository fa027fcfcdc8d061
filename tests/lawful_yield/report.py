"""Runs cases and counts; what passes and what does not is found here, never assumed."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from assent.stream.outcomes import ToldEvent
from tests.lawful_yield.case import Case
from tests.lawful_yield.course import Course, Deployment, Ending

FOLDER = Path(__file__).resolve().parent
CRAWLERS_ALONE = frozenset({"robots_disallow", "optout_signal"})
CASES, LEAST_SHARE, AT_ONCE = 500, 0.95, 50


@dataclass(frozen=True, slots=True)
class Result:
    """A case, how it ended, and what the gates told of it."""

    case: Case
    ending: Ending
    events: tuple[ToldEvent, ...] = ()


def read_cases(name: str) -> list[Case]:
    """The committed cases of `lawful` or `unlawful`."""
    return [Case.model_validate_json(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def lines(cases: Iterable[Case]) -> str:
    """Cases as they are committed: one JSON object a line, without what is as usual."""
    texts = (json.dumps(case.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) for case in cases)
    return "".join(f"{text}\n" for text in texts)


async def run(cases: Iterable[Case], *, is_past_crawler: bool = False) -> list[Result]:
    """Every case by itself, many at a time, in order."""
    waiting, results = list(cases), list[Result]()
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        await deployment.prepare()
        while waiting:
            batch, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            courses = [Course(case, deployment, is_past_crawler=is_past_crawler) for case in batch]
            endings = await asyncio.gather(*(course.run() for course in courses))
            results += [Result(case, ending, tuple(course.events)) for case, course, ending in zip(batch, courses, endings, strict=True)]
    return results


@dataclass(frozen=True, slots=True)
class Yield:
    """Both halves and what they came to: lawful cases as Assent is shipped, without a table of servers' addresses, unlawful ones with one.

    `unasked` are the unlawful cases again as if no crawler had stood before the gates, without those that the crawler alone can refuse: it
    is the one that sees what a site asks. `placed` are the lawful cases of whose servers a table tells something, run again with one.
    """

    lawful: list[Result]
    unlawful: list[Result]
    unasked: list[Result]
    placed: list[Result] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The two numbers."""
        passed = sum(result.ending.is_passed for result in self.lawful)
        wrong = len({result.case.id for result in (*self.unlawful, *self.unasked) if result.ending.is_passed})
        return f"lawful: {passed} of {len(self.lawful)} pass; unlawful: {wrong} of {len(self.unlawful)} pass"

    @property
    def passed_with_table(self) -> int:
        """How many of the lawful cases pass where the operator names a table of addresses."""
        again = {result.case.id: result.ending for result in self.placed}
        return sum(again.get(result.case.id, result.ending).is_passed for result in self.lawful)

    def faults(self) -> list[str]:
        """What must not be, one line each."""
        found = [f"{len(results)} cases instead of {CASES}" for results in (self.lawful, self.unlawful) if len(results) != CASES]
        passed = sum(result.ending.is_passed for result in self.lawful)
        if passed < LEAST_SHARE * len(self.lawful):
            found.append(f"{passed} of {len(self.lawful)} lawful cases pass; at least {LEAST_SHARE:.0%} must")
        for result in (*self.unlawful, *self.unasked):
            case, ending = result.case, result.ending
            if ending.is_passed:
                found.append(f"{case.id} passes: {case.about}")
            elif not set(case.rules) & set(ending.rules):
                found.append(f"{case.id} is refused by {', '.join(ending.rules)} and not by {' or '.join(case.rules)}: {case.about}")
        return list(dict.fromkeys(found))


async def measured() -> Yield:
    """The committed cases, run now."""
    unlawful = read_cases("unlawful")
    unasked = [case for case in unlawful if case.entrance == "crawler" and not CRAWLERS_ALONE & set(case.rules)]
    lawful = read_cases("lawful")
    untold = [case.model_copy(update={"site": case.site.model_copy(update={"server": None})}) for case in lawful]
    placed = [case for case in lawful if case.site.server is not None]
    return Yield(await run(untold), await run(unlawful), await run(unasked, is_past_crawler=True), await run(placed))
