"""The small mistakes that can be made at one place of a program, each as the node that stands there instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any

Change = tuple[str, ast.AST]
"""What was done, and what stands there now. It may share parts with what stood there; that is not altered."""

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
_OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_OTHER_FUNCTION = {"any": "all", "all": "any", "min": "max", "max": "min"}
_TEXT_METHODS = frozenset({"lower", "upper", "casefold", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"})
_SENTENCE = re.compile(r"\w \w")


def changes_of(node: ast.AST) -> Iterator[Change]:
    """Every mistake that can be made at this node. Where none can, nothing."""
    for kind, changes in _CHANGES:
        if isinstance(node, kind):
            yield from changes(node)


def _compare(node: ast.Compare) -> Iterator[Change]:
    yield "turned", _with(node, ops=[_TURNED[type(op)]() for op in node.ops])


def _operand_left_out(node: ast.BoolOp) -> Iterator[Change]:
    for number, _ in enumerate(node.values):
        rest = _without(node.values, number)
        yield f"without operand {number}", _with(node, values=rest) if len(rest) > 1 else rest[0]


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield "plain", node.operand


def _binary(node: ast.BinOp | ast.AugAssign) -> Iterator[Change]:
    other = _OTHER_OPERATOR.get(type(node.op))
    if other is not None:
        yield "other operator", _with(node, op=other())


def _constant(node: ast.Constant) -> Iterator[Change]:
    match node.value:
        case bool():
            yield "flipped", _with(node, value=not node.value)
        case int() | float():
            yield "one more", _with(node, value=node.value + 1)
        case str() if not _SENTENCE.search(node.value):
            yield "other text", _with(node, value=f"{node.value}-")
        case bytes():
            yield "other bytes", _with(node, value=node.value + b"-")


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[Change]:
    if not isinstance(node.test, ast.Constant):
        yield "never", _with(node, test=ast.Constant(value=False))
        if not isinstance(node, ast.While):
            yield "always", _with(node, test=ast.Constant(value=True))


def _filter_left_out(node: ast.comprehension) -> Iterator[Change]:
    for number, _ in enumerate(node.ifs):
        yield f"without filter {number}", _with(node, ifs=_without(node.ifs, number))


def _case_left_out(node: ast.Match) -> Iterator[Change]:
    if len(node.cases) > 1:
        for number, _ in enumerate(node.cases):
            yield f"without case {number}", _with(node, cases=_without(node.cases, number))


def _guard_left_out(node: ast.match_case) -> Iterator[Change]:
    if node.guard is not None:
        yield "without guard", _with(node, guard=None)


def _pattern_left_out(node: ast.MatchOr) -> Iterator[Change]:
    for number, _ in enumerate(node.patterns):
        rest = _without(node.patterns, number)
        yield f"without pattern {number}", _with(node, patterns=rest) if len(rest) > 1 else rest[0]


def _item_left_out(node: ast.Set | ast.List | ast.Tuple) -> Iterator[Change]:
    if isinstance(node, ast.Set) or isinstance(node.ctx, ast.Load):
        for number, _ in enumerate(node.elts):
            yield f"without item {number}", _with(node, elts=_without(node.elts, number))


def _row_left_out(node: ast.Dict) -> Iterator[Change]:
    for number, _ in enumerate(node.keys):
        yield f"without item {number}", _with(node, keys=_without(node.keys, number), values=_without(node.values, number))


def _call(node: ast.Call) -> Iterator[Change]:
    match node.func:
        case ast.Name(id=name) if name in _OTHER_FUNCTION:
            yield _OTHER_FUNCTION[name], _with(node, func=_with(node.func, id=_OTHER_FUNCTION[name]))
        case ast.Attribute(attr=name, value=text) if name in _TEXT_METHODS:
            yield f"without {name}", text
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield f"without {keyword.arg}=", _with(node, keywords=_without(node.keywords, number))


def _statement_left_out(node: ast.stmt) -> Iterator[Change]:
    if not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom):
        yield "left out", ast.Pass()


def _assignment_left_out(node: ast.Assign) -> Iterator[Change]:
    """Where something is written into a thing that is there already; a name that is not there would be noticed by anybody."""
    if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
        yield "left out", ast.Pass()


def _not_caught(node: ast.ExceptHandler) -> Iterator[Change]:
    yield "not caught", _with(node, body=[ast.Raise()])


_LEFT_OUT = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
_CHANGES: Sequence[tuple[Any, Callable[[Any], Iterator[Change]]]] = (
    (ast.Compare, _compare),
    (ast.BoolOp, _operand_left_out),
    (ast.UnaryOp, _unary),
    (ast.BinOp | ast.AugAssign, _binary),
    (ast.Constant, _constant),
    (ast.If | ast.IfExp | ast.While, _condition),
    (ast.comprehension, _filter_left_out),
    (ast.Match, _case_left_out),
    (ast.match_case, _guard_left_out),
    (ast.MatchOr, _pattern_left_out),
    (ast.Set | ast.List | ast.Tuple, _item_left_out),
    (ast.Dict, _row_left_out),
    (ast.Call, _call),
    (_LEFT_OUT, _statement_left_out),
    (ast.Assign, _assignment_left_out),
    (ast.ExceptHandler, _not_caught),
)


def _with(node: Any, **fields: Any) -> Any:
    changed = copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _without(items: Sequence[Any], number: int) -> list[Any]:
    return [*items[:number], *items[number + 1 :]]
