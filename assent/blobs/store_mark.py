"""The mark of a store in a folder: it lies on the store's own disk. A folder without it is a place where a disk should be."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

MARK = ".assent-store"
_ID = re.compile(r"[0-9a-f]{32}")
_NOT_CONTENT = frozenset({"lost+found"})


class StoreMarkError(Exception):
    """Raised when a mark cannot be what was written. The message says where it is and what to do."""


def read_mark(folder: Path) -> str | None:
    """The id of the store in this folder; None where no store was ever made. Raises StoreMarkError."""
    try:
        text = (folder / MARK).read_text(encoding="ascii", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not _ID.fullmatch(text):
        raise StoreMarkError(f"{folder / MARK} does not hold the id of a store; restore it from a backup of this folder")
    return text


def make_mark(folder: Path) -> str:
    """Make the folder, private, if it is missing, and mark it for good; says the new id. Of two at once the first one counts."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / f"{MARK}#{os.getpid()}"
    with unfinished.open("w", encoding="ascii") as file:
        file.write(f"{uuid.uuid4().hex}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, folder / MARK)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    _sync(folder)
    mark = read_mark(folder)
    if mark is None:
        raise StoreMarkError(f"{folder / MARK} was made and is not there; look at the disk")
    return mark


def content(folder: Path) -> frozenset[str]:
    """Names at the top of the folder that a file system does not put there by itself; none where there is no folder."""
    try:
        return frozenset(name for name in os.listdir(folder) if name not in _NOT_CONTENT and not name.startswith("."))
    except FileNotFoundError:
        return frozenset()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
