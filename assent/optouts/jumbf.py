"""The labelled boxes of a JUMBF store (ISO 19566-5), walked without recursion; signatures are not its business."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 20_000
_HAS_LABEL = 0b10


class JumbfUnreadableError(ValueError):
    """Raised when boxes do not fit into each other, are compressed, or are too many."""


@dataclass(frozen=True, slots=True)
class LabelledContent:
    """A content box with the label of the superbox around it; `kind` is its four letters, for example `cbor`."""

    label: str
    kind: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Superbox:
    """A superbox by its label; `payload` is what C2PA hashes of it: all of it after its head."""

    label: str
    payload: bytes


def superboxes(payload: bytes) -> Iterator[Superbox]:
    """The superboxes that lie directly in a payload. Raises JumbfUnreadableError."""
    for kind, start, end in _counted(payload):
        if kind == b"jumb":
            yield Superbox(_label_of(payload[start:end]), payload[start:end])


def content_of(box: Superbox) -> tuple[bytes, bytes]:
    """Kind and bytes of the one content box of a superbox. Raises JumbfUnreadableError where it has none, or several."""
    found = [(kind, box.payload[start:end]) for kind, start, end in _counted(box.payload) if kind not in (b"jumb", b"jumd", b"free")]
    if len(found) != 1:
        raise JumbfUnreadableError("a box that should have one content has none, or several")
    return found[0]


def labelled_contents(store: bytes) -> Iterator[LabelledContent]:
    """Every content box of a store, at any depth. Raises JumbfUnreadableError, possibly after some were given."""
    seen = 0
    waiting = [(0, len(store), "")]
    while waiting:
        start, end, label = waiting.pop()
        for kind, content, after in _boxes(store, start, end):
            seen += 1
            if seen > MAX_BOXES:
                raise JumbfUnreadableError(f"the store has more than {MAX_BOXES} boxes")
            if kind == b"jumb":
                waiting.append((content, after, ""))
            elif kind == b"jumd":
                label = _label(store[content:after])
            elif kind == b"brob":
                raise JumbfUnreadableError("the store is compressed with Brotli, which is not read")
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


def _counted(payload: bytes) -> Iterator[tuple[bytes, int, int]]:
    for seen, box in enumerate(_boxes(payload, 0, len(payload))):
        if seen >= MAX_BOXES:
            raise JumbfUnreadableError(f"the store has more than {MAX_BOXES} boxes")
        if box[0] == b"brob":
            raise JumbfUnreadableError("the store is compressed with Brotli, which is not read")
        yield box


def _label_of(payload: bytes) -> str:
    """The label in the description, which is the first box of a superbox."""
    for kind, start, end in _boxes(payload, 0, len(payload)):
        if kind == b"jumd":
            return _label(payload[start:end])
        break
    raise JumbfUnreadableError("a superbox does not begin with its description")


def _label(description: bytes) -> str:
    if len(description) < 17:
        raise JumbfUnreadableError("a description box is too short")
    if not description[16] & _HAS_LABEL:
        return ""
    label, zero, _ = description[17:].partition(b"\0")
    if not zero:
        raise JumbfUnreadableError("a label has no end")
    return label.decode("utf-8", errors="replace")
