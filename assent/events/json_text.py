"""Parts of a JSON document as text, byte for byte as the models write them; for events that are put together by the ten thousand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from json.encoder import encode_basestring as quoted

from pydantic_core import to_json

__all__ = ["flag", "listed", "moments", "quoted"]


def listed(texts: Iterable[str]) -> str:
    """An array of texts, or of members of a StrEnum, which are texts."""
    return f"[{','.join(map(quoted, texts))}]"


def flag(value: bool) -> str:
    """A truth value."""
    return "true" if value else "false"


def moments(*times: datetime | None) -> list[str]:
    """Each an aware time as RFC 3339, or null."""
    return to_json(times).decode()[1:-1].split(",")
