"""What the demonstration asks the subject to agree to, as the registry takes it; every grant says that its evidence is a fixture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from demo.api import JsonObject

NOTICE = (
    "This is a demonstration. Its grants are fixtures: the woman in the portrait (a NASA photograph in the public domain, shipped by "
    "scikit-image) agreed to nothing, and no other start of Assent accepts them. Nobody else's face is ever embedded."
)
RESIDENCE = "CA-BC"
CONTROLLER = "assent-demo"
DAYS = 30
FIXTURE_BIRTH_YEAR = 1980
"""Of the fixture, not of the woman in the portrait."""
_PURPOSES = {"self_search": "find her own face among these photos", "verify": "check one photo against her own"}


def fixture_grant(
    subject_id: str, sources: Sequence[JsonObject], *, binding: JsonObject, now: datetime, residence: str = RESIDENCE
) -> JsonObject:
    """A request whose evidence is of the kind `demo_fixture`."""
    evidence = {
        "kind": "demo_fixture",
        "sha256": hashlib.sha256(NOTICE.encode()).hexdigest(),
        "captured_at": now.isoformat(),
        "captured_by": "assent demo",
    }
    asked = own_grant(subject_id, sources, binding=binding, now=now, residence=residence, birth_year=FIXTURE_BIRTH_YEAR)
    return {**asked, "evidence": [evidence]}


def own_grant(
    subject_id: str,
    sources: Sequence[JsonObject],
    *,
    binding: JsonObject,
    now: datetime,
    residence: str,
    birth_year: int,
) -> JsonObject:
    """A request for one's own photos: one's own purposes, nobody else is ever told."""
    return {
        "subject_id": subject_id,
        "birth_year": birth_year,
        "controller": {
            "id": CONTROLLER,
            "name": "The demonstration on this machine",
            "contact": "whoever started it",
            "role": "controller",
        },
        "purposes": [{"code": code, "text": text} for code, text in _PURPOSES.items()],
        "sources": list(sources),
        "face_binding": binding,
        "legal": [
            {
                "jurisdiction": residence,
                "form": "written_release",
                "signature": "e_signature",
                "term_days": DAYS,
                "alternative_offered": True,
                "notice_fields": ["collected_or_stored", "specific_purpose", "length_of_term"],
            }
        ],
        "geographic_scope": {"collect_in": [residence], "store_in": [residence], "disclose_in": [residence]},
        "validity": {"not_before": now.isoformat(), "expires_at": (now + timedelta(days=DAYS)).isoformat()},
    }
