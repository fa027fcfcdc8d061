"""A rule file of a site as it was answered; only 404 and 410 mean that there is none, and trouble is never taken for that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

ABSENT_STATUSES = frozenset({404, 410})
# Servers answer 200 with their own page for a file that is not there; prologue and comments may stand before the first tag.
_HTML = re.compile(
    # Possessive, so that a file of many comments is not tried in every way of dividing them.
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]{0,200}\?>\s*+)?(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_HTML_WINDOW_BYTES = 8192


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What came back. Both are None when nothing did: a refused connection, a time-out, a body over the cap."""

    status: int | None
    body: bytes | None


class FileState(StrEnum):
    """Why a file has no text."""

    ABSENT = "absent"
    UNREADABLE = "unreadable"


def text_of(file: FetchedFile, *, max_bytes: int) -> str | FileState:
    """The UTF-8 text of a file, or why there is none. A page of HTML in its place means that there is no such file."""
    if file.status in ABSENT_STATUSES:
        return FileState.ABSENT
    if file.status != 200 or file.body is None or len(file.body) > max_bytes:
        return FileState.UNREADABLE
    if _HTML.match(file.body[:_HTML_WINDOW_BYTES]):
        return FileState.ABSENT
    try:
        text = file.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return FileState.UNREADABLE
    return FileState.UNREADABLE if "\0" in text else text
