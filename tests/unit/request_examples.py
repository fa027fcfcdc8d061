"""Requests for grants to build tests from, and the rules under which the registry does not take them; valid as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from assent.events.grants import AgeBand
from assent.ids import GrantId, Jurisdiction
from demo.requests import own_grant
from services.registry.grant_request import GrantRequest
from services.registry.grant_rules import Circumstances, LiveMember, grant_refusals
from services.registry.policy_file import read_policy
from services.registry.published_policy import PolicyInForce
from tests.unit.grant_examples import NOW


def written(residence: str = "CA-BC", **changes: Any) -> dict[str, Any]:
    """The body of a request by a resident for photos that she sends herself, with some fields changed."""
    asked = own_grant("s-1", [{"kind": "upload"}], binding={"mode": "single_face"}, now=NOW, residence=residence, birth_year=1980)
    written = {**asked, **changes}
    if "legal" not in changes:
        written["legal"] = [{**basis, "term_days": _days(written["validity"])} for basis in asked["legal"]]
    return written


def asked(residence: str = "CA-BC", **changes: Any) -> GrantRequest:
    return GrantRequest.model_validate(written(residence, **changes))


def _days(validity: dict[str, str]) -> int | None:
    """The term that she is told: that of the grant, in whole days; None where it has none that could be told."""
    if not {"not_before", "expires_at"} <= validity.keys():
        return None
    length = datetime.fromisoformat(validity["expires_at"]) - datetime.fromisoformat(validity["not_before"])
    return max(1, math.ceil(length / timedelta(days=1)))


def term(days: float) -> dict[str, str]:
    return {"not_before": NOW.isoformat(), "expires_at": (NOW + timedelta(days=days)).isoformat()}


def refused(
    request: GrantRequest,
    *,
    age_band: AgeBand = AgeBand.ADULT,
    residences: Sequence[str] = ("CA-BC",),
    now: datetime = NOW,
    accepts_fixtures: bool = False,
    members: dict[GrantId, LiveMember] | None = None,
) -> list[str]:
    """The rules of every refusal, in their order, under the shipped policy."""
    policy = PolicyInForce(read_policy(None))
    around = Circumstances(
        age_band=age_band,
        residences=tuple(Jurisdiction(place) for place in residences),
        now=now,
        accepts_fixtures=accepts_fixtures,
        expires_max_days=policy.expires_max_days,
        age_min=policy.age_min,
        rules=policy.rules,
        retention=policy.retention,
        members=members or {},
    )
    refusals = grant_refusals(request, around)
    assert all(refusal.message and refusal.remedy for refusal in refusals)
    return [refusal.rule for refusal in refusals]
