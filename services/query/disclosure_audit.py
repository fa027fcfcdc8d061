"""Watches the invariant from beside: an answer must not name a grant whose withdrawal its own ledger had read; it decides nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

from assent.events.topics import Topic
from assent.ids import GrantId
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics

REMEMBERED = 10_000
Place = tuple[str, int]
"""`topic/partition` and the offset of a withdrawal in it."""


class DisclosureAudit:
    """Compares two independent readings of the log: what was told, with the offsets it was judged at, and where withdrawals stand.

    Offsets and no clocks: a withdrawal below the offset that an answer had read was acknowledged before it was judged.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: deque[tuple[frozenset[GrantId], dict[str, int]]] = deque(maxlen=REMEMBERED)
        self._withdrawn: dict[GrantId, Place] = {}
        metrics.increase(declared.DISCLOSURES_AFTER_WITHDRAWAL, 0)

    def told(self, grants: Collection[GrantId], offsets: Mapping[str, int]) -> None:
        """These grants were named by an answer judged at these offsets (`topic/partition` to next offset)."""
        named = frozenset(grants)
        if not named:
            return
        read = {at: offset for at, offset in offsets.items() if at.startswith(f"{Topic.WITHDRAWALS.value}/")}
        self._told.append((named, read))
        for grant_id in named & self._withdrawn.keys():
            self._judge(self._withdrawn[grant_id], read)

    def withdrawn(self, grant_id: GrantId, partition: int, offset: int) -> None:
        """This withdrawal stands here in the log. The first one counts."""
        if grant_id in self._withdrawn:
            return
        place = (f"{Topic.WITHDRAWALS.value}/{partition}", offset)
        self._withdrawn[grant_id] = place
        for named, read in self._told:
            if grant_id in named:
                self._judge(place, read)

    def _judge(self, place: Place, read: Mapping[str, int]) -> None:
        at, offset = place
        if offset < read.get(at, 0):
            self._metrics.increase(declared.DISCLOSURES_AFTER_WITHDRAWAL)
