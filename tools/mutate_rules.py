"""Breaks each row of the policy and of the table of evidence in turn in a copy of this folder and runs the tests of rules.

A mistake that no test notices is told. The code that reads these rows is broken by mutate_code.py.

Not part of the checks: `python -m tools.mutate_rules` takes minutes. What stays unnoticed for a good reason stands in tools/kept.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import Mutant, policy_mutants, weight_mutants
from tools.mutants_judged import FOLDERS, LOADED, last_words, noticed_in_one_collection, noticed_one_by_one
from tools.mutants_kept import KEPT

ROOT = Path(__file__).resolve().parent.parent
UNBROKEN = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A file, the mistakes that are made in it, and the tests that ought to notice, the fastest first.

    `is_data`: it is read while a test runs and not imported, so that the tests are collected once for all its mistakes.
    """

    path: str
    mutants: Callable[[str], Iterator[Mutant]]
    tests: tuple[str, ...]
    is_data: bool = False


_TABLES = ("tests/unit/test_rules_matrix.py", "tests/unit/test_rules_evidence.py")
_LAW = tuple(f"tests/unit/test_rules_{name}.py" for name in ("crosscutting", "states", "europe", "quebec", "canada"))
TARGETS = {
    "policy": Target("services/registry/policies/shipped.yaml", policy_mutants, (_TABLES[0], *_LAW, _TABLES[1]), is_data=True),
    "evidence": Target("assent/geofence/evidence.py", weight_mutants, (*reversed(_TABLES), *_LAW)),
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
        for module in LOADED:
            importlib.import_module(module)
        return max([_run(name, tree, asked.matching) for name in asked.targets])


def _run(name: str, tree: Path, matching: str) -> int:
    """0 when every mistake of this target was noticed or is known not to be; else 1."""
    target = TARGETS[name]
    text = (tree / target.path).read_text(encoding="utf-8")
    mutants = [Mutant(UNBROKEN, text), *(mutant for mutant in target.mutants(text) if matching in mutant.name)]
    judged = noticed_in_one_collection if target.is_data else noticed_one_by_one
    started, noticed, kept, without = time.monotonic(), 0, 0, 0
    for mutant, is_noticed in judged(tree, target.path, target.tests, mutants):
        if mutant.name == UNBROKEN:
            if is_noticed:
                print(f"{name}: the tests do not pass without a mistake; mend them first\n{last_words(tree)}", file=sys.stderr)
                return 1
            continue
        reason = KEPT.get(f"{name}: {mutant.name}")
        noticed += is_noticed
        kept += not is_noticed and reason is not None
        without += not is_noticed and reason is None
        if not is_noticed:
            print(f"  {name}: {mutant.name}  {f'kept: {reason}' if reason else 'NOT NOTICED'}", flush=True)
    (tree / target.path).write_text(text, encoding="utf-8")
    took_s = time.monotonic() - started
    print(f"{name}: {noticed} noticed, {kept} kept with a reason, {without} not noticed; {took_s:.0f} s", flush=True)
    return 1 if without else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
