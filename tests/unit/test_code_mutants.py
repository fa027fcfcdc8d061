"""The mistakes that are made in code, how each reaches the tests, and that each reason names a mistake that can be made."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.code_mutants import CodeMutant, code_mutants, names_of_mistakes
from tools.mutants_in_place import body_of
from tools.mutants_kept import KEPT
from tools.mutants_processes import Job, Outcome, judged
from tools.mutants_reach import traced
from tools.mutants_swaps import ConstantSwap
from tools.mutate_rules import TARGETS

RULE = '''
"""A rule."""
LEAST = 18


class Gate:
    """Where one passes."""

    def allows(self, age: "int", word: str = "no") -> bool:
        """Whether she passes."""
        if age < LEAST and word.lower() != "yes":
            raise ValueError("she is too young")
        return True
'''


def mutants(text: str = RULE) -> dict[str, CodeMutant]:
    return {mutant.name: mutant for mutant in code_mutants(text, "rule.py")}


def test_every_kind_of_mistake_is_made_and_what_only_people_read_is_left_alone() -> None:
    assert set(mutants()) == {
        "module: 18 [one more]",
        "Gate.: 'no' [other text]",
        "Gate.allows: if age < LEAST and word.lower() != 'yes': [never]",
        "Gate.allows: if age < LEAST and word.lower() != 'yes': [always]",
        "Gate.allows: age < LEAST and word.lower() != 'yes' [without operand 0]",
        "Gate.allows: age < LEAST and word.lower() != 'yes' [without operand 1]",
        "Gate.allows: age < LEAST [turned]",
        "Gate.allows: word.lower() != 'yes' [turned]",
        "Gate.allows: word.lower() [without lower]",
        "Gate.allows: 'yes' [other text]",
        "Gate.allows: raise ValueError('she is too young') [left out]",
        "Gate.allows: True [flipped]",
    }
    assert names_of_mistakes(RULE) == set(mutants())


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("def f(x): return any(y for y in x if y)", {"any((y for y in x if y)) [all]", "for y in x if y [without filter 0]"}),
        ("def f(x): return x + 1", {"x + 1 [other operator]", "1 [one more]"}),
        ("def f(x): return {1: x}", {"{1: x} [without item 0]", "1 [one more]"}),
        ("def f(x): return {x, None}", {"{x, None} [without item 0]", "{x, None} [without item 1]"}),
        ("def f(x): return not x", {"not x [plain]"}),
        ("def f(x): return g(x, safe=x)", {"g(x, safe=x) [without safe=]"}),
        ("def f(x):\n while x: break", {"while x: [never]", "break [left out]"}),
        ("def f(x): x.y = x", {"x.y = x [left out]"}),
        ("def f(x): g(x)", {"g(x) [left out]"}),
        ("def f(x):\n try: return x\n except KeyError: return None", {"except KeyError: [not caught]"}),
        (
            "def f(x):\n match x:\n  case None | () if x: g\n  case _: h",
            {
                "match x: [without case 0]",
                "match x: [without case 1]",
                "case None | [] if x: [without guard]",
                "None | [] [without pattern 0]",
                "None | [] [without pattern 1]",
            },
        ),
        ("def f(x): return f'{x}a'", set()),
        ("def f(x): 'Said.'", set()),
        ("__all__ = ['a']", set()),
        ("class A(StrEnum):\n    B = 'b'", set()),
        ("def f(x):\n @lru_cache(maxsize=1)\n def g(y): h", set()),
    ],
)
def test_each_kind_of_place_has_its_mistakes(text: str, made: set[str]) -> None:
    assert set(mutants(text)) == {f"f: {what}" for what in made}


def test_a_mistake_that_is_no_program_is_not_made() -> None:
    assert "f: case _ if x: [without guard]" not in mutants("def f(x):\n match x:\n  case _ if x: return 1\n  case _: return 2")


def test_two_places_that_read_alike_have_names_of_their_own() -> None:
    assert set(mutants("def f(x): return g(not x, not x)")) == {"f: not x [plain]", "f: not x [plain] (2)"}


def test_the_mistake_is_in_the_code_and_the_next_one_begins_from_the_true_text() -> None:
    made = {name: ran(mutant) for name, mutant in mutants().items()}
    assert made["module: 18 [one more]"]["LEAST"] == 19
    with pytest.raises(ValueError, match="too young"):
        made["module: 18 [one more]"]["Gate"]().allows(18)
    with pytest.raises(ValueError, match="too young"):
        made["Gate.allows: age < LEAST and word.lower() != 'yes' [without operand 0]"]["Gate"]().allows(18)
    assert made["Gate.allows: raise ValueError('she is too young') [left out]"]["Gate"]().allows(1)
    assert made["Gate.allows: True [flipped]"]["Gate"]().allows(18) is False


def ran(mutant: CodeMutant) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(mutant.code, names)
    return names


def test_the_body_with_the_mistake_fits_into_the_function_that_others_hold_already() -> None:
    names: dict[str, Any] = {}
    exec(compile(RULE, "rule.py", "exec"), names)
    held: Callable[[int], bool] = names["Gate"]().allows
    body = body_of(mutants()["Gate.allows: True [flipped]"])
    assert body is not None
    names["Gate"].allows.__code__ = body
    assert held(18) is False


def test_what_an_import_runs_is_in_no_body() -> None:
    assert body_of(mutants()["module: 18 [one more]"]) is None
    assert body_of(mutants()["Gate.: 'no' [other text]"]) is None


def test_a_constant_is_another_one_wherever_it_was_imported_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ages.py"
    file.write_text("from enum import Enum\nclass Age(Enum):\n    OLD = 1\nLEAST = {'a': 18}\nBY_AGE = {Age.OLD: 1}\n", encoding="utf-8")
    ages, gate = ModuleType("ages"), ModuleType("gate")
    ages.__file__ = str(file)
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), vars(ages))
    vars(gate).update(TAKEN=ages.LEAST, BY_AGE=ages.BY_AGE)
    monkeypatch.setitem(sys.modules, "ages", ages)
    monkeypatch.setitem(sys.modules, "gate", gate)
    made = {mutant.name: mutant.code for mutant in code_mutants(file.read_text(encoding="utf-8"), str(file))}
    ConstantSwap(ages, made["module: 18 [one more]"], ()).make()
    assert ages.LEAST is gate.TAKEN
    assert gate.TAKEN == {"a": 19}
    # A key of a class that was made anew would be another key than everybody else's.
    ConstantSwap(ages, made["module: 1 [one more]"], ()).make()
    assert ages.BY_AGE is gate.BY_AGE
    assert gate.BY_AGE == {ages.Age.OLD: 1}


def test_the_lines_that_a_test_runs_are_told_and_those_of_another_are_not(tmp_path: Path) -> None:
    file = tmp_path / "rule.py"
    file.write_text("def one(x):\n    if x:\n        return 1\n    return 2\n", encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    before = sys.gettrace()
    with traced(frozenset({str(file)}), ("/nowhere/",)) as lines:
        names["one"](False)
    assert sys.gettrace() is before
    assert lines == {str(file): {1, 2, 4}}


def test_each_mistake_is_judged_in_a_process_of_its_own_that_ends() -> None:
    def endless() -> bool:
        while True:
            pass

    def breaks() -> bool:
        raise RuntimeError

    jobs = [Job(0, lambda: True, 5), Job(1, lambda: False, 5), Job(2, endless, 0.5), Job(3, breaks, 5)]
    outcomes = dict(judged(jobs, workers=2))
    assert outcomes == {0: Outcome.NOTICED, 1: Outcome.UNNOTICED, 2: Outcome.ENDLESS, 3: Outcome.NOTICED}


@functools.cache
def mistakes_in(where: str) -> frozenset[str]:
    if where in TARGETS:
        target = TARGETS[where]
        return frozenset(mutant.name for mutant in target.mutants((ROOT / target.path).read_text(encoding="utf-8")))
    return names_of_mistakes((ROOT / where).read_text(encoding="utf-8"))


@pytest.mark.parametrize("where", sorted({key.partition(": ")[0] for key in KEPT}))
def test_every_reason_names_a_mistake_that_can_be_made(where: str) -> None:
    named = {key.partition(": ")[2] for key in KEPT if key.startswith(f"{where}: ")}
    assert named - mistakes_in(where) == set(), "the code has changed: run the tool on it and write the reason anew or take it away"
    assert all(reason.strip() for reason in KEPT.values())
