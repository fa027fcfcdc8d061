"""How much is read of the manifests of one file, all of them together; what is over it is unreadable and never passed over."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BOXES = 20_000
MAX_FILE_ITEMS = 100_000
MAX_FILE_BYTES = 2 * 1024 * 1024


@dataclass(slots=True)
class ReadingBudget:
    """What may still be read of one file: boxes, items of CBOR, and bytes of assertions that are decoded.

    A picture with a long history has some hundreds of boxes and some thousands of items; a file has room for millions.
    """

    boxes: int = MAX_BOXES
    items: int = MAX_FILE_ITEMS
    assertion_bytes: int = MAX_FILE_BYTES
