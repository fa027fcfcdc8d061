"""JSON of strangers under limits; deep nesting, numbers of a million digits and keys given twice are refused, never repaired."""

from __future__ import annotations

import json
from typing import Any

MAX_JSON_CHARS = 1024 * 1024


class JsonUnreadableError(ValueError):
    """Raised when a text is no JSON that can be read in one way only."""


def parse_json(text: str) -> Any:
    """The value of `text`. Raises JsonUnreadableError."""
    if len(text) > MAX_JSON_CHARS:
        raise JsonUnreadableError(f"the JSON has {len(text)} characters, at most {MAX_JSON_CHARS} are read")
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise JsonUnreadableError("the text is no JSON that can be read in one way only") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonUnreadableError("a key is given twice, and readers differ on which one counts")
    return found
