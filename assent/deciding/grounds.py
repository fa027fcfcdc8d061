"""What one decision was made from, as it was looked at then; it is written down only by whoever tells of the decision."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from assent.consent.decision import Request, Stand
from assent.consent.judged import judged_grant, marked_in
from assent.consent.judged_json import json_of_yes
from assent.events.decisions import DecisionRecord
from assent.events.grants import Operation
from assent.events.json_text import listed, moments
from assent.events.optouts import SeenOptOut
from assent.ids import Jurisdiction, RuleId


# A tuple, not a data class: one is made for every decision.
class Grounds(NamedTuple):
    """How a grant stood, at which places, and how many regions it marks in the image; `found` is None where no grant was asked.

    The ledger may move on, and this does not. `faces`, `observed` and `optouts` are those of a DecisionRecord.
    """

    at: datetime
    operations: tuple[Operation, ...] = ()
    found: Stand | None = None
    places: frozenset[Jurisdiction] = frozenset()
    marked: int = 0
    faces: int | None = None
    observed: tuple[RuleId, ...] = ()
    optouts: tuple[SeenOptOut, ...] = ()

    @classmethod
    def of(cls, found: Stand, request: Request) -> Grounds:
        """Those of a verdict on this request."""
        marked = marked_in(found.live, request.asset)
        return cls(request.now, request.operations, found, request.candidates, marked, optouts=request.optouts)

    def record(self) -> DecisionRecord:
        """As a part of an event."""
        grant = judged_grant(self.found, self.places, self.marked) if self.found is not None else None
        return DecisionRecord(
            at=self.at,
            operations=self.operations,
            grant=grant,
            faces=self.faces,
            observed=self.observed,
            optouts=self.optouts,
        )

    def json_of_yes(self) -> str:
        """The JSON of `record`, written at once where the verdict was a plain yes and nothing of the image was looked at."""
        grant = json_of_yes(self.found, self.places, self.marked) if self.found is not None else None
        if grant is None or self.faces is not None or self.observed or self.optouts:
            return self.record().to_json().decode()
        (at,) = moments(self.at)
        return f'{{"at":{at},"operations":{listed(self.operations)},"grant":{grant},"faces":null,"observed":[]}}'
