"""The alert rules: every one is fed by a declared metric, explained by a page, and fires and stays silent in a test."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.alert_rules import ROOT, RULES, RUNBOOK, TESTS, documents, fed_metrics, promtool_faults, rule_faults
from tools.outside_programs import find_promtool

Documents = list[dict[str, Any]]
PAGE = (ROOT / RUNBOOK).read_text()
FED = fed_metrics()


def first(rules: Documents) -> dict[str, Any]:
    found: dict[str, Any] = rules[0]["groups"][0]["rules"][0]
    return found


def test_what_ships_is_without_fault() -> None:
    assert list(rule_faults(documents(RULES), documents(TESTS), PAGE, FED)) == []


BREAKS: dict[str, tuple[Callable[[Documents, Documents], object], str]] = {
    "an unknown metric": (lambda r, _: first(r).update(expr="assent_no_such_total > 0"), "no metric is called"),
    "an expression that is none": (lambda r, _: first(r).update(expr="sum("), "cannot be parsed"),
    "no runbook": (lambda r, _: first(r)["annotations"].update(runbook_url=f"{RUNBOOK}#nowhere"), "names no heading"),
    "a metric that nobody feeds": (lambda r, _: first(r).update(expr="assent_policy_reloads_total > 0"), "nothing in the code feeds"),
    "the page of another": (
        lambda r, _: first(r)["annotations"].update(runbook_url=f"{RUNBOOK}#servicegone"),
        "names the heading of another alert: servicegone",
    ),
    "no severity": (lambda r, _: first(r)["labels"].pop("severity"), "severity"),
    "the same name twice": (lambda r, _: r.append(copy.deepcopy(r[0])), "declared twice"),
    "no firing test": (lambda _, t: t[0]["tests"].pop(0), "no test makes it fire"),
    "no silent test": (lambda _, t: t[0]["tests"].pop(1), "no test keeps it silent"),
    "a test on a label that is not there": (
        lambda _, t: t[0]["tests"][0]["input_series"][0].update(series='assent_vectors_without_grant{subject="x"}'),
        "the difference is ['subject']",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_rule_is_named(name: str) -> None:
    break_it, said = BREAKS[name]
    rules, tests = documents(RULES), documents(TESTS)
    break_it(rules, tests)
    assert any(said in fault for fault in rule_faults(rules, tests, PAGE, FED - {"assent_policy_reloads_total"}))


def test_a_page_of_no_alert_is_named() -> None:
    faults = list(rule_faults(documents(RULES), documents(TESTS), f"{PAGE}\n### NoSuchAlert\n", FED))
    assert faults == [f"{RUNBOOK}: no alert is called NoSuchAlert"]


def test_what_is_fed_is_read_from_the_code() -> None:
    assert {"assent_vectors_without_grant", "assent_withdrawal_undisclosable_seconds_bucket"} <= FED


@pytest.mark.promtool
def test_promtool_agrees() -> None:
    promtool = find_promtool()
    assert promtool is not None
    assert list(promtool_faults(promtool)) == []


@pytest.mark.promtool
def test_a_rule_that_never_fires_fails_its_test(tmp_path: Path) -> None:
    promtool = find_promtool()
    assert promtool is not None
    for folder in (RULES, TESTS):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    path = tmp_path / RULES / "invariants.yaml"
    path.write_text(path.read_text().replace("assent_vectors_without_grant[15m]) > 0", "assent_vectors_without_grant[15m]) > 10"))
    (fault,) = promtool_faults(promtool, root=tmp_path)
    assert "VectorWithoutGrant" in fault
