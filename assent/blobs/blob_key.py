"""The spelling of a blob's key: segments of safe characters joined by slashes; never a path that leaves its folder."""

from __future__ import annotations

import re

MAX_KEY_CHARS = 512
_SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)


class BlobKeyError(ValueError):
    """Raised when a key is absolute, holds `..`, an empty segment or a character outside A-Z a-z 0-9 . _ -"""


def check_key(key: str) -> str:
    """The same key, or BlobKeyError. What stands in it is not repeated in the message: it may come from outside."""
    if len(key) > MAX_KEY_CHARS:
        raise BlobKeyError(f"the blob key has {len(key)} characters, at most {MAX_KEY_CHARS} are allowed")
    for segment in key.split("/"):
        _check_segment(segment)
    return key


def join_key(*segments: str) -> str:
    """A key of exactly these segments. A slash inside a segment is refused, so that no id can reach another's folder."""
    for segment in segments:
        _check_segment(segment)
    return check_key("/".join(segments))


def _check_segment(segment: str) -> None:
    if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
        raise BlobKeyError(
            "a segment of the blob key is empty, is a dot segment, or holds a character outside A-Z a-z 0-9 . _ -; "
            "build keys from identifiers only"
        )
