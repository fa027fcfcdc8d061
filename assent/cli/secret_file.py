"""What is given once, put into a new file of its owner or shown; a file that is there is never overwritten."""

from __future__ import annotations

import os
from pathlib import Path

from assent.cli.command import CommandError


def writable(path: Path) -> None:
    """Make sure beforehand that the file can be made: afterwards it would be too late. Raises CommandError."""
    if path.exists():
        raise CommandError(f"{path} exists already and is not overwritten; name a new file")
    if not os.access(path.absolute().parent, os.W_OK):
        raise CommandError(f"{path} cannot be written; name a file in a folder of yours")


def shown_or_saved(text: str, path: Path | None, *, what: str) -> None:
    """Into a file that its owner alone can read; on the screen where none is named or it cannot be written after all."""
    if path is None:
        print(f"{what}, shown once: {text.rstrip()}")
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        print(f"{path} cannot be written ({error.strerror}). {what}, shown once: {text.rstrip()}")
        return
    print(f"{what} saved in {path}")
