"""One small mistake at a time in a file of rules: a row of the policy gone, a weight changed, a comparison turned; never a real file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

_WEIGHTS = re.compile(r"    EvidenceKind\.(\w+): Weights\(Connector\.(\w+), ([\d.]+), ([\d.]+)\),\n")
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


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


def code_mutants(text: str) -> Iterator[Mutant]:
    """The module with each comparison, each `and`, `or` and `not`, each number and truth value changed, each `yield`, each `if`
    without `else`, each case of a `match` and each item of a literal left out.
    """
    count = sum(1 for _ in _places(ast.parse(text)))
    for index in range(count):
        tree = ast.parse(text)
        node, what = next(place for position, place in enumerate(_places(tree)) if position == index)
        before = ast.unparse(node)
        _spoil(tree, node, what)
        yield Mutant(f"{node.lineno}: {' '.join(before.split())[:70]} [{what}]", ast.unparse(ast.fix_missing_locations(tree)))


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


def _places(tree: ast.AST) -> Iterator[tuple[Any, str]]:
    """Every node that can be spoiled, with how; annotations and docstrings are no code."""
    skipped = {id(inner) for node in ast.walk(tree) for part in _annotations(node) for inner in ast.walk(part)}
    for node in ast.walk(tree):
        if id(node) not in skipped:
            yield from ((node, what) for what in _mistakes(node))


def _mistakes(node: ast.AST) -> Sequence[str]:
    match node:
        case ast.Compare():
            return ("turned",)
        case ast.BoolOp():
            return ("and/or",)
        case ast.UnaryOp(op=ast.Not()):
            return ("not",)
        case ast.Constant(value=bool()):
            return ("flipped",)
        case ast.Constant(value=int() | float()):
            return ("one more",)
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()) | ast.If(orelse=[]):
            return ("left out",)
        case ast.Match(cases=cases) if len(cases) > 1:
            return [f"case {number}" for number in range(len(cases))]
        case ast.Set(elts=items) | ast.List(elts=items, ctx=ast.Load()) | ast.Tuple(elts=items, ctx=ast.Load()) | ast.Dict(keys=items):
            return [f"item {number}" for number in range(len(items))]
        case _:
            return ()


def _annotations(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            yield part
    if isinstance(node, ast.Subscript):
        yield node.slice


def _spoil(tree: ast.AST, node: Any, what: str) -> None:
    match node:
        case ast.Compare():
            node.ops = [_TURNED[type(op)]() for op in node.ops]
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            _replace(tree, node, node.operand)
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant(value=int() | float() as number):
            node.value = number + 1
        case ast.Expr() | ast.If():
            _replace(tree, node, ast.Pass())
        case ast.Match():
            del node.cases[int(what.partition(" ")[2])]
        case ast.Dict():
            item = int(what.partition(" ")[2])
            del node.keys[item], node.values[item]
        case _:
            del node.elts[int(what.partition(" ")[2])]


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]
