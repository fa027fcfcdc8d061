"""The value of a C2PA assertion, under the budget of its file; it is never read in part."""

from __future__ import annotations

from typing import Any

from assent.optouts.bounded_cbor import CborUnreadableError, parse_cbor
from assent.optouts.bounded_json import JsonUnreadableError, parse_json
from assent.optouts.reading_budget import ReadingBudget


class AssertionUnreadableError(ValueError):
    """Raised when an assertion is neither CBOR nor JSON, cannot be read in one way only, or is more than the file may have."""


def assertion_value(kind: bytes, content: bytes, budget: ReadingBudget) -> Any:
    """The value of a content box by its four letters. Raises AssertionUnreadableError."""
    if kind not in (b"cbor", b"json"):
        raise AssertionUnreadableError("an assertion is neither CBOR nor JSON")
    budget.assertion_bytes -= len(content)
    if budget.assertion_bytes < 0:
        raise AssertionUnreadableError("the assertions of the file are longer than is read")
    try:
        return parse_cbor(content, budget) if kind == b"cbor" else parse_json(content.decode())
    except (CborUnreadableError, JsonUnreadableError, UnicodeDecodeError) as error:
        raise AssertionUnreadableError("an assertion cannot be read in one way only") from error
