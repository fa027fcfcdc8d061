"""The labelled boxes of a JUMBF store (ISO 19566-5), walked without recursion; signatures are not its business."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from assent.optouts.reading_budget import MAX_BOXES, ReadingBudget

MAX_LABEL_BYTES = 1_024
_HAS_LABEL = 0b10


class JumbfUnreadableError(ValueError):
    """Raised when boxes do not fit into each other, are compressed, are too many, or have a label without end."""


@dataclass(frozen=True, slots=True)
class LabelledContent:
    """A content box with the label of the superbox around it; `kind` is its four letters, for example `cbor`."""

    label: str
    kind: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Superbox:
    """A superbox by its label and its type, a UUID; `payload` is what C2PA hashes of it: all of it after its head."""

    label: str
    payload: bytes
    type_id: bytes


def superboxes(payload: bytes, budget: ReadingBudget) -> Iterator[Superbox]:
    """The superboxes that lie directly in a payload. Raises JumbfUnreadableError."""
    for kind, start, end in _counted(payload, 0, len(payload), budget):
        if kind == b"jumb":
            description = _description_of(payload[start:end])
            yield Superbox(_label(description), payload[start:end], description[:16])


def content_of(box: Superbox, budget: ReadingBudget) -> tuple[bytes, bytes]:
    """Kind and bytes of the one content box of a superbox. Raises JumbfUnreadableError where it has none, or several."""
    parts = _counted(box.payload, 0, len(box.payload), budget)
    found = [(kind, box.payload[start:end]) for kind, start, end in parts if kind not in (b"jumb", b"jumd", b"free")]
    if len(found) != 1:
        raise JumbfUnreadableError("a box that should have one content has none, or several")
    return found[0]


def labelled_contents(store: bytes, budget: ReadingBudget) -> Iterator[LabelledContent]:
    """Every content box of a store, at any depth. Raises JumbfUnreadableError, possibly after some were given."""
    waiting = [(0, len(store), "")]
    while waiting:
        start, end, label = waiting.pop()
        for kind, content, after in _counted(store, start, end, budget):
            if kind == b"jumb":
                waiting.append((content, after, ""))
            elif kind == b"jumd":
                label = _label(store[content:after])
            else:
                yield LabelledContent(label, kind, store[content:after])


def _boxes(store: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of content and end of each box between two positions."""
    while start < end:
        if end - start < 8:
            raise JumbfUnreadableError("a box ends inside its head")
        length, kind = struct.unpack_from(">I4s", store, start)
        head = 8
        if length == 1 and end - start >= 16:
            head, length = 16, struct.unpack_from(">Q", store, start + 8)[0]
        elif length == 0:
            length = end - start
        if length < head or length > end - start:
            raise JumbfUnreadableError("a box is longer than what holds it")
        yield kind, start + head, start + length
        start += length


def _counted(store: bytes, start: int, end: int, budget: ReadingBudget) -> Iterator[tuple[bytes, int, int]]:
    for box in _boxes(store, start, end):
        budget.boxes -= 1
        if budget.boxes < 0:
            raise JumbfUnreadableError(f"the file has more than {MAX_BOXES} boxes")
        if box[0] == b"brob":
            raise JumbfUnreadableError("the store is compressed with Brotli, which is not read")
        yield box


def _description_of(payload: bytes) -> bytes:
    """The description, which is the first box of a superbox: its type, what else it has, and its label."""
    for kind, start, end in _boxes(payload, 0, len(payload)):
        if kind == b"jumd":
            return payload[start:end]
        break
    raise JumbfUnreadableError("a superbox does not begin with its description")


def _label(description: bytes) -> str:
    if len(description) < 17:
        raise JumbfUnreadableError("a description box is too short")
    if not description[16] & _HAS_LABEL:
        return ""
    label, zero, _ = description[17 : 17 + MAX_LABEL_BYTES + 1].partition(b"\0")
    if not zero:
        raise JumbfUnreadableError(f"a label has no end within {MAX_LABEL_BYTES} bytes")
    return label.decode("utf-8", errors="replace")
