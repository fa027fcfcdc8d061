"""How a run is meant, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often a process is killed, and the seed of load and trouble."""

    seed: int
    seconds: float
    kill_every_s: float


@dataclass(slots=True)
class Report:
    """What was done and what was found. `findings` is empty when every promise was kept."""

    plan: Plan
    load: Counter[str] = field(default_factory=Counter)
    trouble: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
