"""JSON that can be read in one way only: UTF-8, no key twice, finite numbers, a bounded depth; nothing is repaired."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 32


class AmbiguousJsonError(ValueError):
    """Raised when bytes are no JSON, or JSON that two readers could read differently. The message holds nothing of them."""


def parse_strictly(data: bytes) -> Any:
    """The value. Raises AmbiguousJsonError."""
    try:
        value = _DECODER.decode(data.decode())
    except AmbiguousJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise AmbiguousJsonError("no JSON in UTF-8") from error
    # Few brackets cannot be deep: most events need no walk.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _is_deep(value):
        raise AmbiguousJsonError(f"nested more than {MAX_DEPTH} deep")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise AmbiguousJsonError("a key is given twice, and readers differ on which one counts")
    return found


def _no_constant(text: str) -> Any:
    raise AmbiguousJsonError("not a number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise AmbiguousJsonError("a number beyond what can be held")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def _is_deep(value: Any) -> bool:
    level = _nested([value])
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _nested(outer)]
    return bool(level)


def _nested(outer: dict[str, Any] | list[Any]) -> list[Any]:
    """What is nested in it: objects and arrays alone."""
    return [inner for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, dict | list)]
