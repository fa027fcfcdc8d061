"""Makes one small mistake after the other in modules of ours and runs the tests that reach it: what no test notices is told.

Not part of the checks: it takes minutes for a package. What stays unnoticed for a good reason stands in tools/kept.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pickle
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from tools.code_mutants import CodeMutant, code_mutants
from tools.mutants_anew import LOADED, judged_anew, run_while_collected
from tools.mutants_in_place import QUIET, InPlace
from tools.mutants_kept import KEPT
from tools.mutants_processes import Outcome
from tools.mutants_reach import Lines, Reach

ROOT = Path(__file__).resolve().parent.parent
TESTS = {
    "assent/consent": ("consent_*", "content_rights", "rules_[!df]*", "replay*", "deciding_gate", "deciding_may_stay", "cleared_json"),
    "assent/geofence": (
        *("geofence_*", "rules_[!df]*", "evidence_rows", "policy_file", "garbage", "optouts_xmp", "optouts_costs"),
        "deciding_refusal_counts",
    ),
    "assent/optouts": ("optouts_*", "rules_signals", "garbage", "geofence_xmp_iptc", "geofence_c2pa*", "geofence_schema_org"),
    "assent/deciding": ("deciding_*", "replay*", "rule_texts", "wording", "rules_crosscutting", "rules_documented", "policies_*"),
    "assent/heif": ("heif_*", "faces_heic*", "geofence_exif_gps"),
    "assent/policies": ("policies_*", "cli_policy*", "policy_file"),
    "assent/events": ("*_events", "event_[ps]*", "cleared_json", "stream_values", "producer_window", "deciding_*", "replay*"),
}
"""Packages without reading or writing, and the tests in tests/unit that are about them: a rule is noticed by its own tests."""
MOST_EXAMPLES = 50
"""Of a property test, for each mistake. Thousands of them are for `make test`."""
_OURS = tuple(f"{ROOT}/{folder}/" for folder in ("assent", "services"))
_FOUND = (Outcome.NOTICED, Outcome.ENDLESS)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutate_code", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="*", default=list(TESTS), help=f"modules or packages; without any: {' '.join(TESTS)}")
    parser.add_argument("--tests", nargs="*", default=[], help="where to look for tests that notice; without: those of the package")
    parser.add_argument("--matching", default="", help="only mistakes whose name holds this text")
    parser.add_argument("--quick", action="store_true", help="leave out what only a new import of everything can judge: seconds for each")
    parser.add_argument("--workers", type=int, default=2, help="how many are judged at a time; without: 2")
    asked = parser.parse_args(argv)
    unknown = [path for path in (*asked.paths, *asked.tests) if not (ROOT / path).exists()]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such file or folder in {ROOT}; write for example assent/consent/ledger.py")
    mutants = [mutant for mutant in all_mutants(asked.paths) if asked.matching in key_of(mutant)]
    os.chdir(ROOT)
    for module in LOADED:
        importlib.import_module(module)
    _few_examples()
    started = time.monotonic()
    outcomes = _outcomes(dict(enumerate(mutants)), asked.tests or tests_of(asked.paths), asked.workers, asked.quick)
    without = _told([(mutant, outcomes[number]) for number, mutant in enumerate(mutants)])
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - started:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of a processor", flush=True)
    return 1 if without else 0


def all_mutants(paths: Iterable[str]) -> Iterator[CodeMutant]:
    """Every mistake in these modules and packages."""
    for path in paths:
        for file in sorted((ROOT / path).rglob("*.py")) if (ROOT / path).is_dir() else [ROOT / path]:
            yield from code_mutants(file.read_text(encoding="utf-8"), str(file))


def tests_of(paths: Iterable[str]) -> list[str]:
    """The files of tests that are about these modules and packages; all of tests/unit for what is none of ours to decide with."""
    words = [word for package, words in TESTS.items() if any(f"{path}/".startswith(f"{package}/") for path in paths) for word in words]
    folder = ROOT / "tests" / "unit"
    return sorted({str(file.relative_to(ROOT)) for word in words for file in folder.glob(f"test_{word}.py")}) or ["tests/unit"]


def key_of(mutant: CodeMutant) -> str:
    """How the reasons name it."""
    return f"{Path(mutant.code.co_filename).relative_to(ROOT)}: {mutant.name}"


def _few_examples() -> None:
    """Property tests with the same few examples in every process, none of them written down, and without haste."""
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    settings.load_profile("mutants")
    asked: property = vars(settings)["max_examples"]
    # A test that asks for thousands says so itself, over any profile; and the class lets nobody write to it.
    type.__setattr__(settings, "max_examples", property(lambda each: min(asked.__get__(each), MOST_EXAMPLES)))


def _outcomes(mutants: dict[int, CodeMutant], tests: list[str], workers: int, is_quick: bool) -> dict[int, Outcome]:
    with tempfile.TemporaryDirectory(prefix="assent-mutants-") as folder:
        reached, collected, outcomes = _in_place(mutants, tests, workers, Path(folder) / "told")
    left_out = sum(not reach.passed for reach in reached.values())
    print(f"{len(mutants)} mistakes, {len(reached)} tests, {left_out} of them skipped or failing without a mistake", flush=True)
    again = {number: mutant for number, mutant in mutants.items() if _needs_import(mutant, outcomes.get(number), collected)}
    if is_quick:
        return outcomes | dict.fromkeys(again, Outcome.UNJUDGED)
    print(f"{len(again)} of them are judged anew", flush=True)
    return outcomes | dict(judged_anew(again, reached, collected, root=ROOT, ours=_OURS, workers=workers))


def _needs_import(mutant: CodeMutant, outcome: Outcome | None, collected: Lines) -> bool:
    """What could not be made in what is imported already, or was run by an import or while tests were collected, and was not noticed."""
    return outcome is None or (outcome not in _FOUND and (not mutant.owner or run_while_collected(mutant, collected)))


def _in_place(
    mutants: dict[int, CodeMutant], tests: list[str], workers: int, told: Path
) -> tuple[dict[str, Reach], Lines, dict[int, Outcome]]:
    child = os.fork()
    if child == 0:
        said = os.open(told.with_suffix(".said"), os.O_WRONLY | os.O_CREAT)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os._exit(int(pytest.main([*QUIET, *tests], plugins=[InPlace(mutants, told, ours=_OURS, workers=workers)])))
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 5) or not told.exists():
        raise SystemExit(f"assent: the tests could not be run\n{told.with_suffix('.said').read_text(encoding='utf-8')[-2000:]}")
    with told.open("rb") as lines:
        reached, collected = pickle.load(lines)  # noqa: S301 - written by the process above
        outcomes: dict[int, Outcome] = {}
        while lines.peek():
            number, outcome = pickle.load(lines)  # noqa: S301
            outcomes[number] = outcome
    return reached, collected, outcomes


def _told(judged: list[tuple[CodeMutant, Outcome]]) -> int:
    """How many were noticed by no test and have no reason."""
    counted: Mapping[str, Counter[str]] = {}
    counted = {str(Path(mutant.code.co_filename).relative_to(ROOT)): Counter() for mutant, _ in judged}
    for mutant, outcome in judged:
        reason = KEPT.get(key_of(mutant)) if outcome not in _FOUND else None
        counted[str(Path(mutant.code.co_filename).relative_to(ROOT))]["kept" if reason else outcome.value] += 1
        if outcome not in _FOUND and reason is None:
            print(f"  {mutant.lines.start:4} {key_of(mutant)}  {outcome.value.upper()}")
    for path, counts in counted.items():
        print(f"{path}: {counts.total()} mistakes, " + ", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    return sum(counts[outcome] for counts in counted.values() for outcome in Outcome if outcome not in _FOUND)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
