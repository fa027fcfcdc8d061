"""Going on with a grant after its end: offered to its subject alone, for no longer than before and nothing more, by a new yes only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.events.grants import GrantState
from assent.identity.errors import ApiError
from assent.ids import GrantId, Jurisdiction
from assent.stream.clock import Clock
from services.registry.device_yes import DeviceYes, holds
from services.registry.given_grant import without_recipients, yes_to
from services.registry.grant_parts import Notice, Validity
from services.registry.grant_record import Grant
from services.registry.grants import Grants
from services.registry.notice_text import renewal_text
from services.registry.publisher import Offsets
from services.registry.refused import bad_device_signature, notice_mismatch

LEAST_GAIN = timedelta(days=1)
"""A renewal is a new notice for her and a new revision for every service."""
READ_WITHIN = timedelta(hours=1)
"""How long after she was shown the terms her yes to them counts; they name days, and these move."""
CLOCKS_APART = timedelta(minutes=10)
"""The new time begins that long before it is offered: a service whose clock is behind would else take the grant for not yet valid."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What she would say yes to: this very revision from `begins_at` to `expires_at`, and the notice that says so."""

    revision: int
    begins_at: datetime
    expires_at: datetime
    notice: Notice
    terms: Grant


class Renewals:
    """Nothing is written down of an offer; the same record at the same time makes the same one."""

    def __init__(self, *, grants: Grants, clock: Clock, expires_max_days: Callable[[Jurisdiction], int]) -> None:
        self._grants = grants
        self._clock = clock
        self._expires_max_days = expires_max_days

    def is_due(self, record: Grant) -> bool:
        """Whether her page speaks of it: from `renew_by` on, or in the last third of the time, of a live grant that would be prolonged."""
        validity, now = record.validity, self._clock.now()
        third = validity.expires_at - (validity.expires_at - validity.not_before) / 3
        begins = third if validity.renew_by is None else min(third, validity.renew_by)
        return begins <= now < validity.expires_at and self._gains(record, self._begin(record))

    async def offer(self, grant_id: GrantId, *, asks_for_privacy: bool = False, begins_at: datetime | None = None) -> Offer:
        """The terms as they stand. Raises ApiError 409 for a grant that has ended, and where too little would be won."""
        record = await self._grants.live(grant_id)
        agreed = without_recipients(record) if asks_for_privacy else record
        begins_at = begins_at or self._begin(record)
        if not self._gains(record, begins_at):
            raise ApiError(
                409,
                "nothing_to_renew",
                f"The grant runs until {record.validity.expires_at.date().isoformat()}, and a renewal now would hardly prolong it.",
                "Renew it later.",
            )
        await self._grants.refuse_ended_members(record)
        validity = Validity(not_before=begins_at, expires_at=begins_at + self._term(record))
        terms = agreed.model_copy(update={"validity": validity})
        text = renewal_text(terms.model_dump(mode="json"), agreed_at=record.confirmed_at or record.changed_at)
        notice = record.notice.model_copy(update={"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest(), "shown_at": None})
        return Offer(record.revision, begins_at, validity.expires_at, notice, terms)

    async def renew(
        self,
        grant_id: GrantId,
        *,
        begins_at: datetime,
        notice_sha256: str,
        expected_revision: int,
        device: DeviceYes | None = None,
        asks_for_privacy: bool = False,
    ) -> tuple[Grant, Offsets]:
        """Her new yes to an offer that she has read. Raises ApiError where it is not the one that would be made now."""
        now = self._clock.now()
        record = await self._grants.live(grant_id, expected_revision)
        if not self._begin(record, now - READ_WITHIN) <= begins_at <= self._begin(record, now):
            raise notice_mismatch()
        offer = await self.offer(grant_id, asks_for_privacy=asks_for_privacy, begins_at=begins_at)
        if notice_sha256 != offer.notice.sha256:
            raise notice_mismatch()
        if device is not None and not holds(device, grant_id, notice_sha256):
            raise bad_device_signature()
        terms = offer.terms
        facts = {
            "grant_id": grant_id,
            "notice_sha256": notice_sha256,
            "renewed_at": now.isoformat(),
            "begins_at": offer.begins_at.isoformat(),
            "expires_at": offer.expires_at.isoformat(),
        }
        return await self._grants.revise(
            record,
            {
                "state": GrantState.RENEWED,
                "recipients": terms.recipients,
                "recipients_left_out": terms.recipients_left_out,
                "validity": terms.validity,
                **yes_to(terms, offer.notice, evidence=record.evidence, facts=facts, device=device, now=now),
            },
        )

    def _begin(self, record: Grant, now: datetime | None = None) -> datetime:
        """Never before the time that she agreed to first."""
        return max(record.validity.not_before, (now or self._clock.now()) - CLOCKS_APART)

    def _term(self, record: Grant) -> timedelta:
        """As long as she agreed to last, and no longer than every place of hers allows today (QC-7)."""
        places = {place.jurisdiction for place in record.residence} | {basis.jurisdiction for basis in record.legal}
        most = min((self._expires_max_days(place) for place in places), default=0)
        return min(record.validity.expires_at - record.validity.not_before, timedelta(days=most))

    def _gains(self, record: Grant, begins_at: datetime) -> bool:
        return begins_at + self._term(record) >= record.validity.expires_at + LEAST_GAIN
