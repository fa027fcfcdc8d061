"""Whole numbers as arguments; what is none is told in words of the command, and never by the name of a function."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def whole_number(what: str, *, least: int) -> Callable[[str], int]:
    """For argparse: a number of at least `least`; what else is written is told to be no `what`."""

    def parsed(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is no {what}; write a whole number from {least} on")
        return number

    return parsed
