"""The grants of a case: complete for its places, then changed as the case says."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from tests.lawful_yield.case import Case, Granted

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
NOTICE = "7" * 64
FORMS = {"CA-BC": "express"}
"""The weakest form that a place takes; every other place asks for a written release."""


def grant_id(case: Case) -> str:
    return f"g-{case.id}"


def grants_of(case: Case, *, sha256: str) -> list[dict[str, Any]]:
    """The grant of the case, last, and those of the other people in the photo where it is a joint one."""
    if case.grant is None:
        return []
    members = _members(case, sha256)
    own = _complete(case, case.grant, sha256)
    if case.members:
        named = [f"m-{case.id}", f"n-{case.id}"]
        own |= {"binding": {"mode": "joint", "member_grants": named}, "subject_id": f"s-m-{case.id}"}
    for path, value in case.grant.changes.items():
        _set(own, path.split("."), value)
    return [*members, own]


def _members(case: Case, sha256: str) -> list[dict[str, Any]]:
    """Each names the photo in her own grant too, and takes no face of it there: she marks none."""
    if not case.members or case.grant is None:
        return []
    plain = Granted(places=case.grant.places, source=case.grant.source)
    found = []
    for letter in "mn" if case.members != "unknown" else "m":
        member = _complete(case, plain, sha256) | {"grant_id": f"{letter}-{case.id}", "subject_id": f"s-{letter}-{case.id}"}
        member["binding"] = {"mode": "region"}
        found.append(member)
    if case.members == "joint":
        found[0]["binding"] = {"mode": "joint", "member_grants": [f"n-{case.id}", f"x-{case.id}"]}
    return found


def _complete(case: Case, granted: Granted, sha256: str) -> dict[str, Any]:
    places = list(granted.places)
    return {
        "schema_version": "assent.grant/1",
        "grant_id": grant_id(case),
        "revision": 1,
        "state": "given",
        "subject_id": f"s-{case.id}",
        "age_band": "adult",
        "residences": [{"jurisdiction": place} for place in case.lives],
        "purposes": ["self_search"],
        "operations": ["collect", "embed", "store", "search", "disclose"],
        "sources": [_source(case, granted, sha256)],
        "binding": {"mode": "single_face"},
        "legal": [_basis(place) for place in places],
        "scope": {"collect_in": places, "store_in": places, "disclose_in": places},
        "not_before": "2026-01-15T00:00:00Z",
        "expires_at": "2026-12-15T00:00:00Z",
        "confirmed_at": "2026-01-15T09:30:00Z",
        "last_interaction_at": "2026-04-20T00:00:00Z",
        "evidence_kinds": ["form_log"],
    }


def _source(case: Case, granted: Granted, sha256: str) -> dict[str, Any]:
    folder = case.site.image_url.rpartition("/")[0] + "/"
    value = {"folder": folder, "image": case.site.image_url, "digest": sha256, "upload": grant_id(case)}[granted.source]
    kind = {"folder": "url_prefix", "image": "image_url", "digest": "asset_sha256", "upload": "upload"}[granted.source]
    shown = {"control_until": "2026-12-15T00:00:00Z"} if granted.source == "folder" else {}
    return {"kind": kind, "value": value, "only_me": granted.only_me, **shown}


def _basis(place: str) -> dict[str, Any]:
    basis: dict[str, Any] = {
        "jurisdiction": place,
        "form": FORMS.get(place, "written_release"),
        "explicit": True,
        "alternative_offered": True,
        "evidence_count": 1,
        "notice_sha256": NOTICE,
    }
    if place == "US-IL":
        basis |= {"signature": "e_signature", "notice_fields": ["collected_or_stored", "specific_purpose", "length_of_term"]}
    return basis


def _set(node: Any, path: list[str], value: Any) -> None:
    """Put a value at a dotted path; a number is the place in a list."""
    for name in path[:-1]:
        node = node[int(name)] if isinstance(node, list) else node[name]
    if isinstance(node, list):
        node[int(path[-1])] = copy.deepcopy(value)
    else:
        node[path[-1]] = copy.deepcopy(value)
