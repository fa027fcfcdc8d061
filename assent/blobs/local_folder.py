"""The folder under a local blob store: private, synced on demand, rid of half-written files; never reads a blob."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

UNFINISHED_AFTER_S = 3_600.0
# The object store library writes `name#N` and renames it. A crash leaves that file, and no listing ever shows it.
_UNFINISHED = re.compile(r".+#\d+")


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """An existing folder that only its owner may enter."""

    root: Path

    @classmethod
    def prepare(cls, root: Path) -> LocalFolder:
        """Create the folder with mode 0700 if it is missing, and remove writes that were abandoned over an hour ago."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = cls(root.resolve())
        folder.remove_unfinished(older_than_s=UNFINISHED_AFTER_S, now_s=time.time())
        return folder

    def remove_unfinished(self, *, older_than_s: float, now_s: float) -> int:
        """Delete half-written files older than this, by their own time stamps; says how many."""
        removed = 0
        for path in self.root.rglob("*#*"):
            # Another process may end its own write meanwhile.
            with suppress(FileNotFoundError):
                if _UNFINISHED.fullmatch(path.name) and path.is_file() and now_s - path.stat().st_mtime > older_than_s:
                    path.unlink()
                    removed += 1
        return removed

    def sync(self, key: str) -> None:
        """Bring the file of `key`, or its absence, and every folder above it to the disk."""
        path = self.root / key
        while True:
            _fsync_if_there(path)
            if path == self.root:
                return
            path = path.parent


def _fsync_if_there(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
