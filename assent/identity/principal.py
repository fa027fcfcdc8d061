"""The caller as a token states it; never a name of a person."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assent.events.grants import Purpose
from assent.ids import Jurisdiction, ProducerId, SubjectId


class Role(StrEnum):
    """What a caller may do; an operator cannot search, a searcher cannot erase, an auditor sees proofs only."""

    SUBJECT = "subject"
    SEARCHER = "searcher"
    PRODUCER = "producer"
    OPERATOR = "operator"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"


class Principal(BaseModel):
    """One caller. `org` and `jurisdictions` say on whose behalf and from where; `purposes` what a searcher may ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    roles: frozenset[Role]
    org: str
    jurisdictions: tuple[Jurisdiction, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    subject_id: SubjectId | None = None
    producer_id: ProducerId | None = None
