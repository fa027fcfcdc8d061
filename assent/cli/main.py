"""Finds the subcommand and runs it; never lets a user's mistake end in a traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from assent import __version__
from assent.cli.command import Command, CommandError
from assent.cli.commands import BUILT_IN

EXIT_CODES = "exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 not reachable or not ready, 4 refused"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    commands = {command.name: command for command in (*_from_entry_points(), *BUILT_IN)}
    parser = _parser(commands)
    arguments = parser.parse_args(argv)
    try:
        return commands[arguments.command].run(arguments)
    except CommandError as error:
        print(f"assent {arguments.command}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print(f"assent {arguments.command}: stopped", file=sys.stderr)
        return 130


def _from_entry_points() -> list[Command]:
    """Commands that live outside this package: starting services and the demonstration."""
    found: list[Command] = []
    for entry in sorted(entry_points(group="assent.commands"), key=lambda entry: entry.name):
        command = entry.load()
        if not isinstance(command, Command):
            raise TypeError(f"the entry point {entry.name} is not a command")
        found.append(command)
    return found


def _parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assent",
        description="Face search over people who said yes, and a way to check.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"assent {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands.values():
        examples = "\n".join(f"  {example}" for example in command.examples)
        subparser = subparsers.add_parser(
            command.name,
            help=command.help,
            description=command.help,
            epilog=f"examples:\n{examples}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
