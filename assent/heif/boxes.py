"""The boxes of an ISO base media file (ISO/IEC 14496-12), walked within bounds, one level at a time; nothing outside is ever read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 8_192
"""In one other box, or in the file itself. A photo of a phone has some hundreds: one for each tile."""


class HeifError(ValueError):
    """Raised when the parts of a file do not fit, contradict each other or are too many."""


class HeifTruncatedError(HeifError):
    """Raised when something lies beyond the end of the file."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its four letters; `head` is where it begins, `start` and `end` enclose its content."""

    kind: bytes
    head: int
    start: int
    end: int


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions. Raises HeifError, possibly after some were given."""
    count = 0
    while start < end:
        count += 1
        if count > MAX_BOXES:
            raise HeifError("too many boxes")
        box = _box(data, start, end)
        yield box
        start = box.end


def _box(data: bytes, start: int, end: int) -> Box:
    if start + 8 > end:
        raise _beyond(data, end)
    length, kind = struct.unpack_from(">I4s", data, start)
    head = 8
    if length == 1:
        if start + 16 > end:
            raise _beyond(data, end)
        head, length = 16, struct.unpack_from(">Q", data, start + 8)[0]
    elif length == 0:
        length = end - start
    if length < head:
        raise HeifError("a box is shorter than its own head")
    if start + length > end:
        raise _beyond(data, end)
    return Box(kind, start, start + head, start + length)


def _beyond(data: bytes, end: int) -> HeifError:
    return HeifTruncatedError("the file ends inside a box") if end == len(data) else HeifError("a box is longer than what holds it")


class Cursor:
    """Reads big-endian fields one after the other, never beyond `end`. Raises HeifError there."""

    __slots__ = ("_data", "_end", "position")

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self.position, self._end = data, start, end

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes; 0 bytes are the number 0."""
        return int.from_bytes(self.take(size), "big")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if self.position + count > self._end:
            raise HeifError("a box ends inside a field")
        self.position += count
        return self._data[self.position - count : self.position]

    def text(self) -> str:
        """A text that ends with a zero byte, or with the box."""
        stop = self._data.find(b"\0", self.position, self._end)
        content = self._data[self.position : self._end if stop < 0 else stop]
        self.position = self._end if stop < 0 else stop + 1
        return content.decode("utf-8", errors="replace")

    def version_and_flags(self) -> tuple[int, int]:
        """The head of a full box."""
        return self.number(1), self.number(3)

    @property
    def left(self) -> int:
        """Bytes up to the end."""
        return self._end - self.position
