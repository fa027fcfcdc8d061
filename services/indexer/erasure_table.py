"""Which erasures are asked for and how far each store is, folded from the log, so that a restart loses none of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from assent.events.envelope import UnreadableEventError, decode
from assent.events.erasures import ErasureLevel, ErasureProgressed, ErasureRequested
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import ErasureId

ERASURE_TOPICS = (Topic.ERASURES_REQUESTED, Topic.ERASURES_PROGRESSED)


@dataclass(slots=True)
class Erasure:
    """One request with what was reported per (store, level)."""

    request: ErasureRequested
    progress: dict[tuple[str, ErasureLevel], ErasureProgressed] = field(default_factory=dict)

    def reached(self, store: str, level: ErasureLevel) -> ErasureProgressed | None:
        """The first report of this store at this level, or None."""
        return self.progress.get((store, level))


class ErasureTable:
    """Fold of both erasure topics; order does not matter, the first report of a level stands.

    What does not hold by `is_genuine` is not taken: a request destroys, and a report ends an erasure. `unreadable` counts it by topic.
    """

    def __init__(self, *, is_genuine: Callable[[StoredRecord], bool]) -> None:
        self._is_genuine = is_genuine
        self.unreadable: Counter[str] = Counter()
        self._erasures: dict[ErasureId, Erasure] = {}
        self._early: dict[ErasureId, list[ErasureProgressed]] = {}

    def apply(self, record: StoredRecord) -> None:
        """Take one record; a report that cannot be read or trusted is also a dead letter of the registry."""
        if not self._is_genuine(record):
            self.unreadable[record.topic] += 1
            return
        try:
            data = decode(record).data
        except UnreadableEventError:
            self.unreadable[record.topic] += 1
            return
        if isinstance(data, ErasureRequested):
            erasure = self._erasures.setdefault(data.erasure_id, Erasure(data))
            for progress in self._early.pop(data.erasure_id, []):
                erasure.progress.setdefault((progress.store, progress.level), progress)
        elif isinstance(data, ErasureProgressed):
            self._progressed(data)

    def unfinished(self, stores: tuple[str, ...]) -> list[Erasure]:
        """Erasures that some of these stores have not reached physically, oldest first."""
        return sorted(
            (
                erasure
                for erasure in self._erasures.values()
                if any(erasure.reached(store, ErasureLevel.PHYSICAL) is None for store in stores)
            ),
            key=lambda erasure: erasure.request.requested_at,
        )

    def _progressed(self, data: ErasureProgressed) -> None:
        erasure = self._erasures.get(data.erasure_id)
        if erasure is None:
            self._early.setdefault(data.erasure_id, []).append(data)
        else:
            erasure.progress.setdefault((data.store, data.level), data)
