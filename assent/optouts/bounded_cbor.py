"""CBOR (RFC 8949) of strangers under limits, as far as signed assertions use it; it never allocates what a length only claims."""

from __future__ import annotations

import struct
from typing import Any

from assent.optouts.reading_budget import ReadingBudget

MAX_DEPTH = 16
MAX_ITEMS = 20_000
_BREAK = object()
_SIMPLE: dict[int, Any] = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


class CborUnreadableError(ValueError):
    """Raised when bytes are no CBOR of one item, or go beyond a limit."""


def parse_cbor(data: bytes, budget: ReadingBudget | None = None) -> Any:
    """The one item in `data`; tags are dropped. What is read counts against `budget`. Raises CborUnreadableError."""
    reader = _Reader(data, MAX_ITEMS if budget is None else min(MAX_ITEMS, budget.items))
    try:
        value = reader.item(0)
    except (UnicodeDecodeError, TypeError) as error:
        raise CborUnreadableError("the CBOR holds a text that is no UTF-8, a string of other things, or a key that is none") from error
    finally:
        if budget is not None:
            budget.items -= reader.items
    if value is _BREAK or reader.position != len(data):
        raise CborUnreadableError("the CBOR does not end with its item")
    return value


class _Reader:
    def __init__(self, data: bytes, most_items: int) -> None:
        self._data = data
        self._most_items = most_items
        self.items = 0
        self.position = 0

    def item(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > self._most_items:
            raise CborUnreadableError("the CBOR has too many items, or too many inside each other")
        major, extra = divmod(self._take(1)[0], 32)
        if major == 7:
            return self._simple(extra)
        length = None if extra == 31 else self._argument(extra)
        match major:
            case 0 | 1 if length is not None:
                return length if major == 0 else -1 - length
            case 2 | 3:
                return self._string(major, length, depth)
            case 4:
                return self._array(length, depth)
            case 5:
                return self._map(length, depth)
            case 6 if length is not None:
                return self._whole(depth)
        raise CborUnreadableError(f"an item of major type {major} has no length")

    def _take(self, count: int) -> bytes:
        part = self._data[self.position : self.position + count]
        if len(part) < count:
            raise CborUnreadableError("the CBOR ends inside an item")
        self.position += count
        return part

    def _argument(self, extra: int) -> int:
        if extra < 24:
            return extra
        if extra > 27:
            raise CborUnreadableError(f"additional information {extra} is reserved")
        return int.from_bytes(self._take(1 << (extra - 24)), "big")

    def _simple(self, extra: int) -> Any:
        if extra in _FLOATS:
            return struct.unpack(_FLOATS[extra], self._take(1 << (extra - 24)))[0]
        if extra == 31:
            return _BREAK
        if extra not in _SIMPLE:
            raise CborUnreadableError(f"the simple value {extra} has no meaning")
        return _SIMPLE[extra]

    def _string(self, major: int, length: int | None, depth: int) -> Any:
        if length is None:
            parts = self._until_break(depth)
            return "".join(parts) if major == 3 else b"".join(parts)
        part = self._take(length)
        return part.decode() if major == 3 else part

    def _array(self, length: int | None, depth: int) -> list[Any]:
        if length is None:
            return self._until_break(depth)
        return [self._whole(depth) for _ in range(length)]

    def _map(self, length: int | None, depth: int) -> dict[Any, Any]:
        if length is None:
            flat = self._until_break(depth)
            if len(flat) % 2:
                raise CborUnreadableError("a map ends after a key")
            pairs = list(zip(flat[::2], flat[1::2], strict=True))
        else:
            pairs = [(self._whole(depth), self._whole(depth)) for _ in range(length)]
        found = dict(pairs)
        if len(found) != len(pairs):
            raise CborUnreadableError("a key is given twice, and readers differ on which one counts")
        return found

    def _until_break(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while (value := self.item(depth + 1)) is not _BREAK:
            found.append(value)
        return found

    def _whole(self, depth: int) -> Any:
        value = self.item(depth + 1)
        if value is _BREAK:
            raise CborUnreadableError("an item ends before its length")
        return value
