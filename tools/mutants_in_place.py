"""Tests on mistakes where everything is imported and collected once; each process makes one of them in what is imported already.

What was made by an import, or while tests were collected, stays as it was; `mutants_anew.py` has the last word on such mistakes.
"""

from __future__ import annotations

import functools
import gc
import os
import pickle
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tools.code_mutants import CodeMutant
from tools.mutants_processes import Job, Outcome, judged
from tools.mutants_reach import Lines, Reach, reach_of_each, traced
from tools.mutants_swaps import BodySwap, ConstantSwap

Functions = Mapping[str, Sequence[FunctionType]]
Caches = Sequence[Callable[[], None]]
LEAST_S = 10.0
QUIET = ("-q", "-s", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class InPlace:
    """A plugin of pytest in whose place of running the tests each is looked at once, and then each mistake is made and judged.

    `told` takes what was found out, pickled: how far each test reaches, what the collection ran, then (number, outcome) of each mistake.
    """

    def __init__(self, mutants: dict[int, CodeMutant], told: Path, *, ours: tuple[str, ...], workers: int) -> None:
        self._mutants = mutants
        self._told = told
        self._ours = ours
        self._workers = workers
        self._paths = frozenset(mutant.code.co_filename for mutant in mutants.values())
        self._noticed_by: Counter[str] = Counter()
        self._importers: dict[str, frozenset[str]] = {}
        self._collecting = traced(self._paths, ours)
        self._collected: Lines = self._collecting.__enter__()

    def pytest_collection_finish(self) -> None:
        self._collecting.__exit__(None, None, None)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        # Made once, so that the processes do not tidy away each other's folders.
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        reached = self._looked_at(session)
        with self._told.open("wb") as told:
            pickle.dump((reached, self._collected), told)
            for number, outcome in self._judged(session, reached):
                pickle.dump((number, outcome), told)
                told.flush()
        return True

    def _looked_at(self, session: pytest.Session) -> dict[str, Reach]:
        kept = self._told.with_suffix(".reach")
        child = os.fork()
        if child == 0:
            kept.write_bytes(pickle.dumps(reach_of_each(session, self._paths, self._ours)))
            os._exit(0)
        os.waitpid(child, 0)
        found: dict[str, Reach] = pickle.loads(kept.read_bytes())  # noqa: S301 - written by the process above
        return found

    def _judged(self, session: pytest.Session, reached: dict[str, Reach]) -> Iterator[tuple[int, Outcome]]:
        functions, caches = _functions(self._paths), _caches(self._ours)
        gc.collect()
        gc.freeze()
        jobs = []
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        for number, mutant in self._mutants.items():
            swap = self._swap(mutant, functions, caches)
            if swap is None:
                continue
            tests = [item for item in session.items if reached[item.nodeid].passed and self._reaches(reached[item.nodeid], mutant)]
            if not tests:
                yield number, Outcome.UNREACHED
                continue
            # What is about little is about this.
            tests.sort(key=lambda item: sum(map(len, reached[item.nodeid].lines.values())))
            seconds = LEAST_S + 4 * sum(reached[item.nodeid].took_s for item in tests)
            jobs.append(Job(number, functools.partial(self._notices, session, tests, swap, writing), seconds))
        for outcome in judged(jobs, workers=self._workers):
            self._noticed_by.update(_read(reading).decode().splitlines())
            yield outcome

    def _swap(self, mutant: CodeMutant, functions: Functions, caches: Caches) -> BodySwap | ConstantSwap | None:
        """How the mistake is made in what is imported already; None where it cannot be."""
        path = mutant.code.co_filename
        if not mutant.owner:
            module = next((module for module in list(sys.modules.values()) if getattr(module, "__file__", None) == path), None)
            return None if module is None else ConstantSwap(module, mutant.code, caches)
        body = body_of(mutant)
        places = [place for place in functions.get(path, ()) if body is not None and _is_same(place.__code__, body)]
        return BodySwap(places, body, caches) if body is not None and places else None

    def _reaches(self, reach: Reach, mutant: CodeMutant) -> bool:
        path = mutant.code.co_filename
        return reach.runs(path, mutant.lines) if mutant.owner else not self._near(path).isdisjoint(reach.lines)

    def _near(self, path: str) -> frozenset[str]:
        if path not in self._importers:
            self._importers[path] = frozenset({path, *importers(path, self._ours)})
        return self._importers[path]

    def _notices(self, session: pytest.Session, tests: list[pytest.Item], swap: BodySwap | ConstantSwap, writing: int) -> bool:
        """In a process of its own. What noticed most of the mistakes before is asked first."""
        if not swap.make():
            return False
        tests.sort(key=lambda item: -self._noticed_by[item.nodeid])
        for item, following in zip(tests, [*tests[1:], None], strict=True):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                os.write(writing, f"{item.nodeid}\n".encode())
                return True
        return False


def _read(pipe: int) -> bytes:
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return b""


def body_of(mutant: CodeMutant) -> CodeType | None:
    """The code of the function that holds the mistake; None where it is not in a function, or cannot be put into the one that is there."""
    found = [code for code in _codes(mutant.code) if mutant.owner and code.co_qualname == mutant.owner]
    matching = [code for code in found if any(code.co_firstlineno <= line <= _last_line(code) for line in mutant.lines)]
    return matching[0] if matching else None


def _last_line(code: CodeType) -> int:
    own = [line for *_, line in code.co_lines() if line is not None]
    return max([*own, *(_last_line(inner) for inner in code.co_consts if isinstance(inner, CodeType))])


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


def _is_same(held: CodeType, body: CodeType) -> bool:
    return (held.co_qualname, held.co_firstlineno, held.co_freevars) == (body.co_qualname, body.co_firstlineno, body.co_freevars)


def importers(path: str, ours: tuple[str, ...]) -> Iterator[str]:
    """The modules of ours that import this one by name."""
    root = Path(ours[0]).parent
    package, _, name = ".".join(Path(path).relative_to(root).with_suffix("").parts).rpartition(".")
    imports = re.compile(rf"^\s*from {re.escape(package)}(\.{name} import| import .*\b{name}\b)", re.MULTILINE)
    for folder in ours:
        for file in Path(folder).rglob("*.py"):
            if imports.search(file.read_text(encoding="utf-8")):
                yield str(file)


def _functions(paths: frozenset[str]) -> Functions:
    found: dict[str, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename in paths:
            found.setdefault(thing.__code__.co_filename, []).append(thing)
    return found


def _caches(ours: tuple[str, ...]) -> Caches:
    """What empties each cache of ours: else an answer from before the mistake is given again."""
    cached = [thing for thing in gc.get_objects() if isinstance(thing, functools._lru_cache_wrapper)]
    return [thing.cache_clear for thing in cached if _file_of(thing.__wrapped__).startswith(ours)]


def _file_of(function: object) -> str:
    return function.__code__.co_filename if isinstance(function, FunctionType) else ""
