"""Reads a small file whole; nothing that would be waited for, and no more bytes than were asked for, however it grows meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_small(path: Path, *, max_bytes: int) -> bytes:
    """The contents of a regular file. Raises OSError, also for a pipe, a device and a file that holds more."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        found = file.read(max_bytes + 1)
    if len(found) > max_bytes:
        raise OSError(errno.EFBIG, f"it holds more than {max_bytes} bytes", str(path))
    return found
