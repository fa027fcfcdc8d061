"""Whether one grant opens one operation: the one function that every service calls; it never grants on doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from assent.consent.asset import Asset
from assent.consent.content_rights import NOTHING, SetAside, optout_rules, set_aside
from assent.consent.ledger import ConsentLedger, Standing
from assent.consent.legal_form import form_rules
from assent.consent.member import Member, members_at
from assent.consent.retention_clock import LONG_SILENT, is_over
from assent.consent.source_rules import have_control, naming_rules
from assent.events.grants import GrantSnapshot, Operation, Purpose, SourceRule
from assent.events.optouts import SeenOptOut
from assent.geofence.policy import JurisdictionRules, Policy
from assent.ids import UNKNOWN, GrantId, Jurisdiction, RuleId

SELF = "self"
"""The recipient of every grant: the subject herself."""

CONTROL_UNPROVEN = RuleId("control_unproven")
"""Only a folder or an account names the image, and nobody has shown who controls it: she approves the image itself first."""

STANDING_RULES: dict[Standing, RuleId] = {
    Standing.UNKNOWN: RuleId("no_grant"),
    Standing.NOT_LIVE: RuleId("grant_not_live"),
    Standing.EXPIRED: RuleId("grant_expired"),
    Standing.WITHDRAWN: RuleId("grant_withdrawn"),
    Standing.DENIED: RuleId("grant_unreadable"),
    Standing.FIXTURE: RuleId("fixture_evidence"),
}
STORING = frozenset({Operation.EMBED, Operation.STORE})
# Looking a member up on its enumeration takes ten times what comparing it takes.
_LIVE = Standing.LIVE
_NOWHERE_KNOWN = frozenset({UNKNOWN})
DISCLOSING = frozenset({Operation.SEARCH, Operation.DISCLOSE})


# A tuple, not a data class: one is made for every decision.
class Request(NamedTuple):
    """One question to the ledger and the policy. `also` names further operations that must be open as well.

    `asset` is None where a stored point is judged and no picture is at hand; `purpose` None where nothing is disclosed yet. `optouts`
    are what was seen of the asset and its page.
    """

    operation: Operation
    candidates: frozenset[Jurisdiction]
    now: datetime
    asset: Asset | None = None
    purpose: Purpose | None = None
    recipient: str = SELF
    also: tuple[Operation, ...] = ()
    optouts: tuple[SeenOptOut, ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation that is asked for."""
        return (self.operation, *self.also)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every rule that refuses, sorted; none means yes."""

    rules: tuple[RuleId, ...]

    @property
    def is_allowed(self) -> bool:
        """No rule refuses."""
        return not self.rules


class Stand(NamedTuple):
    """How a grant stands to a request. The source `rule` that names the asset and the `members` are looked for where it is live, and
    so is how the own grant of each member names it.

    `is_shown`: what names the asset needs no proof of control, or has one that counts; so it is where no asset is asked about.
    `aside`: content rights it has set aside. The rest is why it is not live, where the ledger knows that of it.
    """

    standing: Standing
    grant: GrantSnapshot | None
    rule: SourceRule | None = None
    members: tuple[Member, ...] = ()
    is_shown: bool = True
    aside: SetAside = NOTHING
    withdrawn_at: datetime | None = None
    is_readable: bool = True
    is_fixture: bool = False

    @property
    def live(self) -> GrantSnapshot | None:
        """The grant if it is live."""
        return self.grant if self.standing is _LIVE else None


def allow(grant_id: GrantId, request: Request, *, ledger: ConsentLedger, policy: Policy) -> Verdict:
    """The verdict on one grant: its standing, then its own terms, then every candidate jurisdiction's rules; so for each member.

    A joint grant opens no more than the own grant of each member does: operations, purposes, recipients, the law where she lives, and
    the pictures that her sources name, under the same proofs of control.

    Adding a candidate, a denial or a withdrawal never turns no into yes; an empty candidate set counts as unknown.
    """
    return verdict_on(stand(grant_id, request, ledger=ledger), request, policy=policy)


def stand(grant_id: GrantId, request: Request, *, ledger: ConsentLedger) -> Stand:
    """How a grant stands to a request, looked up once for the verdict and for the record of it."""
    standing, grant = ledger.standing(grant_id, request.now), ledger.grant(grant_id)
    if standing is not _LIVE or grant is None:
        return Stand(
            standing,
            grant,
            withdrawn_at=ledger.withdrawn_at(grant_id),
            is_readable=not ledger.is_denied(grant_id),
            is_fixture=grant is not None and ledger.is_fixture(grant),
        )
    asset = request.asset
    members = members_at(grant, ledger.members(grant), asset, request.now)
    if asset is None:
        return Stand(standing, grant, None, members)
    named = naming_rules(grant.sources, asset)
    is_shown, aside = have_control(named, request.now), set_aside(grant, asset, request.now)
    return Stand(standing, grant, named[0] if named else None, members, is_shown, aside)


def verdict_on(found: Stand, request: Request, *, policy: Policy) -> Verdict:
    """The verdict where the grant was looked up already."""
    grant = found.live
    if grant is None:
        return Verdict((STANDING_RULES.get(found.standing, RuleId("no_grant")),))
    refusals = {*_terms(grant, found.rule, found.is_shown, request), *_law(grant, request, policy)}
    refusals.update(optout_rules(request.optouts, found.aside))
    for member in found.members:
        # One person confirms a joint grant; it cannot give for the others more than they gave. Where they are asked is where they live.
        asked = request._replace(candidates=frozenset(residence.jurisdiction for residence in member.grant.residences))
        refusals.update(_terms(member.grant, member.rule, member.is_shown, asked), _law(member.grant, asked, policy))
    return Verdict(tuple(sorted(refusals)))


def _terms(grant: GrantSnapshot, rule: SourceRule | None, is_shown: bool, request: Request) -> Iterator[RuleId]:
    """What the grant itself withholds."""
    if any([operation not in grant.operations for operation in request.operations]):
        yield RuleId("operation_not_granted")
    if request.asset is not None and rule is None:
        yield RuleId("source_not_covered")
    elif not is_shown:
        yield CONTROL_UNPROVEN
    if request.purpose is not None and request.purpose not in grant.purposes:
        yield RuleId("purpose_not_allowed")
    if request.recipient != SELF and request.recipient not in grant.recipients:
        yield RuleId("recipient_not_listed")


def _law(grant: GrantSnapshot, request: Request, policy: Policy) -> Iterator[RuleId]:
    """What the law of each candidate place withholds."""
    operations = request.operations
    scopes = [_scope(grant, operation) for operation in operations]
    for jurisdiction in request.candidates or _NOWHERE_KNOWN:
        rules = policy.rules_for(jurisdiction)
        yield from [closed for operation in operations if (closed := rules.closed_by(operation, request.now)) is not None]
        if any([jurisdiction not in scope for scope in scopes]):
            yield RuleId("scope_not_granted")
        yield from _purposes(grant, request, rules)
        yield from form_rules(grant, jurisdiction, rules)
        yield from _clocks(grant, request.now, rules)


def _scope(grant: GrantSnapshot, operation: Operation) -> tuple[Jurisdiction, ...]:
    if operation in STORING:
        return grant.scope.store_in
    if operation in DISCLOSING:
        return grant.scope.disclose_in
    return grant.scope.collect_in


def _purposes(grant: GrantSnapshot, request: Request, rules: JurisdictionRules) -> Iterator[RuleId]:
    """CA-4 and X-9: before anything is disclosed at least one granted purpose must be allowed there."""
    wanted = (request.purpose,) if request.purpose is not None else grant.purposes
    if not rules.purposes_forbid.isdisjoint(wanted):
        yield RuleId("X-9")
    if rules.purposes_allow.isdisjoint(wanted):
        yield RuleId("CA-4")


def _clocks(grant: GrantSnapshot, now: datetime, rules: JurisdictionRules) -> Iterator[RuleId]:
    """QC-7: no consent without an end. IL-1: three years after the last interaction at most."""
    if grant.expires_at - grant.not_before > rules.consent.longest_validity:
        yield RuleId("QC-7")
    if is_over(grant, now, rules):
        yield LONG_SILENT
