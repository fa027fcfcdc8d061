"""Grants minus withdrawals: a fold that order and repetition of events cannot change; it never revives a grant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from assent.consent.asset import Asset
from assent.consent.source_rules import SourceKey, asset_keys, rule_key
from assent.events.grants import BindingMode, GrantSnapshot, GrantState, GrantWithdrawn
from assent.ids import GrantId, SubjectId

LIVE_STATES = frozenset({GrantState.GIVEN, GrantState.RENEWED})
FIXTURE_EVIDENCE = "demo_fixture"


class Standing(StrEnum):
    """How the ledger sees one grant id."""

    UNKNOWN = "unknown"
    LIVE = "live"
    NOT_LIVE = "not_live"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    DENIED = "denied"
    FIXTURE = "fixture"


# Looking a member up on its enumeration takes 0.3 us in Python 3.11, ten times what comparing it takes.
_LIVE, _JOINT = Standing.LIVE, BindingMode.JOINT


class ConsentLedger:
    """Every grant and withdrawal that was read, whole in memory.

    `accepts_fixtures` is set by the demo alone; elsewhere a grant whose evidence is a fixture is never live.
    """

    def __init__(self, *, accepts_fixtures: bool = False) -> None:
        self._grants: dict[GrantId, GrantSnapshot] = {}
        self._withdrawn: dict[GrantId, datetime] = {}
        self._denied: set[GrantId] = set()
        self._seen: dict[GrantId, dict[int, int]] = {}
        self._by_source: dict[SourceKey, set[GrantId]] = {}
        self._by_subject: dict[SubjectId, set[GrantId]] = {}
        self.accepts_fixtures = accepts_fixtures

    def __len__(self) -> int:
        return len(self._grants)

    def apply_grant(self, grant: GrantSnapshot) -> None:
        """Take a snapshot. The highest revision wins; two different snapshots of one revision deny the grant."""
        # A superseded revision still counts: else two snapshots of it would deny before the next one was read, and not after.
        digest = hash(grant)
        if self._seen.setdefault(grant.grant_id, {}).setdefault(grant.revision, digest) != digest:
            self._denied.add(grant.grant_id)
        held = self._grants.get(grant.grant_id)
        if held is not None and held.revision >= grant.revision:
            return
        if held is not None:
            self._forget_sources(held)
        self._grants[grant.grant_id] = grant
        for rule in grant.sources:
            self._by_source.setdefault(rule_key(rule), set()).add(grant.grant_id)
        self._by_subject.setdefault(grant.subject_id, set()).add(grant.grant_id)

    def apply_withdrawal(self, withdrawal: GrantWithdrawn) -> None:
        """Take a withdrawal: absorbing, whatever comes before or after."""
        earlier = self._withdrawn.get(withdrawal.grant_id)
        if earlier is None or withdrawal.withdrawn_at < earlier:
            self._withdrawn[withdrawal.grant_id] = withdrawal.withdrawn_at

    def deny(self, grant_id: GrantId) -> None:
        """A record about this grant could not be read: it stays denied in this process until the ledger is rebuilt."""
        self._denied.add(grant_id)

    def grant(self, grant_id: GrantId) -> GrantSnapshot | None:
        """The highest snapshot read, live or not."""
        return self._grants.get(grant_id)

    def withdrawn_at(self, grant_id: GrantId) -> datetime | None:
        """When the grant was withdrawn, if a withdrawal was read."""
        return self._withdrawn.get(grant_id)

    def is_denied(self, grant_id: GrantId) -> bool:
        """A record about this grant could not be read, or two of one revision differ."""
        return grant_id in self._denied

    def is_fixture(self, grant: GrantSnapshot) -> bool:
        """Its evidence is one of the demonstration, which counts for nothing here."""
        return FIXTURE_EVIDENCE in grant.evidence_kinds and not self.accepts_fixtures

    def ended_at(self, grant_id: GrantId) -> datetime | None:
        """When the grant was withdrawn or its time ran out, or None where no end is known."""
        withdrawn = self._withdrawn.get(grant_id)
        grant = self._grants.get(grant_id)
        expires = grant.expires_at if grant is not None else None
        return min((moment for moment in (withdrawn, expires) if moment is not None), default=None)

    def standing(self, grant_id: GrantId, now: datetime) -> Standing:
        """How this grant stands at `now`; a joint grant stands only while every member does."""
        if grant_id in self._withdrawn:
            return Standing.WITHDRAWN
        if grant_id in self._denied:
            return Standing.DENIED
        grant = self._grants.get(grant_id)
        if grant is None:
            return Standing.UNKNOWN
        if grant.state not in LIVE_STATES or grant.confirmed_at is None or now < grant.not_before:
            return Standing.NOT_LIVE
        if now >= grant.expires_at:
            return Standing.EXPIRED
        if self.is_fixture(grant):
            return Standing.FIXTURE
        return self._joint_standing(grant, now)

    def live(self, grant_id: GrantId, now: datetime) -> GrantSnapshot | None:
        """The grant if it is live at `now`."""
        return self._grants[grant_id] if self.standing(grant_id, now) is _LIVE else None

    def covering(self, asset: Asset) -> list[GrantSnapshot]:
        """Grants whose sources name the asset, live or not, by grant id; an empty list is a refusal."""
        found: set[GrantId] = set()
        for key in asset_keys(asset):
            found |= self._by_source.get(key, set())
        return [self._grants[grant_id] for grant_id in sorted(found)]

    def members(self, grant: GrantSnapshot) -> list[GrantSnapshot]:
        """The member grants of a joint grant, live or not; none where one of them was never read."""
        named = grant.binding.member_grants
        found = [self._grants[member] for member in named if member in self._grants]
        return found if len(found) == len(named) else []

    def grants_of(self, subject_id: SubjectId) -> list[GrantSnapshot]:
        """Every grant of one subject, live or not, by grant id."""
        return [self._grants[grant_id] for grant_id in sorted(self._by_subject.get(subject_id, set()))]

    def __iter__(self) -> Iterator[GrantSnapshot]:
        return iter(list(self._grants.values()))

    def _joint_standing(self, grant: GrantSnapshot, now: datetime) -> Standing:
        if grant.binding.mode is not _JOINT:
            return _LIVE
        members = self.members(grant)
        if not members or any(member.binding.mode is _JOINT for member in members):
            return Standing.NOT_LIVE
        people = {member.subject_id for member in members}
        # As many faces are kept as there are members: one person named twice would make room for a stranger. And whoever holds
        # the joint grant is told of its faces as of her own.
        if len(people) < len(members) or grant.subject_id not in people:
            return Standing.NOT_LIVE
        stand = all(self.standing(member.grant_id, now) is _LIVE for member in members)
        return _LIVE if stand else Standing.NOT_LIVE

    def _forget_sources(self, grant: GrantSnapshot) -> None:
        for rule in grant.sources:
            key = rule_key(rule)
            named = self._by_source.get(key)
            if named is not None:
                named.discard(grant.grant_id)
                if not named:
                    del self._by_source[key]
