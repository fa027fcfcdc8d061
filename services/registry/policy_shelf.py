"""The policy that a data folder published last, read beside a registry that may be running; it writes nothing and takes no lock."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from services.registry.desk_table import PolicyRow, newest_policy

WAIT_S = 5.0


class PolicyShelfError(Exception):
    """Raised when the file of a registry is there and its policy cannot be read. The message says what to do."""


def published_in(file: Path) -> PolicyRow | None:
    """The newest policy of a registry's file, or None where there is no file or nothing was published."""
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT_S)) as database:
            return newest_policy(database)
    except sqlite3.Error as error:
        raise PolicyShelfError(
            f"the policy in {file} cannot be read ({error}); start this release on the folder once, or ask a running service with --url"
        ) from error
