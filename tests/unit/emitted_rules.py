"""Every rule that the code or a shipped policy can give as a reason, read from their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from services.registry import request_body
from tests.conftest import ROOT

POLICIES = ROOT / "services" / "registry" / "policies"


def literals(path: Path) -> Iterator[str]:
    """The words of every `RuleId(...)` in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RuleId":
            yield from words(node.args[0])


def words(argument: ast.expr) -> Iterator[str]:
    """A literal, or both sides of a choice between literals; what is computed at run time comes from one of those."""
    match argument:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp(body=one, orelse=other):
            yield from (*words(one), *words(other))


def rules_in_code() -> set[str]:
    folders = (ROOT / "assent", ROOT / "services")
    return {rule for folder in folders for path in folder.rglob("*.py") for rule in literals(path)}


def rules_in_policies() -> set[str]:
    text = "\n".join(path.read_text() for path in POLICIES.glob("*.yaml"))
    return set(re.findall(r"\b(?:clients_)?rule: *([A-Z]+-\d+)", text))


def rules_of_fields() -> set[str]:
    """The rules that a fault in a field of a request names."""
    return {rule for _, _, rule in request_body._RULES}
