"""What the last records of one producer came to; each counts once, however often it is delivered, copied or replayed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass

from assent.events.record import StoredRecord
from assent.intake.standings import SuspensionReason

REMEMBERED = 4_096
"""Records of one producer whose copies are recognised; a copy of an older one would count again."""


@dataclass(frozen=True, slots=True)
class ProducerCaps:
    """More than `max_dead_share` of the last `window` records, or `max_dead_in_a_row` one after the other, is too much."""

    window: int
    max_dead_share: float
    max_dead_in_a_row: int


def record_digest(record: StoredRecord) -> str:
    """Digest of key and value, which every signature covers: the same for every copy of a record, wherever it lies."""
    return hashlib.sha256(len(record.key).to_bytes(4, "big") + record.key + (record.value or b"")).hexdigest()


class ProducerWindow:
    """The last records of one producer, as one process saw them. `ignored` are digests that never count."""

    def __init__(self, caps: ProducerCaps, *, ignored: Collection[str] = ()) -> None:
        self._caps = caps
        self._ignored = frozenset(ignored)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._recent: deque[tuple[str, bool]] = deque(maxlen=caps.window)
        self._dead_in_a_row = 0

    def note(self, digest: str, *, is_dead: bool) -> bool:
        """Count a record; False where it was counted before."""
        if digest in self._ignored or digest in self._known:
            return False
        self._known[digest] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        self._recent.append((digest, is_dead))
        self._dead_in_a_row = self._dead_in_a_row + 1 if is_dead else 0
        return True

    def exceeded(self) -> SuspensionReason | None:
        """The cap that is exceeded, if any. The share is judged once the window is full."""
        if self._dead_in_a_row >= self._caps.max_dead_in_a_row:
            return SuspensionReason.DEAD_IN_A_ROW
        dead = sum(is_dead for _, is_dead in self._recent)
        if len(self._recent) == self._caps.window and dead > self._caps.max_dead_share * self._caps.window:
            return SuspensionReason.DEAD_SHARE
        return None

    def dead(self) -> tuple[str, ...]:
        """Digests of the dead records in the window, oldest first."""
        return tuple(digest for digest, is_dead in self._recent if is_dead)
