"""The subcommands that need nothing but a running service, a file or this package."""

from __future__ import annotations

from assent.cli.command import Command

BUILT_IN: tuple[Command, ...] = ()
