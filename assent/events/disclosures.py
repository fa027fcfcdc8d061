"""What a search told whom, recorded before the answer leaves; never the probe, never a vector."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assent.events.payload import EventPayload, UtcTime, WireModel
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId, Jurisdiction, QueryId, RuleId


class DisclosedFace(WireModel):
    """One candidate that was shown."""

    face_id: FaceId
    grant_id: GrantId


class SearchAnswered(EventPayload):
    """A search ended: `answered` with its candidates, or `refused` with the rule."""

    type: ClassVar[str] = "disclosures.v1"
    topic: ClassVar[Topic] = Topic.DISCLOSURES
    query_id: QueryId
    basis: str
    purpose: str
    caller: str
    caller_jurisdictions: tuple[Jurisdiction, ...]
    outcome: str
    rules: tuple[RuleId, ...] = ()
    faces: tuple[DisclosedFace, ...] = ()
    policy_version: str
    ledger_offsets: dict[str, int] = Field(default_factory=dict)
    answered_at: UtcTime

    def key(self) -> str:
        return self.query_id
