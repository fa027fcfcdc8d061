"""One small mistake at a time in a file of rules: a row of the policy gone, a weight changed; never in a real file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

_WEIGHTS = re.compile(r"    EvidenceKind\.(\w+): Weights\(Connector\.(\w+), ([\d.]+), ([\d.]+)\),\n")


@dataclass(frozen=True, slots=True)
class Mutant:
    """The whole text of a file with one mistake, and what was done."""

    name: str
    text: str


def policy_mutants(text: str) -> Iterator[Mutant]:
    """The policy without each key and each item of a list in turn, at every depth, and with each number one more."""
    document = yaml.safe_load(text)
    for path in _paths(document):
        for what, changed in _changes(document, path):
            yield Mutant(f"{'.'.join(str(step) for step in path)} {what}", yaml.safe_dump(changed, sort_keys=False))


def weight_mutants(text: str) -> Iterator[Mutant]:
    """The table of evidence without each row in turn, and with each number and each connector of a row changed."""
    for row in _WEIGHTS.finditer(text):
        kind, connector, deny, allow = row.groups()
        other = "SHOWN" if connector != "SHOWN" else "CAPTURE"
        for what, line in {
            "row": "",
            "connector": f"    EvidenceKind.{kind}: Weights(Connector.{other}, {deny}, {allow}),\n",
            "closing weight": f"    EvidenceKind.{kind}: Weights(Connector.{connector}, {float(deny) - 0.1:.2f}, {allow}),\n",
            "opening weight": f"    EvidenceKind.{kind}: Weights(Connector.{connector}, {deny}, {float(allow) + 0.1:.2f}),\n",
        }.items():
            yield Mutant(f"{kind} {what}", text[: row.start()] + line + text[row.end() :])


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from _paths(inner, (*path, step))


def _changes(document: Any, path: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    changed = deepcopy(document)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        more = deepcopy(document)
        inner = more
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value + (1 if isinstance(value, int) else 0.01)
        yield f"{value} is more", more
    del holder[path[-1]]
    yield f"({value}) is gone" if not isinstance(value, dict | list) else "is gone", changed
