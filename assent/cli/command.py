"""What a subcommand is; a failed command ends in one line that says what, where and what to do, never in a traceback."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn, TypeAlias

EXIT_CODES = "exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 not reachable or not ready, 4 refused"


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


class OneLineParser(argparse.ArgumentParser):
    """Wrong use ends in one line too; the parsers of subcommands and their actions are of this kind as well."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"{self.prog}: {' '.join(message.split())}; see {self.prog} --help\n")


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: its name, one line of help, examples, its arguments and what it does."""

    name: str
    help: str
    examples: tuple[str, ...]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


# argparse has no public name for what add_subparsers returns.
Actions: TypeAlias = "argparse._SubParsersAction[Any]"


def add_parser(parsers: Actions, name: str, what: str, examples: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of a subcommand or of one of its actions; its help ends with examples and the exit codes."""
    listed = "\n".join(f"  {example}" for example in examples)
    parser: argparse.ArgumentParser = parsers.add_parser(
        name,
        help=what,
        description=what,
        epilog=f"examples:\n{listed}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def port_number(text: str) -> int:
    """A port, for argparse; 0 stands for a free one."""
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; choose one between 1 and 65535")
    return port
