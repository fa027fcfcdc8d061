"""Grants to build tests from; valid as they are, so that a test names only what it changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
    FaceBinding,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.ids import GrantId, Jurisdiction, SubjectId

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
CA_BC = Jurisdiction("CA-BC")
NOTICE = "5" * 64


def folder(value: str, *, only_me: bool = True, control_until: datetime | None = datetime(2027, 1, 1, tzinfo=UTC)) -> SourceRule:
    """A folder whose controller has shown that it controls it, unless a test says that it has not."""
    return SourceRule(kind=SourceKindRule.URL_PREFIX, value=value, only_me=only_me, control_until=control_until)


def grant(grant_id: str = "g-1", **changes: Any) -> GrantSnapshot:
    """A live grant of a resident of British Columbia for her own portraits."""
    fields: dict[str, Any] = {
        "grant_id": GrantId(grant_id),
        "revision": 1,
        "state": GrantState.GIVEN,
        "subject_id": SubjectId("s-1"),
        "age_band": AgeBand.ADULT,
        "residences": (Residence(jurisdiction=CA_BC),),
        "purposes": (Purpose.SELF_SEARCH, Purpose.VERIFY),
        "operations": tuple(Operation),
        "sources": (folder("https://site.example/ada/"),),
        "binding": FaceBinding(mode=BindingMode.SINGLE_FACE),
        "legal": (
            LegalBasis(
                jurisdiction=CA_BC,
                form=ConsentForm.WRITTEN_RELEASE,
                signature="e_signature",
                alternative_offered=True,
                notice_fields=("collected_or_stored", "specific_purpose", "length_of_term"),
                evidence_count=1,
                notice_sha256=NOTICE,
            ),
        ),
        "scope": GeographicScope(collect_in=(CA_BC,), store_in=(CA_BC,), disclose_in=(CA_BC,)),
        "not_before": datetime(2026, 1, 1, tzinfo=UTC),
        "expires_at": datetime(2027, 1, 1, tzinfo=UTC),
        "confirmed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "last_interaction_at": datetime(2026, 5, 1, tzinfo=UTC),
        "evidence_kinds": ("form_log",),
    }
    return GrantSnapshot(**(fields | changes))
