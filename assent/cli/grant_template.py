"""A request for a grant over one's own photos, as a start for an operator; it asks, it never agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from assent.cli.api import JsonObject

DAYS = 180
WRITTEN = {
    "form": "written_release",
    "signature": "e_signature",
    "term_days": DAYS,
    "alternative_offered": True,
    "notice_fields": ["collected_or_stored", "specific_purpose", "length_of_term"],
}
"""The strictest form that the shipped policy asks for anywhere."""


def grant_template(residence: str, *, url_prefixes: Sequence[str] = (), is_only_her: bool = False) -> JsonObject:
    """The body of POST /v1/grants, to be filled in: the controller, and her birth year where the place asks for it."""
    now = datetime.now(UTC).replace(microsecond=0)
    sites = [{"kind": "url_prefix", "value": value, "only_me": is_only_her} for value in url_prefixes]
    return {
        "subject_id": "",
        "birth_year": None,
        "controller": {"id": "your-organisation", "name": "Your organisation", "contact": "how to reach you", "role": "controller"},
        "purposes": [{"code": "self_search", "text": "find myself among my photos"}, {"code": "verify", "text": "check one photo"}],
        "sources": [{"kind": "upload"}, *sites],
        "face_binding": {"mode": "single_face"},
        "legal": [{"jurisdiction": residence, **WRITTEN}],
        "geographic_scope": {"collect_in": [residence], "store_in": [residence], "disclose_in": [residence]},
        "validity": {"not_before": now.isoformat(), "expires_at": (now + timedelta(days=DAYS)).isoformat()},
    }
