"""Draws from fixed tables, the same on every machine and every Python; never a source of chance for anything else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Numbers from a name: SHA-256 over the name and a count."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def number(self) -> float:
        """In 0 to 1, 1 not among them."""
        digest = hashlib.sha256(f"{self._name}/{self._count}".encode()).digest()
        self._count += 1
        return int.from_bytes(digest[:6], "big") / 2**48

    def says(self, share: float) -> bool:
        """True for this share of cases."""
        return self.number() < share

    def one(self, choices: Sequence[T]) -> T:
        """Each as often as the others."""
        return choices[int(self.number() * len(choices))]

    def weighed(self, choices: Sequence[tuple[T, float]]) -> T:
        """Each as often as its weight says."""
        left = self.number() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]

    def near(self, value: float, spread: float) -> float:
        """At most `spread` away, to five decimals."""
        return round(value + (2 * self.number() - 1) * spread, 5)
