"""What the C2PA hash of a file in boxes takes in (C2PA 2.1, BMFF-based hash): every box of it, never less than what makes the picture."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from assent.heif.boxes import Box, boxes
from assent.heif.file import top_level
from assent.heif.items import read_items
from assent.heif.metadata import C2PA_NAME

BOX_HASHES = frozenset({"c2pa.hash.bmff.v2", "c2pa.hash.bmff.v3"})
"""The first edition says nothing of where a box lies, so what an item points at could be moved; it proves nothing and is not read."""
_STORE = {"xpath": "/uuid", "data": [{"offset": 8, "value": C2PA_NAME}]}
_LEAVES_OUT = (_STORE, *({"xpath": path} for path in ("/ftyp", "/mfra", "/free", "/skip")))
_ONLY_WITH_FLAGS = "exact"


def hashed_boxes(binding: dict[Any, Any], exclusions: Sequence[Any], data: bytes) -> Iterator[bytes] | None:
    """Each box of the file that the binding does not leave out, and before it where it begins.

    None where that does not bind the picture: more is left out than the store and boxes that say nothing of a picture, something
    that the file lists lies in one of those, or parts are hashed by themselves (`merkle`). Raises HeifError for no file in boxes, and
    HeifMovingError.
    """
    rules = [_rule(exclusion) for exclusion in exclusions]
    if binding.get("merkle") is not None or not all(rule in _LEAVES_OUT for rule in rules):
        return None
    kinds = frozenset(rule["xpath"].encode()[1:] for rule in rules)
    left_out: list[Box] = []
    kept: list[Box] = []
    for box in boxes(data, 0, len(data)):
        (left_out if _is_left_out(box, kinds, data) else kept).append(box)
    return None if _holds_items(left_out, data) else _with_positions(kept, data)


def _rule(exclusion: Any) -> Any:
    """What the exclusion asks of a box, without what it leaves open."""
    if not isinstance(exclusion, dict):
        return None
    return {name: value for name, value in exclusion.items() if value is not None and name != _ONLY_WITH_FLAGS}


def _is_left_out(box: Box, kinds: frozenset[bytes], data: bytes) -> bool:
    return box.kind in kinds and (box.kind != b"uuid" or data[box.head + 8 : box.head + 24] == C2PA_NAME)


def _holds_items(left_out: Sequence[Box], data: bytes) -> bool:
    """Whether the picture, or what is said of it, lies where anybody may write. The list of items itself is hashed."""
    heads = [box.head for box in left_out]
    for start, end in read_items(data, top_level(data).meta).extents_in_file():
        before = bisect.bisect_left(heads, end)
        # What has no length lies nowhere.
        if before and start < end and left_out[before - 1].end > start:
            return True
    return False


def _with_positions(kept: Sequence[Box], data: bytes) -> Iterator[bytes]:
    for box in kept:
        yield struct.pack(">Q", box.head)
        yield data[box.head : box.end]
