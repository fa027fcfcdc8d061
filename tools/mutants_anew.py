"""Tests on mistakes that are seen by an import alone: each process imports ours anew, one module of it with the mistake."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tools.code_mutants import CodeMutant
from tools.mutants_in_place import LEAST_S, QUIET, importers
from tools.mutants_processes import Job, Outcome, judged
from tools.mutants_reach import Lines, Reach

LOADED = ("pydantic", "yaml", "aiohttp.web", "selectolax.lexbor", "PIL.Image", "protego", "publicsuffixlist", "shapely")
"""Of others, imported once before the processes part."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Tests of one file by their ids, and how long they take."""

    file: str
    ids: frozenset[str]
    took_s: float


def judged_anew(
    mutants: Mapping[int, CodeMutant], reached: Mapping[str, Reach], collected: Lines, *, root: Path, ours: tuple[str, ...], workers: int
) -> Iterator[tuple[int, Outcome]]:
    """The outcome of each mistake, as they end."""
    jobs = []
    for number, mutant in mutants.items():
        chosen = _chosen(mutant, reached, collected, ours)
        if not chosen:
            yield number, Outcome.UNREACHED
            continue
        seconds = 3 * LEAST_S + 4 * sum(tests.took_s for tests in chosen)
        jobs.append(Job(number, _Anew(mutant, chosen, root), seconds))
    yield from judged(jobs, workers=workers)


@dataclass(frozen=True, slots=True)
class _Anew:
    mutant: CodeMutant
    chosen: Sequence[Chosen]
    root: Path

    def __call__(self) -> bool:
        sys.dont_write_bytecode = True
        path = Path(self.mutant.code.co_filename)
        name = ".".join(path.relative_to(self.root).with_suffix("").parts)
        for module in [module for module in sys.modules if module.partition(".")[0] in ("assent", "services", "tests", "demo", "embedded")]:
            del sys.modules[module]
        sys.meta_path.insert(0, _WithMistake(name, path, self.mutant.code))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        return any(pytest.main([*QUIET, str(self.root / tests.file)], plugins=[_Only(tests.ids)]) != 0 for tests in self.chosen)


class _WithMistake(importlib.machinery.PathFinder):
    """Finds one module, and gives it the code with the mistake."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(  # type: ignore[override]
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=_Loader(fullname, str(self._path), self._code))


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Only:
    """A plugin that leaves the tests of these ids."""

    def __init__(self, ids: frozenset[str]) -> None:
        self._ids = ids

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._ids]


def run_while_collected(mutant: CodeMutant, collected: Lines) -> bool:
    """A line of it was run while the tests were collected, so that what came of it may be held since."""
    return any(line in collected.get(mutant.code.co_filename, ()) for line in mutant.lines)


def _chosen(mutant: CodeMutant, reached: Mapping[str, Reach], collected: Lines, ours: tuple[str, ...]) -> list[Chosen]:
    """The tests that may notice, file by file, those files first that run little beside this module.

    What an import runs may be noticed by every test that runs anything of the module, or of a module that imports it.
    """
    path = mutant.code.co_filename
    wide = not mutant.owner or run_while_collected(mutant, collected)
    near = {path, *importers(path, ours)} if wide else {path}
    files: dict[str, list[str]] = {}
    for nodeid, reach in reached.items():
        if reach.passed and (not near.isdisjoint(reach.lines) if wide else reach.runs(path, mutant.lines)):
            files.setdefault(nodeid.partition("::")[0], []).append(nodeid)
    chosen = [Chosen(file, frozenset(ids), sum(reached[one].took_s for one in ids)) for file, ids in files.items()]
    return sorted(chosen, key=lambda tests: (-_share(path, tests.ids, reached), tests.took_s))


def _share(path: str, ids: frozenset[str], reached: Mapping[str, Reach]) -> float:
    """How much of what these tests run is in this file."""
    ran = [(file == path, len(lines)) for one in ids for file, lines in reached[one].lines.items()]
    return sum(count for is_here, count in ran if is_here) / max(1, sum(count for _, count in ran))
