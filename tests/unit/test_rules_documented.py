"""The page of rules, the tests and the code name the same rules; a rule without a test, or a test without a rule, is told here."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache

import pytest

from assent.deciding.rule_texts import RULES
from tests.conftest import ROOT
from tests.unit.emitted_rules import rules_in_code, rules_in_policies, rules_of_fields

PAGE = ROOT / "docs" / "rules.md"
# The numbered rules of the laws and orders that were read for this.
NUMBERED = {"CA": 9, "BC": 3, "AB": 1, "QC": 9, "AU": 1, "UK": 1, "FR": 1, "IT": 1, "GR": 1, "NL": 1, "AT": 1}
NUMBERED |= {"FTC": 1, "TX": 1, "IL": 7, "EU": 12, "AIA": 5, "X": 9, "OPC": 2}


@dataclass(frozen=True)
class Row:
    """A line of a table. `tests` is empty where a rule is not decided here."""

    rule: str
    says: str
    module: str | None
    tests: tuple[str, ...]


def rows() -> list[Row]:
    made: list[Row] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] in ("rule", "row") or set(cells[0]) == {"-"}:
            continue
        module = cells[2].strip("`") if len(cells) == 4 else None
        made.append(Row(cells[0], cells[1], module, tuple(re.findall(r"`(test_\w+)`", cells[3])) if len(cells) == 4 else ()))
    return made


@cache
def present_tests() -> frozenset[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("test_*.py")]
    return frozenset(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


ROWS = rows()
DECIDED = [row for row in ROWS if row.tests]


def test_the_page_is_read() -> None:
    assert len(ROWS) > 90
    assert len({row.rule for row in ROWS}) == len(ROWS)
    assert {row.rule for row in ROWS if not row.tests} == {row.rule for row in ROWS if row.module is None}


def test_every_numbered_rule_stands_on_the_page_decided_or_with_the_reason_why_not() -> None:
    numbered = {f"{letters}-{number}" for letters, most in NUMBERED.items() for number in range(1, most + 1)}
    assert numbered == {row.rule for row in ROWS if "-" in row.rule}


def test_every_rule_that_can_be_given_as_a_reason_has_a_test_on_the_page() -> None:
    given = rules_in_code() | rules_in_policies() | rules_of_fields() - {"invalid"} | RULES
    assert given - {row.rule for row in DECIDED} == set()


@pytest.mark.parametrize("row", DECIDED, ids=[row.rule for row in DECIDED])
def test_a_rule_is_decided_in_a_module_that_is_there_and_its_tests_are_there(row: Row) -> None:
    assert row.module is not None
    assert (ROOT / row.module).is_file()
    assert set(row.tests) - present_tests() == set()
    if re.fullmatch(r"[A-Z]+-\d+", row.rule):
        own = f"_{row.rule.lower().replace('-', '_')}_"
        assert any(own in f"{test}_" for test in row.tests) or row.rule == "X-6", "one test holds the number in its name"


def test_every_test_that_holds_a_number_is_on_the_page() -> None:
    letters = "|".join(sorted(name.lower() for name in NUMBERED))
    named = {test for test in present_tests() if re.match(rf"test_({letters})_\d", test) or test.startswith("test_signal_")}
    assert named - {test for row in ROWS for test in row.tests} == set()


@pytest.mark.parametrize("number", range(1, 15))
def test_every_row_of_the_signals_has_its_test(number: int) -> None:
    row = next(row for row in ROWS if row.rule == f"{number:02}")
    assert all(test.startswith(f"test_signal_{number:02}_") for test in row.tests)
