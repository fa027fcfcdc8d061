"""What the registry takes of a body before any command sees it: times that can be told, numbers that can be hashed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from assent.events.grants import GrantSnapshot, GrantState
from assent.events.payload import writable
from assent.identity.errors import ApiError
from assent.ids import GrantId, SubjectId
from services.registry.api_models import NarrowIn
from services.registry.grant_record import ended_snapshot
from services.registry.grant_request import GrantRequest
from services.registry.request_body import parsed_bytes
from services.registry.time_text import moment
from tests.unit.grant_examples import NOW
from tests.unit.request_examples import asked, refused, term, written

NARROWING = {"grant_secret": "s" * 32, "expected_revision": 2}
NO_TIMES: dict[str, object] = {
    "the first day that there is": "0001-01-01T00:00:00Z",
    "the first day, before it in UTC": "0001-01-01T00:00:00+14:00",
    "the last day that there is": "9999-12-31T23:00:00-05:00",
    "a number": 1_800_000_000,
    "a number as text": "1800000000",
    "a day as a number": 20270131,
    "a day": "2026-12-01",
    "no offset": "2026-12-01T00:00:00",
}


@pytest.mark.parametrize("name", NO_TIMES)
def test_what_is_no_time_of_ours_is_refused(name: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parsed_bytes(json.dumps(NARROWING | {"expires_at": NO_TIMES[name]}).encode(), NarrowIn)
    assert refusal.value.status == 422


VALIDITIES: dict[str, tuple[str, str]] = {
    "an end beyond the last day in UTC": ("9999-12-20T00:00:00Z", "9999-12-30T23:59:59-23:59"),
    "an end in three hundred years": ("2325-12-20T00:00:00Z", "2326-01-20T00:00:00Z"),
}


@pytest.mark.parametrize("name", VALIDITIES)
def test_qc_7_a_grant_at_the_end_of_the_calendar_is_not_asked_for(name: str) -> None:
    start, end = VALIDITIES[name]
    assert refused(asked(validity={"not_before": start, "expires_at": end})) == ["QC-7"]


def test_qc_7_a_grant_that_began_with_the_calendar_is_not_asked_for() -> None:
    assert "QC-7" in refused(asked(validity={"not_before": "0001-01-02T00:00:00+14:00", "expires_at": "2026-12-30T00:00:00Z"}))


def _with_term(days: int) -> dict[str, Any]:
    body = written()
    body["legal"] = [basis | {"term_days": days} for basis in body["legal"]]
    return body


UNTOLD: dict[str, dict[str, Any]] = {
    "a term that no digest covers": _with_term(2**53),
    "no operation": written(operations=[]),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_could_never_be_written_down_is_not_asked_for(name: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parsed_bytes(json.dumps(UNTOLD[name]).encode(), GrantRequest)
    assert refusal.value.status == 422


def test_every_integer_of_a_request_fits_into_canonical_json() -> None:
    """RFC 8785 writes none beyond 2**53 - 1, and the digest of the record rests on it."""
    assert not list(_unbounded(GrantRequest.model_json_schema()))
    assert parsed_bytes(json.dumps(_with_term(2**53 - 1)).encode(), GrantRequest).legal[0].term_days == 2**53 - 1


def _unbounded(schema: Any, where: str = "") -> list[str]:
    """The places of integers without a `maximum`."""
    if isinstance(schema, list):
        return [found for item in schema for found in _unbounded(item, where)]
    if not isinstance(schema, dict):
        return []
    own = [where] if schema.get("type") == "integer" and not schema.get("maximum", 2**53) < 2**53 else []
    return own + [found for name, item in schema.items() for found in _unbounded(item, f"{where}/{name}")]


@pytest.mark.parametrize("stored", ["0001-01-01T00:00:00.000000+00:00", "9999-12-31T23:59:59.000000+00:00"], ids=["first day", "last day"])
def test_an_end_can_be_told_whatever_its_grant_says_of_time(stored: str) -> None:
    ended = ended_snapshot(
        GrantId("g"), revision=3, subject_id=SubjectId("s"), state=GrantState.EXPIRED, ended_at=NOW, expires_at=moment(stored)
    )
    assert GrantSnapshot.model_validate_json(ended.model_dump_json()).expires_at == writable(moment(stored))
    assert writable(NOW) == NOW


@pytest.mark.parametrize(
    ("days", "rules"), [(0, []), (29.9, []), (30, ["QC-7"]), (-1, ["QC-7"])], ids=["its first day", "its last day", "its end", "before it"]
)
def test_qc_7_a_grant_is_renewed_by_a_time_at_which_it_runs(days: float, rules: list[str]) -> None:
    renew_by = (NOW + timedelta(days=days)).isoformat()
    assert refused(asked(validity=term(30) | {"renew_by": renew_by})) == rules
