"""Breaks each rule in turn in a copy of this folder and runs the tests of rules: a mistake that no test notices is told.

Not part of the checks: `python -m tools.mutate_rules` takes minutes. What stays unnoticed for a good reason stands in mutants_kept.py.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import Mutant, code_mutants, policy_mutants, weight_mutants
from tools.mutants_kept import KEPT

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("assent", "services", "demo", "tests", "tools", "docs")
LONGEST_S = 300
SAID = "said.txt"
# Loaded once, before the tests of each mistake run in a process of their own.
_OURS = ("assent.deciding.gate", "services.query.question", "services.registry.grants", "services.registry.policy_file", "demo.requests")
_LOADED = ("pytest", "hypothesis", "pydantic", "yaml", "aiohttp.web", "selectolax.lexbor", "PIL.Image", "protego", "publicsuffixlist")


@dataclass(frozen=True, slots=True)
class Target:
    """A file, the mistakes that are made in it, and the tests that ought to notice, the fastest first.

    `is_data`: it is read and not imported, so that our own modules can stay loaded.
    """

    path: str
    mutants: Callable[[str], Iterator[Mutant]]
    tests: tuple[str, ...]
    is_data: bool = False


_TABLES = ("tests/unit/test_rules_matrix.py", "tests/unit/test_rules_evidence.py")
_LAW = tuple(f"tests/unit/test_rules_{name}.py" for name in ("canada", "quebec", "states", "europe", "crosscutting"))
_CONSENT = ("consent_decision", "consent_ledger", "consent_source_url")
_UNIT = tuple(f"tests/unit/test_{name}.py" for name in _CONSENT)
TARGETS = {
    "policy": Target("services/registry/policies/shipped.yaml", policy_mutants, (*_TABLES, *_LAW), is_data=True),
    "evidence": Target("assent/geofence/evidence.py", weight_mutants, (*reversed(_TABLES), *_LAW)),
    "decision": Target("assent/consent/decision.py", code_mutants, (*_TABLES, *_LAW, *_UNIT)),
    "form": Target("assent/consent/legal_form.py", code_mutants, (*_TABLES, *_LAW)),
    "ledger": Target("assent/consent/ledger.py", code_mutants, (*_LAW, *_UNIT)),
    "binding": Target("assent/consent/binding.py", code_mutants, (*_LAW, *_UNIT)),
    "sources": Target("assent/consent/source_rules.py", code_mutants, (*_LAW, *_UNIT)),
    "asset": Target("assent/consent/asset.py", code_mutants, (*_LAW, *_UNIT)),
    "addresses": Target("assent/consent/source_url.py", code_mutants, (*_LAW, *_UNIT)),
    "geofence": Target("assent/geofence/decision.py", code_mutants, (*_TABLES, *_LAW, "tests/unit/test_geofence_decision.py")),
    "caller": Target("assent/geofence/caller.py", code_mutants, (*_TABLES, *_LAW, "tests/unit/test_geofence_caller.py")),
    "requests": Target("services/registry/grant_rules.py", code_mutants, _LAW),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutate_rules", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("targets", nargs="*", default=["policy", "evidence"], help=f"some of: {', '.join(TARGETS)}")
    parser.add_argument("--matching", default="", help="only mistakes whose name holds this text")
    asked = parser.parse_args(argv)
    unknown = sorted(set(asked.targets) - set(TARGETS))
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such target; write some of {', '.join(TARGETS)}")
    with tempfile.TemporaryDirectory(prefix="assent-mutants-") as folder:
        tree = Path(folder)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        sys.path[:] = [str(tree), *(entry for entry in sys.path if Path(entry or ".").resolve() != ROOT)]
        _forget_ours()
        for module in (*_LOADED, *_OURS):
            importlib.import_module(module)
        return max([_run(name, tree, asked.matching) for name in asked.targets])


def _run(name: str, tree: Path, matching: str) -> int:
    """0 when every mistake of this target was noticed or is known not to be; else 1."""
    target = TARGETS[name]
    file = tree / target.path
    text = file.read_text(encoding="utf-8")
    if not _passes(tree, target, writes_bytecode=True):
        said = "".join((tree / SAID).read_text(encoding="utf-8").splitlines(keepends=True)[-4:])
        print(f"{name}: the tests do not pass without a mistake; mend them first:\n{said}", file=sys.stderr)
        return 1
    started, noticed = time.monotonic(), 0
    unnoticed: list[str] = []
    for mutant in target.mutants(text):
        if matching not in mutant.name:
            continue
        file.write_text(mutant.text, encoding="utf-8")
        importlib.invalidate_caches()
        for stale in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
            stale.unlink()
        if _passes(tree, target):
            unnoticed.append(mutant.name)
            known = KEPT.get(f"{name}: {mutant.name.partition(': ')[2] or mutant.name}")
            print(f"  {name}: {mutant.name}  {'kept: ' + known if known else 'NOT NOTICED'}", flush=True)
        else:
            noticed += 1
    file.write_text(text, encoding="utf-8")
    without = [found for found in unnoticed if f"{name}: {found.partition(': ')[2] or found}" not in KEPT]
    took_s = time.monotonic() - started
    print(
        f"{name}: {noticed} noticed, {len(unnoticed) - len(without)} kept with a reason, {len(without)} not noticed; {took_s:.0f} s",
        flush=True,
    )
    return 1 if without else 0


def _passes(tree: Path, target: Target, *, writes_bytecode: bool = False) -> bool:
    """Whether the tests pass in the copy. They run in a fork, which imports nothing of ours before."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(tree, target, writes_bytecode=writes_bytecode))
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    # A mistake that never ends is noticed.
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def _forget_ours() -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] in FOLDERS]:
        del sys.modules[module]


def _tested(tree: Path, target: Target, *, writes_bytecode: bool) -> int:
    """The exit code of pytest in the copy; runs in the fork alone."""
    import pytest

    sys.dont_write_bytecode = not writes_bytecode
    os.chdir(tree)
    if not target.is_data:
        _forget_ours()
    with Path(SAID).open("w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    quiet = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*quiet, *target.tests]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
