"""Runs tests on one mistake after the other in a copy of this folder, each in a process of its own; says which of them noticed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tools.mutants import Mutant

FOLDERS = ("assent", "services", "demo", "tests", "tools", "docs")
LOADED = ("hypothesis", "pydantic", "yaml", "aiohttp.web", "selectolax.lexbor", "PIL.Image", "protego", "publicsuffixlist")
"""Imported once, before the processes part."""
_SAID = "said.txt"
_LONGEST_S = 300
_QUIET = ("-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning")


def noticed_one_by_one(tree: Path, path: str, tests: Sequence[str], mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """For a file that is imported: each process imports all of ours anew. The first one leaves its bytecode to the others."""
    for number, mutant in enumerate(mutants):
        (tree / path).write_text(mutant.text, encoding="utf-8")
        for stale in (tree / path).parent.glob(f"__pycache__/{(tree / path).stem}.*.pyc"):
            stale.unlink()
        child = os.fork()
        if child == 0:
            os._exit(_tested(tree, tests, (), writes_bytecode=number == 0))
        yield mutant, _failed(child)


def noticed_in_one_collection(tree: Path, path: str, tests: Sequence[str], mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """For a file that is read while a test runs: collected once, and a process for each mistake after that."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_tested(tree, tests, (_OneCollection(tree / path, mutants, writing),)))
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as lines:
        for mutant, line in zip(mutants, lines, strict=False):
            yield mutant, line.strip() == "noticed"
    os.waitpid(child, 0)


def last_words(tree: Path) -> str:
    """The end of what the last tests printed."""
    return "\n".join((tree / _SAID).read_text(encoding="utf-8").splitlines()[-4:])


class _OneCollection:
    """A plugin of pytest in whose place of running the tests each mistake is made and judged."""

    def __init__(self, file: Path, mutants: Sequence[Mutant], writing: int) -> None:
        self._file = file
        self._mutants = mutants
        self._writing = writing

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for mutant in self._mutants:
            self._file.write_text(mutant.text, encoding="utf-8")
            child = os.fork()
            if child == 0:
                os._exit(_first_failure(session))
            os.write(self._writing, b"noticed\n" if _failed(child) else b"unnoticed\n")
        return True


def _first_failure(session: pytest.Session) -> int:
    for item, following in zip(session.items, [*session.items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def _failed(child: int) -> bool:
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.01)
    # A mistake that never ends is noticed.
    os.kill(child, 9)
    os.waitpid(child, 0)
    return True


def _tested(tree: Path, tests: Sequence[str], plugins: Sequence[object], *, writes_bytecode: bool = False) -> int:
    """The exit code of pytest in the copy; in a process of its own alone."""
    sys.dont_write_bytecode = not writes_bytecode
    os.chdir(tree)
    for module in [name for name in sys.modules if name.partition(".")[0] in FOLDERS]:
        del sys.modules[module]
    with Path(_SAID).open("w", encoding="utf-8") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    return int(pytest.main([*_QUIET, *tests], plugins=list(plugins)))
