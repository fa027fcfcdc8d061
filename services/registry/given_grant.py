"""What a yes makes of a request or a renewal: these very terms, agreed to; or for nobody but herself, where her browser asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785

from assent.events.grants import GrantState, Purpose, SourceRule
from assent.identity.errors import ApiError
from services.registry.device_yes import DeviceYes
from services.registry.grant_parts import Evidence, EvidenceKind, Notice
from services.registry.grant_record import Grant


def is_for_others_alone(requested: Grant) -> bool:
    """Nothing is left of it where nobody but herself may be told."""
    return bool(requested.recipients) and all(purpose.code is Purpose.GALLERY_SEARCH for purpose in requested.purposes)


def without_recipients(requested: Grant) -> Grant:
    """The same for nobody but herself, as her browser asks. Raises ApiError where nothing would be left of it."""
    if not requested.recipients:
        return requested
    purposes = tuple(purpose for purpose in requested.purposes if purpose.code is not Purpose.GALLERY_SEARCH)
    if is_for_others_alone(requested):
        raise ApiError(
            409,
            "privacy_signal",
            "Your browser asks that nothing be shared (Global Privacy Control), and this request is for nothing else.",
            "Say no, or switch that signal off for this site if you do want it.",
        )
    left_out = tuple(recipient.id for recipient in requested.recipients)
    return requested.model_copy(update={"recipients": (), "purposes": purposes, "recipients_left_out": left_out})


def given_of(agreed: Grant, requested: Grant, sources: tuple[SourceRule, ...], device: DeviceYes | None, now: datetime) -> Grant:
    """These terms, now agreed to: the confirmation itself is written down as evidence, and which of the sources are proven."""
    facts = {"grant_id": requested.grant_id, "notice_sha256": requested.notice.sha256, "confirmed_at": now.isoformat()}
    if agreed.recipients_left_out:
        facts["recipients_left_out"] = "\n".join(agreed.recipients_left_out)
    return agreed.model_copy(
        update={
            "revision": requested.revision + 1,
            "prev_hash": requested.digest(),
            "state": GrantState.GIVEN,
            "sources": sources,
            "changed_at": now,
            "last_interaction_at": now,
            **yes_to(agreed, requested.notice, evidence=requested.evidence, facts=facts, device=device, now=now),
        }
    )


def yes_to(
    terms: Grant, notice: Notice, *, evidence: Sequence[Evidence], facts: Mapping[str, str], device: DeviceYes | None, now: datetime
) -> dict[str, Any]:
    """What a record says of her yes to these terms under this notice, the first or a later one: `facts`, and what her device signed,
    are written down by their digest.
    """
    whole = dict(facts) | (device.model_dump() if device is not None else {})
    proof = Evidence(
        kind=EvidenceKind.FORM_LOG,
        sha256=hashlib.sha256(rfc8785.dumps(whole)).hexdigest(),
        captured_at=now,
        captured_by="registry",
    )
    return {
        "notice": notice.model_copy(update={"shown_at": now}),
        "evidence": (*evidence, proof),
        "purposes": tuple(purpose.model_copy(update={"granted_at": now}) for purpose in terms.purposes),
        "confirmed_at": now,
        "confirmed_with": "secret" if device is None else "secret_and_device_key",
        "device": device,
    }
