"""What the routes of the policy take and give, as models."""

from __future__ import annotations

import hashlib
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from assent.geofence.jurisdiction_rules import Code, OperationName
from assent.policies.stopping import ALL_OPERATIONS
from services.registry.grant_parts import RecordPart, Sha256Hex


class PolicyOut(RecordPart):
    """`deployment` is the id of the key that signs the policy: what is approved for one deployment counts in no other."""

    version: str
    sha256: Sha256Hex
    document: str
    deployment: str

    @classmethod
    def of(cls, version: str, document: str, *, deployment: str) -> Self:
        """With the digest of the document."""
        return cls(version=version, sha256=hashlib.sha256(document.encode()).hexdigest(), document=document, deployment=deployment)


class ReloadedOut(RecordPart):
    """The newest policy after the file was read. Not `is_new`: it said what was in force already."""

    version: str
    sha256: Sha256Hex
    published_at: AwareDatetime
    is_new: bool


class StopIn(RecordPart):
    """Places, or `is_everywhere`; `because` is the order in its own words, and stands in the policy for everybody to read."""

    places: tuple[Code, ...] = Field(default=(), max_length=100)
    is_everywhere: bool = False
    operations: tuple[OperationName, ...] = Field(default=ALL_OPERATIONS, min_length=1)
    because: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")

    @model_validator(mode="after")
    def _names_one_or_all(self) -> Self:
        if bool(self.places) == self.is_everywhere:
            raise ValueError("name places, or is_everywhere; not both and not neither")
        return self


class StoppedOut(RecordPart):
    """The policy with the stops in it, as it is on the log. Not `is_new`: everything that was named is closed already."""

    version: str
    sha256: Sha256Hex
    published_at: AwareDatetime
    is_new: bool


class StopOut(RecordPart):
    """No `place` is every place. `published_at` is None while the log has not taken it."""

    place: Code | None
    operations: tuple[str, ...]
    because: str
    stopped_by: str
    stopped_at: AwareDatetime
    published_at: AwareDatetime | None


class StopsOut(RecordPart):
    stops: tuple[StopOut, ...]
