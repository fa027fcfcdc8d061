"""What a caller asks, checked before any picture is looked at; never holds the picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assent.consent.decision import SELF
from assent.events.grants import Purpose
from assent.geofence.caller import client_gate
from assent.geofence.policy import Policy
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import GrantId, SubjectId


class Basis(StrEnum):
    """On what ground a probe may be looked at at all (X-4)."""

    SELF = "self"
    VERIFY = "verify"
    GALLERY = "gallery"


@dataclass(frozen=True, slots=True)
class Question:
    """A search that may be asked. `subject_id` is the asker's own for `self` and `verify`; `recipient` who is told."""

    principal: Principal
    basis: Basis
    purpose: Purpose
    recipient: str
    subject_id: SubjectId | None = None
    grant_id: GrantId | None = None


PURPOSES = {Basis.SELF: Purpose.SELF_SEARCH, Basis.VERIFY: Purpose.VERIFY, Basis.GALLERY: Purpose.GALLERY_SEARCH}


def checked_question(
    principal: Principal, basis: str, purpose: str | None, *, policy: Policy, now: datetime, grant_id: GrantId | None = None
) -> Question:
    """The question, or ApiError: 400 for an unknown ground or purpose, 403 for the wrong role, 451 for a closed place."""
    ground = _basis(basis)
    wanted = PURPOSES[ground]
    if ground is Basis.VERIFY and grant_id is None:
        raise ApiError(400, "no_grant_named", "Which grant the photo is checked against is not said.", "Send grant_id.")
    if purpose is not None and purpose != wanted.value:
        raise ApiError(400, "purpose_not_allowed", "This ground has another purpose.", f"Send purpose={wanted.value} or leave it out.")
    rule = client_gate(principal.jurisdictions, basis=ground.value, policy=policy, now=now)
    if rule is not None:
        raise ApiError(451, "closed_place", f"The service is not offered where you are (rule {rule}).", "", details={"rule": rule})
    if ground is Basis.GALLERY:
        return _gallery(principal, wanted)
    if Role.SUBJECT not in principal.roles or principal.subject_id is None:
        raise ApiError(403, "forbidden", "Only a subject may look for herself.", "Sign in with your grant's secret.")
    return Question(principal, ground, wanted, SELF, principal.subject_id, grant_id)


def _basis(text: str) -> Basis:
    try:
        return Basis(text)
    except ValueError as error:
        known = ", ".join(basis.value for basis in Basis)
        raise ApiError(400, "unknown_basis", "No picture is looked at on that ground.", f"Send basis as one of {known}.") from error


def _gallery(principal: Principal, wanted: Purpose) -> Question:
    if Role.SEARCHER not in principal.roles:
        raise ApiError(403, "forbidden", "This search needs the role searcher.", "Ask the operator for a searcher's token.")
    if wanted not in principal.purposes:
        raise ApiError(403, "purpose_not_allowed", "This token is not for gallery search.", "Ask for a token with that purpose.")
    return Question(principal, Basis.GALLERY, wanted, principal.org)
