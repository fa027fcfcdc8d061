"""Every log call in the product says a constant sentence and uses fields that the allow-list knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.telemetry.logging import ALLOWED_FIELDS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("assent", "services", "embedded", "demo")
METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
LOGGERS = frozenset({"log", "_log", "logger", "_logger"})


def faults(source: str) -> Iterator[str]:
    """Log calls whose text is built at run time, or whose fields would be withheld."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in METHODS and _name(node.func.value).lower() in LOGGERS:
            if len(node.args) != 1 or not (isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
                yield f"line {node.lineno}: the text is not one constant"
            for keyword in node.keywords:
                if keyword.arg is None or keyword.arg not in {*ALLOWED_FIELDS, "exc_info"}:
                    yield f"line {node.lineno}: the field {keyword.arg or '**'} is not on the allow-list"


def _name(node: ast.expr) -> str:
    """The last name of `log`, `self._log` or `_LOG.bind(...)`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(value=value)):
            return _name(value)
        case _:
            return ""


def test_the_product_logs_constants_and_known_fields() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert files
    assert [f"{path.relative_to(ROOT)} {fault}" for path in files for fault in faults(path.read_text())] == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('log.info("batch committed", topic=t, exc_info=True)', 0),
        ('log.info(f"fetched {url}")', 1),
        ('self._log.warning("refused %s", url)', 1),
        ('_LOG.error("failed", url=url)', 1),
        ('_LOG.bind(topic=t).error("failed", **extra)', 1),
        ("logger.exception(str(error), name=name)", 2),
    ],
)
def test_a_call_that_could_carry_a_person_is_found(source: str, count: int) -> None:
    assert len(list(faults(source))) == count
