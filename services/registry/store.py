"""The registry's one file: every read and write in one thread, under one lock; never two writers, never an unsynced yes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from assent.deployment.start_errors import StartError
from services.registry.schema import CHANGES, FILE, SCHEMA, SCHEMA_VERSION

T = TypeVar("T")


class RegistryBusyError(StartError):
    """Raised when another registry has this file open: one writes at a time."""


class RegistryBrokenError(Exception):
    """Raised when the file is not a registry of this version."""


class RevisionConflictError(Exception):
    """Raised when a grant was changed meanwhile: read it again and decide again."""


class RegistryStore:
    """SQLite in a thread of its own. `secure_delete` overwrites what is deleted; WAL with `synchronous=FULL` syncs each commit."""

    def __init__(self, folder: Path) -> None:
        """Open or create. Raises RegistryBusyError or RegistryBrokenError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(folder / f"{FILE}.lock")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry-store")
        try:
            self._database = self._thread.submit(_opened, folder / FILE).result()
        except BaseException:
            self._thread.shutdown()
            os.close(self._lock)
            raise

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """The result of a query; it sees whole transactions only."""
        return await self._in_thread(query)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` as one transaction: all of it is on disk when this returns, or nothing."""

        def transaction(database: sqlite3.Connection) -> T:
            with database:
                database.execute("BEGIN IMMEDIATE")
                return change(database)

        return await self._in_thread(transaction)

    async def scrub(self) -> bool:
        """Move the write-ahead log into the file and empty it, so that what was deleted is in neither.

        False while somebody else reads the file, a backup perhaps: SQLite raises nothing then, and the rows are still there.
        """

        def checkpoint(database: sqlite3.Connection) -> bool:
            (is_busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not is_busy

        return await self._in_thread(checkpoint)

    async def close(self) -> None:
        """Let another registry open the file."""
        await self._in_thread(lambda database: database.close())
        self._thread.shutdown()
        os.close(self._lock)

    async def _in_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._database)


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    database = sqlite3.connect(path, isolation_level=None)
    database.row_factory = sqlite3.Row
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON").fetchall()
        database.execute("PRAGMA foreign_keys = ON")
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, *CHANGES, SCHEMA_VERSION):
            raise RegistryBrokenError(f"{FILE} has schema version {version}, this registry knows {SCHEMA_VERSION}; use its release")
        for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
            database.executescript(f"BEGIN; {CHANGES[older]}; PRAGMA user_version = {older + 1}; COMMIT;")
        database.executescript(SCHEMA)
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except sqlite3.DatabaseError as error:
        database.close()
        raise RegistryBrokenError(f"{FILE} is not a readable registry; restore it from its backup") from error
    return database


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RegistryBusyError("another registry has this data folder open; stop it first, one writes at a time") from error
    return descriptor
