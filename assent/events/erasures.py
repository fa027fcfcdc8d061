"""Erasures asked for and the progress each store reports; never what was erased, only counts and ids."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from assent.events.payload import EventPayload, UtcTime
from assent.events.topics import Topic
from assent.ids import ErasureId, FaceId, GrantId


class ErasureCause(StrEnum):
    """Why something is erased."""

    WITHDRAWAL = "withdrawal"
    EXPIRY = "expiry"
    ORDER = "order"
    OPTOUT_SIGNAL = "optout_signal"
    POLICY_CHANGE = "policy_change"
    SWEEP = "sweep"


class ErasureLevel(StrEnum):
    """`resolved`: the ids are known and counted, nothing is deleted yet. `logical`: no read path returns it.
    `physical`: the bytes are gone or their key is.
    """

    RESOLVED = "resolved"
    LOGICAL = "logical"
    PHYSICAL = "physical"


class ErasureRequested(EventPayload):
    """Everything under this grant must go."""

    type: ClassVar[str] = "erasures.requested.v1"
    topic: ClassVar[Topic] = Topic.ERASURES_REQUESTED
    erasure_id: ErasureId
    grant_id: GrantId
    cause: ErasureCause
    requested_at: UtcTime

    def key(self) -> str:
        return self.grant_id


class ErasureProgressed(EventPayload):
    """One store reached one level. `remains` says in plain words what is left there and why."""

    type: ClassVar[str] = "erasures.progressed.v1"
    topic: ClassVar[Topic] = Topic.ERASURES_PROGRESSED
    erasure_id: ErasureId
    grant_id: GrantId
    store: str
    level: ErasureLevel
    count_before: int = Field(ge=0)
    count_after: int = Field(ge=0)
    method: str
    remains: tuple[str, ...] = ()
    face_ids: tuple[FaceId, ...] = ()
    reached_at: UtcTime

    def key(self) -> str:
        return self.erasure_id
