"""A module of ours with one small mistake at a time, compiled; its file is never written."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from tools.code_changes import changes_of

_NOT_RUN = frozenset({"annotation", "returns", "type_params", "ctx"})
_DECIDE_NOTHING = frozenset({"dataclass", "lru_cache"})
"""Decorators that say how something is kept."""


@dataclass(frozen=True, slots=True)
class CodeMutant:
    """A mistake in a module.

    `name` has no number of a line, so that it outlives changes elsewhere. `owner` is the function whose body holds the mistake, or
    empty where it is run by the import. `lines` are those of the statement: a test that runs none of them cannot notice.
    """

    name: str
    owner: str
    lines: range
    code: CodeType


@dataclass(frozen=True, slots=True)
class _Where:
    classes: str = ""
    owner: str = ""
    lines: range = range(0)
    is_said: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    holder: ast.AST
    field: str
    number: int | None
    node: ast.AST
    where: _Where

    def put(self, node: ast.AST) -> None:
        if self.number is None:
            setattr(self.holder, self.field, node)
        else:
            getattr(self.holder, self.field)[self.number] = node


def code_mutants(text: str, path: str) -> Iterator[CodeMutant]:
    """Every mistake that can be made in the module of this text, in the order of its lines."""
    tree = ast.parse(text)
    for name, place, changed in _mistakes(tree):
        place.put(changed if hasattr(changed, "lineno") else ast.copy_location(changed, place.node))
        try:
            code = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        except SyntaxError:
            # Such as a case after one that takes everything.
            continue
        finally:
            place.put(place.node)
        yield CodeMutant(name, place.where.owner, place.where.lines, code)


def names_of_mistakes(text: str) -> frozenset[str]:
    """How the mistakes of the module of this text are called."""
    return frozenset(name for name, *_ in _mistakes(ast.parse(text)))


def _mistakes(tree: ast.Module) -> Iterator[tuple[str, _Place, ast.AST]]:
    named: Counter[str] = Counter()
    for place in list(_places(tree, _Where())):
        for what, changed in changes_of(place.node):
            name = f"{place.where.owner or place.where.classes or 'module'}: {_spelled(place.node)} [{what}]"
            named[name] += 1
            yield name if named[name] == 1 else f"{name} ({named[name]})", place, changed


def _spelled(node: ast.AST) -> str:
    """The first of it, of a compound statement its head alone: enough to find it and to tell it from its neighbours."""
    return ast.unparse(node).strip().partition("\n")[0][:100]


def _places(node: ast.AST, where: _Where) -> Iterator[_Place]:
    for field, value in ast.iter_fields(node):
        if field in _NOT_RUN or (field == "slice" and not where.owner):
            continue
        inside = _inside(node, field, where)
        for number, inner in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(inner, ast.AST) and not _is_no_decision(node, inner, inside):
                inner_where = replace(inside, lines=_lines(inner) or inside.lines)
                yield _Place(node, field, number, inner, inner_where)
                yield from _places(inner, inner_where)


def _inside(node: ast.AST, field: str, where: _Where) -> _Where:
    """Where the parts of a field of this node stand."""
    if field == "body" and isinstance(node, ast.ClassDef):
        return replace(where, classes=f"{where.classes}{node.name}.", is_said=_is_enumeration(node))
    if field == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not where.owner:
        return replace(where, owner=f"{where.classes}{node.name}", is_said=False)
    if isinstance(node, ast.Raise):
        return replace(where, is_said=True)
    return where


def _is_enumeration(node: ast.ClassDef) -> bool:
    """Its words are names; how they are written on the wire is held by the examples of events."""
    return any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in node.bases)


def _is_no_decision(holder: ast.AST, node: ast.AST, where: _Where) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _DECIDE_NOTHING:
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return _is_text_for_people(holder, node, where)


def _is_text_for_people(holder: ast.AST, node: ast.AST, where: _Where) -> bool:
    """A docstring, a message of an error, a word of an enumeration, a part of a text that is put together: what is said, not done."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text and (where.is_said or isinstance(holder, ast.Expr | ast.JoinedStr))


def _lines(node: Any) -> range | None:
    """The lines of a statement, of a compound one its head alone; None for what is no statement."""
    if isinstance(node, ast.match_case):
        return range(node.pattern.lineno, (node.pattern.end_lineno or node.pattern.lineno) + 1)
    if not isinstance(node, ast.stmt | ast.ExceptHandler):
        return None
    body = getattr(node, "body", None)
    last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
    return range(node.lineno, last + 1)
