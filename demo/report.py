"""The story in numbers, as one JSON document; every number is counted from what happened, none is written here."""

from __future__ import annotations

import resource
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demo.requests import NOTICE


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One search of the story: who asked, on which ground, the status, how many candidates and the best score."""

    who: str
    basis: str
    status: int
    matches: int
    top_score: float | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`ack_to_undisclosable_ms`: from the acknowledgement to the first answer that told nothing. Counts before and after."""

    ack_to_undisclosable_ms: float
    vectors_before: int
    vectors_after: int
    images_before: int
    images_after: int


@dataclass(slots=True)
class Report:
    """Filled as the story goes."""

    fixture_grants: int = 0
    images_seen: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    refused_by_rule: dict[str, int] = field(default_factory=dict)
    faces_embedded: int = 0
    bystanders_never_embedded: int | None = None
    searches: list[SearchResult] = field(default_factory=list)
    withdrawal: Withdrawal | None = None
    receipts_verified: int = 0
    resurrected: int | None = None
    vectors_without_live_grant: int | None = None
    first_match_s: float | None = None
    total_s: float = 0.0

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        facts = asdict(self)
        first, total = facts.pop("first_match_s"), facts.pop("total_s")
        seconds = {"first_match": None if first is None else round(first, 2), "total": round(total, 2)}
        return {"notice": NOTICE, **facts, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}


def peak_rss_mb() -> float:
    """The most memory that this program held at once, in MiB.

    On Linux from the kernel's high-water mark of this program: getrusage also counts what the process held before it became this
    program, which is its parent's. Elsewhere from getrusage, which counts in bytes on macOS.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)
    except (OSError, IndexError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
