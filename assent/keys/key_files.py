"""Key files on disk: created once, owner-only, refused when others can read them; never overwrites a key."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Group read stays allowed: Kubernetes mounts a secret as root with the group of the pod (defaultMode 0440).
_FORBIDDEN_MODE = stat.S_IWGRP | stat.S_IRWXO


class KeyFileError(Exception):
    """Raised when a key file is missing, malformed, incomplete with its siblings, or open to others."""


def read_private_file(path: Path) -> bytes:
    """The content of a file that nobody outside its owner and group can read. Raises KeyFileError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise KeyFileError(f"the key file {path.name} is missing; restore it from its backup or mount it") from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & _FORBIDDEN_MODE:
            raise KeyFileError(
                f"the key file {path.name} has mode {mode:04o}, so others can read or change it; run `chmod 600` on it, "
                "and replace the key if anyone may have copied it"
            )
        return file.read()


def write_new_file(path: Path, content: bytes, *, mode: int) -> None:
    """Create the file durably and whole: a crash leaves either nothing or all of it, and an old file stays."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)  # The umask may have taken bits that public keys need.
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.link(unfinished, path)
    unfinished.unlink()
    _sync_folder(path.parent)


@contextmanager
def creating_in(folder: Path) -> Iterator[None]:
    """The folder with mode 0700, held for one creator at a time: of two first starts, the second reads the first's keys."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
