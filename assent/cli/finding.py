"""What a check of the doctor found; a warning is something to know, a failure something that keeps Assent from working."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, how it ended, what was found and what to do."""

    check: str
    state: State
    text: str
