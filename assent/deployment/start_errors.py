"""What can keep a process from starting, told in one line; anything else is a fault of ours and keeps its traceback."""

from __future__ import annotations

from pydantic import ValidationError

from assent.blobs.store_mark import StoreMarkError
from assent.deciding.fold import UntrustedPolicyError
from assent.faces.pack_errors import ModelPackError
from assent.keys.key_files import KeyFileError
from assent.stream.event_log import LogLockedError, LogUnavailableError
from assent.stream.table import TableBrokenError, TableStaleError
from assent.vectors.store import VectorStoreError


class StartError(Exception):
    """Raised when a service cannot start for a reason that its operator can remove. The message says which, and how."""


START_ERRORS = (
    StartError,
    StoreMarkError,
    KeyFileError,
    LogLockedError,
    LogUnavailableError,
    ModelPackError,
    OSError,
    TableBrokenError,
    TableStaleError,
    UntrustedPolicyError,
    ValidationError,
    VectorStoreError,
    ValueError,
)


def start_error_line(error: BaseException) -> str:
    """One line: what is wrong and, where it is known, what to do."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        return f"{where}: {first['msg']}"
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}"
    return " ".join(str(error).split())
