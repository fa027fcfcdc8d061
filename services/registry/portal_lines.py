"""Rows of disclosures and outcomes gathered into the lines of her page; what she reads is a count, never a list without end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assent.events.grants import Purpose
from assent.ids import SubjectId
from services.registry.outcome_table import DisclosureRow, OutcomeRow

_HER_OWN = frozenset({Purpose.SELF_SEARCH.value, Purpose.VERIFY.value})
"""Only she asks for these. The name of a searcher's token is free, and may be her pseudonym."""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One answer: who was told, for what, of how many pictures, when."""

    caller: str
    is_herself: bool
    purpose: str
    faces: int
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """How many of her images came to one outcome, and when the last of them did."""

    outcome: str
    count: int
    last_at: datetime


def told_in(rows: Sequence[DisclosureRow], subject_id: SubjectId) -> list[ToldLine]:
    """One line per answer, in the order of the rows."""
    by_query: dict[str, list[DisclosureRow]] = {}
    for row in rows:
        by_query.setdefault(row.query_id, []).append(row)
    return [
        ToldLine(first.caller, first.caller == subject_id and first.purpose in _HER_OWN, first.purpose, len(told), first.answered_at)
        for first, told in ((told[0], told) for told in by_query.values())
    ]


def counted(rows: Sequence[OutcomeRow]) -> list[OutcomeLine]:
    """One line per outcome, the most frequent first."""
    by_outcome: dict[str, list[OutcomeRow]] = {}
    for row in rows:
        by_outcome.setdefault(row.outcome, []).append(row)
    lines = [OutcomeLine(outcome, len(some), max(row.at for row in some)) for outcome, some in by_outcome.items()]
    return sorted(lines, key=lambda line: (-line.count, line.outcome))
