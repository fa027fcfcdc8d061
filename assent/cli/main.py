"""Finds the subcommand and runs it; never lets a user's mistake end in a traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from assent import __version__
from assent.cli.command import EXIT_CODES, Command, CommandError, ExitCode, OneLineParser, add_parser
from assent.cli.commands import BUILT_IN

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    commands = {command.name: command for command in _commands(words)}
    arguments = _parser(commands).parse_args(words)
    try:
        code = commands[arguments.command].run(arguments)
        sys.stdout.flush()
        return code
    except CommandError as error:
        print(f"assent {arguments.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return error.code
    except ImportError as error:
        print(f"assent {arguments.command}: a package is missing ({error}); see assent doctor", file=sys.stderr)
        return ExitCode.UNAVAILABLE
    except (KeyboardInterrupt, EOFError):
        print(f"assent {arguments.command}: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has read enough; the interpreter must not try to write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _commands(words: Sequence[str]) -> list[Command]:
    """Those of this package alone where one is named: `doctor` must run although half of what services need is missing."""
    if words and words[0] in {command.name for command in BUILT_IN}:
        return list(BUILT_IN)
    return [*_from_entry_points(words), *BUILT_IN]


def _from_entry_points(words: Sequence[str]) -> list[Command]:
    """Commands that live outside this package: starting services, the demonstration, what reads a policy file.

    Where one is named it alone is loaded: a look at a place need not wait for every client of every service.
    """
    entries = sorted(entry_points(group="assent.commands"), key=lambda entry: entry.name)
    named = [entry for entry in entries if words and entry.name == words[0]]
    found: list[Command] = []
    for entry in named or entries:
        try:
            command = entry.load()
        except ImportError as error:
            print(f"assent: `assent {entry.name}` cannot be loaded ({error}); see assent doctor", file=sys.stderr)
            continue
        if not isinstance(command, Command):
            raise TypeError(f"the entry point {entry.name} is not a command")
        found.append(command)
    return found


def _parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="assent",
        description="Face search over people who said yes, and a way to check.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"assent {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands.values():
        command.add_arguments(add_parser(subparsers, command.name, command.help, command.examples))
    return parser


if __name__ == "__main__":
    sys.exit(main())
