"""What a stage says that it saw can be made again: every rule that it names there is one that replay takes for seen at that stage."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from assent.deciding import suppressions
from assent.deciding.opted_out import PLACE_TOLD
from assent.deciding.replay import OBSERVED
from assent.events.images import Stage
from assent.optouts.signal import OPTED_OUT
from tests.conftest import ROOT

TOLD = frozenset({"seen", "refused_unasked"})
"""Methods of the gate and its judgements whose first argument is a rule that was seen."""
NAMED = {"SUPPRESSED": str(suppressions.SUPPRESSED), "OPTED_OUT": str(OPTED_OUT), "PLACE_TOLD": str(PLACE_TOLD)}


def told_as_seen(stage: str) -> Iterator[tuple[str, str]]:
    """Each rule that stands in such a call of this service, with the place where it stands."""
    for path in sorted((ROOT / "services" / stage).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TOLD and node.args:
                yield from ((rule, f"{path.name}:{node.lineno}") for rule in _rules_in(node.args[0]))


def _rules_in(argument: ast.expr) -> Iterator[str]:
    for node in ast.walk(argument):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name) and node.id in NAMED:
            yield NAMED[node.id]


@pytest.mark.parametrize("stage", [stage.value for stage in sorted(OBSERVED)])
def test_every_rule_that_is_told_as_seen_can_be_replayed(stage: str) -> None:
    assert {(rule, where) for rule, where in told_as_seen(stage) if rule not in OBSERVED[Stage(stage)]} == set()


def test_the_calls_are_found() -> None:
    assert {rule for rule, _ in told_as_seen("indexer")} == {
        "suppressed",
        "source_not_covered",
        "grant_withdrawn",
        "optout_signal",
        "retention_over",
        "place_told_later",
    }
    assert {rule for rule, _ in told_as_seen("embedder")} >= {"suppressed", "image_unreadable", "grant_withdrawn"}
