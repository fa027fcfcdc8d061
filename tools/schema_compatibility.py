"""Whether new readers still take every old event, and old readers every new one; never a judgement of meaning, only of shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

# Keyword, and whether the number in it may only grow or only shrink for the field to stay as wide as it was.
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("pattern", "format", "const", "contentEncoding")
VERSION = "value.schema_version"
"""A value that is new here is meant to be refused by old readers: it says that they must not pass over something else."""


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """Sentences about what the new schema no longer accepts or no longer has, and about what a reader that still has the
    old one would not accept of it; empty when it is compatible.

    A field that is new is no break: readers pass over what they do not know.
    """
    backward = _Comparison(old, new).differences(old, new, "value")
    forward = _Comparison(new, old, passes_over_surplus=True).differences(new, old, "value")
    return [*backward, *(f"for a reader of the old schema, {text}" for text in forward)]


class _Comparison:
    """One walk through two schemas that carry their own definitions: what is written by `old`, read by `new`."""

    def __init__(self, old: Schema, new: Schema, *, passes_over_surplus: bool = False) -> None:
        self._old_root = old
        self._new_root = new
        self._passes_over_surplus = passes_over_surplus
        self._seen: set[tuple[str, str]] = set()

    def differences(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        references = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if any(references):
            if references in self._seen:
                return
            self._seen.add(references)
        old, new = _resolved(old, self._old_root), _resolved(new, self._new_root)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(old, new, where)
            return
        if where != VERSION or not self._passes_over_surplus:
            yield from _narrowed(old, new, where)
        yield from self._fields(old, new, where)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                yield from self.differences(old[part], new[part], f"{where}[]")

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        if not self._passes_over_surplus:
            yield from (f"{where}.{name} was removed" for name in sorted(before.keys() - after.keys()))
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{where}.{name} became required"
        for name in sorted(before.keys() & after.keys()):
            yield from self.differences(before[name], after[name], f"{where}.{name}")

    def _alternatives(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        """Each old alternative must fit into one of the new ones."""
        for option in old.get("anyOf", [old]):
            if not any(self._fits(option, other, where) for other in _options(new)):
                kind = option.get("type") or option.get("$ref", "an alternative")
                yield f"{where} no longer accepts {kind}"

    def _fits(self, option: Schema, other: Schema, where: str) -> bool:
        comparison = _Comparison(self._old_root, self._new_root, passes_over_surplus=self._passes_over_surplus)
        return not list(comparison.differences(option, other, where))


def _options(schema: Schema) -> list[Schema]:
    return list(schema.get("anyOf", [schema]))


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return root["$defs"][reference.rsplit("/", 1)[1]] if reference else schema


def _narrowed(old: Schema, new: Schema, where: str) -> Iterator[str]:
    types = _types(new)
    if types is not None and not (_types(old) or {"anything"}) <= types:
        yield f"{where} changed its type from {old.get('type', 'anything')} to {new['type']}"
    if "enum" in new and not set(old.get("enum", [old.get("const", "anything")])) <= set(new["enum"]):
        yield f"{where} lost values: {sorted(map(str, set(old.get('enum', ())) - set(new['enum'])))}"
    for bound in LOWER_BOUNDS:
        if bound in new and new[bound] > old.get(bound, float("-inf")):
            yield f"{where} has a higher {bound}"
    for bound in UPPER_BOUNDS:
        if bound in new and new[bound] < old.get(bound, float("inf")):
            yield f"{where} has a lower {bound}"
    for keyword in EXACT:
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{where} has another {keyword}"


def _types(schema: Schema) -> set[str] | None:
    kind = schema.get("type")
    if kind is None:
        return None
    names = {kind} if isinstance(kind, str) else set(kind)
    # JSON Schema: an integer is a number.
    return names | {"integer"} if "number" in names else names
