"""What a subcommand is; a failed command ends in one line that says what, where and what to do, never in a traceback."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """0 done; 1 the answer is no; 2 wrong use; 3 the service cannot be reached or is not ready; 4 refused."""

    DONE = 0
    NO = 1
    USAGE = 2
    UNAVAILABLE = 3
    REFUSED = 4


class CommandError(Exception):
    """Raised to end a command with one line and an exit code. The message says what, where and what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: its name, one line of help, examples, its arguments and what it does."""

    name: str
    help: str
    examples: tuple[str, ...]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
