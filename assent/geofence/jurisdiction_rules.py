"""What one jurisdiction asks for and what it keeps closed; a rule that is not written down here cannot open anything."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt
from pydantic_core import PydanticCustomError

from assent.events.grants import ConsentForm, Operation
from assent.ids import Jurisdiction, RuleId

SERVE_CLIENTS = "serve_clients"
"""Offering the service to callers there: an operation of its own, apart from collecting, using and disclosing."""

OperationName = Literal["collect", "embed", "store", "search", "disclose", "serve_clients"]
RuleText = Annotated[RuleId, Field(pattern=r"^[A-Z]{1,4}-[0-9]{1,2}$")]
Code = Annotated[Jurisdiction, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
ForbiddenUse = Literal[
    "sale",
    "lease",
    "trade",
    "profit",
    "advertising",
    "emotion",
    "ethnicity",
    "mass_identification",
    "self_search",
    "verify",
    "gallery_search",
]
AllowedUse = Literal["self_search", "verify", "gallery_search"]

FLOOR_FORBIDDEN: tuple[ForbiddenUse, ...] = ("advertising", "emotion", "ethnicity", "mass_identification", "sale")
"""X-9: forbidden everywhere; no file takes one of them away."""


def _written_as_a_day(value: object) -> object:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if is_day or (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        return value
    raise PydanticCustomError("day", "write a day as 2026-11-26")


Day = Annotated[date, Field(le=date(8999, 12, 31)), BeforeValidator(_written_as_a_day)]
"""A number is refused: 0 would be a day of the year 1970. So is a day so late that no clock can be counted from it."""
MOST_DAYS = 99_999


class PolicyPart(BaseModel):
    """Frozen; an unknown key is a mistake and is refused. A number in quotes, or yes where a number stands, is one as well."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Filing(PolicyPart):
    """What must be handed in before anything may begin. Closed under `rule` until `lead_days` after `filed_on`."""

    rule: RuleText
    lead_days: StrictInt = Field(default=0, ge=0, le=365)
    reference: str | None = Field(default=None, min_length=1, max_length=200)
    filed_on: Day | None = None

    @property
    def is_filed(self) -> bool:
        """It has a reference and a date."""
        return self.reference is not None and self.filed_on is not None

    @property
    def counts_from(self) -> date | None:
        """The day on which the lead time has passed, whether or not it has a reference."""
        return None if self.filed_on is None else self.filed_on + timedelta(days=self.lead_days)

    def is_met(self, now: datetime) -> bool:
        """Filed with a reference, and the lead time has passed."""
        return self.is_filed and self.counts_from is not None and now.date() >= self.counts_from


class ConsentRules(PolicyPart):
    """The form of a yes that counts here. `explicit` has one value: an opt-out or implied yes is none (CA-2)."""

    form: ConsentForm
    explicit: Literal[True] = True
    signature: tuple[Literal["wet", "e_signature", "vc"], ...] = ()
    notice_fields: tuple[str, ...] = ()
    notice_sha256: StrictBool = True
    alternative_offered: StrictBool = True
    evidence_min: StrictInt = Field(ge=1, le=10)
    age_min: StrictInt = Field(ge=0, le=25)
    guardian_below: StrictInt = Field(ge=0, le=25)
    expires_max_days: StrictInt = Field(ge=1, le=3650)
    last_interaction_cap_days: StrictInt = Field(ge=1, le=1095)

    @cached_property
    def longest_validity(self) -> timedelta:
        """`expires_max_days` as a span."""
        return timedelta(days=self.expires_max_days)

    @cached_property
    def last_interaction_cap(self) -> timedelta:
        """`last_interaction_cap_days` as a span."""
        return timedelta(days=self.last_interaction_cap_days)


class PurposeRules(PolicyPart):
    """Purposes are an allow-list; what is forbidden stays so whatever a grant says."""

    allow: tuple[AllowedUse, ...] = ()
    forbid: tuple[ForbiddenUse, ...] = ()


class RetentionRules(PolicyPart):
    """How long a grant may keep anything, and how long after its purpose has ended. A request for more is refused."""

    max_days: StrictInt = Field(ge=1, le=1095)
    after_purpose_days: StrictInt = Field(ge=0, le=365)


class OrderReceived(PolicyPart):
    """An order of a regulator that binds this operator, with its clocks in days from `issued`, and when it was complied with."""

    issued: Day
    comply_days: StrictInt | None = Field(default=None, ge=1, le=MOST_DAYS)
    report_days: StrictInt | None = Field(default=None, ge=1, le=MOST_DAYS)
    destroy_days: StrictInt | None = Field(default=None, ge=1, le=MOST_DAYS)
    met_on: Day | None = None

    def is_overdue(self, now: datetime) -> bool:
        """The first of the clocks has run out and nobody has recorded that the order was complied with."""
        return not self.is_met(now) and any(now >= end for end in self.ends().values())

    def is_met(self, now: datetime) -> bool:
        """Somebody recorded that the order was complied with, and that day has come."""
        return self.met_on is not None and self.met_on <= now.date()

    def ends(self) -> dict[str, datetime]:
        """When each clock that was set has run out: the day after its last, UTC."""
        clocks = {"comply": self.comply_days, "report": self.report_days, "destroy": self.destroy_days}
        midnight = datetime.combine(self.issued, time(), UTC)
        return {clock: midnight + timedelta(days=days + 1) for clock, days in clocks.items() if days is not None}


class JurisdictionRules(PolicyPart):
    """One entry, whole: defaults and its own keys merged. `rule` names what keeps it closed, `clients_rule` for callers there.

    `as_of` is the day on which a court stayed or struck the order.
    """

    status: Literal["in_force", "stayed", "struck"]
    as_of: Day | None = None
    law: tuple[str, ...] = Field(min_length=1)
    authority: str | None = None
    rule: RuleText
    clients_rule: RuleText
    members: tuple[Code, ...] = ()
    with_grant: tuple[OperationName, ...] = ()
    filings: dict[str, Filing] = Field(default_factory=dict)
    consent: ConsentRules
    purposes: PurposeRules
    retention: RetentionRules
    bystanders: Literal["drop_image", "region_only"]
    transient_match: Literal["denied"] = "denied"
    probe: Literal["self_only", "self_or_grant"]
    server_deny_weight: StrictFloat = Field(default=0.4, ge=0, le=1)
    order_received: OrderReceived | None = None

    @cached_property
    def opens(self) -> frozenset[str]:
        """What a grant may open here once every filing is met: nothing in an entry that is stayed or struck."""
        return frozenset(self.with_grant) if self.status == "in_force" else frozenset()

    @cached_property
    def _opens_on_any_day(self) -> frozenset[str]:
        """Of these, what no date can close: no filing is asked for and no order was received."""
        return self.opens if not self.filings and self.order_received is None else frozenset()

    @cached_property
    def purposes_allow(self) -> frozenset[str]:
        """Purposes that may be granted here."""
        return frozenset(self.purposes.allow)

    @cached_property
    def purposes_forbid(self) -> frozenset[str]:
        """Purposes that are forbidden here; the floor is always among them."""
        return frozenset(self.purposes.forbid) | frozenset(FLOOR_FORBIDDEN)

    def closed_by(self, operation: Operation, now: datetime) -> RuleId | None:
        """The rule that keeps the operation closed whoever granted, or None where a satisfying grant may open it."""
        return None if operation in self._opens_on_any_day else self._closed(operation, self.rule, now)

    def closed_to_clients_by(self, now: datetime) -> RuleId | None:
        """The rule under which the service is not offered to callers there, or None."""
        return self._closed(SERVE_CLIENTS, self.clients_rule, now)

    def _closed(self, operation: str, rule: RuleId, now: datetime) -> RuleId | None:
        """An overdue order closes everything; of unmet filings the one that takes longest is named."""
        if operation not in self.opens:
            return rule
        if self.order_received is not None and self.order_received.is_overdue(now):
            return rule
        if not self.filings:
            return None
        unmet = [filing for _, filing in sorted(self.filings.items()) if not filing.is_met(now)]
        return max(unmet, key=lambda filing: filing.lead_days).rule if unmet else None
