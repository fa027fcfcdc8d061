"""What a policy allows that another does not, found by asking the product's own decisions case by case; the text is never judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from assent.consent.decision import DISCLOSING, Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.evidence import EvidenceKind
from assent.events.grants import Operation
from assent.geofence.caller import client_gate
from assent.geofence.decision import candidate_set
from assent.geofence.evidence import stated
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS, JurisdictionRules
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from assent.policies.grant_forms import GRANT, GrantForm, forms_for_two, fullest_forms, strictest_forms, weaker_forms
from assent.policies.openness import Openness, operation_states
from assent.policies.ordered_keys import Direction, changes_of_location, changes_of_rules

CALLER_BASIS = "gallery"
"""Any basis but `self`, which no policy closes."""
UNLISTED = "-00"
"""Behind the code of a country, and in no policy: it stands for every part of the country that has no entry."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No clock of a machine is before this."""


@dataclass(frozen=True, slots=True)
class Change:
    """Cases that one policy allows and the other refuses. `rules` refused them; `example` is one of them in words.

    `since` is the first moment at which it shows, None where it is so already. `operations` is empty for a key that is ordered.
    """

    is_wider: bool
    operations: tuple[str, ...]
    rules: tuple[RuleId, ...]
    example: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlaceDifference:
    """Places that change alike. `before` and `after` name the entries that govern them, `places` all of them."""

    places: tuple[Jurisdiction, ...]
    before: Jurisdiction
    after: Jurisdiction
    changes: tuple[Change, ...]

    @property
    def direction(self) -> Direction:
        """Over all changes of these places."""
        return Direction.of(widens=any(item.is_wider for item in self.changes), narrows=any(not item.is_wider for item in self.changes))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every place whose entry differs, and how places are told."""

    places: tuple[PlaceDifference, ...]
    location: tuple[Change, ...]

    @property
    def is_wider(self) -> bool:
        """Something is allowed that was not, anywhere, now or later."""
        return any(change.is_wider for change in self.changes)

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them."""
        return (*self.location, *(change for place in self.places for change in place.changes))


def compare(before: Policy, after: Policy, *, places: Iterable[Jurisdiction], now: datetime) -> Comparison:
    """What `after` decides differently, everywhere. `places` only name what is told: those of the map, or none."""
    moments = _moments(before, after, now)
    location = tuple(
        Change(item.is_wider, (), (), f"{item.key} from {item.before} to {item.after}")
        for item in changes_of_location(before.location, after.location)
    )
    return Comparison(tuple(_differences(before, after, places, moments)), location)


def changes_at(place: Jurisdiction, before: Policy, after: Policy, moments: Sequence[datetime]) -> tuple[Change, ...]:
    """What changes for one place; the first of `moments` is now."""
    found = [*_offers(place, before, after, moments), *_grants(place, before, after, moments)]
    is_open = any(state.openness is not Openness.CLOSED for at in moments for state in operation_states([after.rules_for(place)], at))
    ordered = [
        Change(item.is_wider, (), (), f"{item.key} from {item.before} to {item.after}")
        for item in changes_of_rules(before.rules_for(place), after.rules_for(place))
        if is_open or not item.needs_open
    ]
    return (*_joined(found), *ordered)


def moments_of(rules: Iterable[JurisdictionRules], now: datetime) -> tuple[datetime, ...]:
    """Now, every moment at which a filing or an order opens or closes something, and the day before the first; after the last nothing
    changes.

    Moments that are past by this clock as well: a clock that runs ahead must not hide that a place opens sooner.
    """
    points = sorted({max(moment, EARLIEST) for entry in rules for moment in _turning_points(entry)})
    return (now, *(first - timedelta(days=1) for first in points[:1]), *points)


def _turning_points(rules: JurisdictionRules) -> Iterator[datetime]:
    days = [filing.counts_from for filing in rules.filings.values()]
    order = rules.order_received
    if order is not None:
        yield from order.ends().values()
        days.append(order.met_on)
    yield from (datetime.combine(day, time(), UTC) for day in days if day is not None)


def _moments(before: Policy, after: Policy, now: datetime) -> tuple[datetime, ...]:
    return moments_of([*before.jurisdictions.values(), *after.jurisdictions.values()], now)


def _differences(before: Policy, after: Policy, places: Iterable[Jurisdiction], moments: Sequence[datetime]) -> Iterator[PlaceDifference]:
    """Places with the same entries and the same parts are decided alike, so one of them is asked for all."""
    alike: dict[tuple[object, ...], list[Jurisdiction]] = {}
    known = {*places, *_named(before), *_named(after), UNKNOWN}
    for place in sorted(known | {Jurisdiction(f"{country}{UNLISTED}") for country in known if "-" not in country}):
        key = (before.entry_for(place), after.entry_for(place), before.subdivisions_of(place), after.subdivisions_of(place))
        alike.setdefault(key, []).append(place)
    governed: dict[tuple[Jurisdiction, Jurisdiction], tuple[set[Jurisdiction], list[Change]]] = {}
    for group in alike.values():
        one = group[0]
        differs = before.rules_for(one) != after.rules_for(one)
        if differs or _part_rules(one, before) != _part_rules(one, after):
            changes = changes_at(one, before, after, moments)
            if differs or changes:
                named, all_changes = governed.setdefault((before.entry_for(one), after.entry_for(one)), (set(), []))
                named.update(place for place in group if place in known)
                all_changes += changes
    for (old, new), (named, all_changes) in governed.items():
        yield PlaceDifference(tuple(sorted(named)), old, new, tuple(dict.fromkeys(all_changes)))


def _part_rules(place: Jurisdiction, policy: Policy) -> dict[Jurisdiction, JurisdictionRules]:
    return {part: policy.rules_for(part) for part in policy.subdivisions_of(place)}


def _named(policy: Policy) -> Iterator[Jurisdiction]:
    for name, rules in policy.jurisdictions.items():
        yield name
        yield from rules.members


def _offers(place: Jurisdiction, before: Policy, after: Policy, moments: Sequence[datetime]) -> Iterator[Change]:
    for at in moments:
        old, new = (client_gate([place], basis=CALLER_BASIS, policy=policy, now=at) for policy in (before, after))
        since = None if at is moments[0] else at
        if old is not None and new is None:
            yield Change(True, (SERVE_CLIENTS,), (old,), "callers there are served", since)
        if old is None and new is not None:
            yield Change(False, (SERVE_CLIENTS,), (new,), "callers there are served", since)


def _grants(place: Jurisdiction, before: Policy, after: Policy, moments: Sequence[datetime]) -> Iterator[Change]:
    """Every form of a yes at each moment at which the closed operations differ.

    It is given for this place with the parts that one of the policies names: what such a grant does not open, none does that is
    given for fewer parts, and what it opens, one for more parts opens as well.
    """
    reaches = [frozenset({place, *policy.subdivisions_of(place)}) for policy in (before, after)]
    everywhere = frozenset().union(*reaches)
    seen: set[tuple[RuleId | None, ...]] = set()
    for at in moments:
        closed = tuple(
            policy.rules_for(part).closed_by(operation, at)
            for policy in (before, after)
            for part in sorted(everywhere)
            for operation in Operation
        )
        if closed in seen:
            continue
        seen.add(closed)
        since = None if at is moments[0] else at
        for reach in dict.fromkeys(reaches):
            words = "" if reach == everywhere else f", given for {', '.join(sorted(reach))} alone"
            for operation in Operation:
                yield from _refused_by_one(_Question(place, reach, operation, at, words), before, after, since)


@dataclass(frozen=True, slots=True)
class _Question:
    """May this be done at this time under a grant of a resident of `place` that was given for every place in `reach`?

    `words` tell the reach to people where it is not everywhere.
    """

    place: Jurisdiction
    reach: frozenset[Jurisdiction]
    operation: Operation
    at: datetime
    words: str

    def refusals(self, form: GrantForm, policy: Policy) -> tuple[RuleId, ...]:
        """As geofence and consent decide about a photo that was taken where she lives; none means yes."""
        grant = form.grant(home=self.place, reach=self.reach, at=self.at)
        known = frozenset({self.place})
        evidence = [stated(EvidenceKind.GRANT_RESIDENCE, known), stated(EvidenceKind.SIGNED_GPS, known)]
        candidates = candidate_set(evidence, grant=grant, policy=policy).jurisdictions
        ledger = ConsentLedger()
        ledger.apply_grant(grant)
        # What is disclosed is disclosed for one purpose; until then all purposes of a grant are looked at.
        purpose = form.purpose if self.operation in DISCLOSING else None
        return allow(GRANT, Request(self.operation, candidates, self.at, purpose=purpose), ledger=ledger, policy=policy).rules


def _refused_by_one(question: _Question, before: Policy, after: Policy, since: datetime | None) -> Iterator[Change]:
    """The strictest forms first; then what one of them that passes may leave out or be for beside, for each policy that lets one pass;
    and where the policies name other parts, the one grant that passes for all of them if any does.
    """
    needs = [policy.rules_for(question.place).consent for policy in (before, after)]
    strictest = [(form, question.refusals(form, before), question.refusals(form, after)) for form in strictest_forms(needs)]
    passing = [next((form for form, *refused in strictest if not refused[side]), None) for side in (0, 1)]
    weaker = [
        (form, question.refusals(form, before), question.refusals(form, after))
        for base in dict.fromkeys(form for form in passing if form is not None)
        for form in (*weaker_forms(base, needs), *forms_for_two(base))
    ]
    # Which parts a grant has to name is another question than what each of them asks for.
    asking = [{place: policy.rules_for(place) for place in sorted(question.reach)} for policy in (before, after)]
    is_other_reach = before.subdivisions_of(question.place) != after.subdivisions_of(question.place)
    fullest = [
        (form, question.refusals(form, before), question.refusals(form, after))
        for form in (dict.fromkeys(form for side in asking for form in fullest_forms(side)) if is_other_reach else ())
    ]
    for form, old, new in (*strictest, *weaker, *fullest):
        if old and not new:
            yield Change(True, (question.operation.value,), old, f"{form.words}{question.words}", since)
        if new and not old:
            yield Change(False, (question.operation.value,), new, f"{form.words}{question.words}", since)


def _joined(found: Iterable[Change]) -> list[Change]:
    """One change per set of rules and first moment, with all operations; the example is the first, which is the strictest form."""
    first: dict[tuple[bool, tuple[RuleId, ...], str], Change] = {}
    for change in found:
        first.setdefault((change.is_wider, change.rules, change.operations[0]), change)
    by_moment: dict[tuple[bool, tuple[RuleId, ...], datetime | None], list[Change]] = {}
    for change in first.values():
        by_moment.setdefault((change.is_wider, change.rules, change.since), []).append(change)
    joined = [
        Change(is_wider, tuple(change.operations[0] for change in same), rules, same[0].example, since)
        for (is_wider, rules, since), same in by_moment.items()
    ]
    return [change for change in joined if not any(_says_more(other, change) for other in joined)]


def _says_more(one: Change, other: Change) -> bool:
    """What was refused by fewer rules for the same operations at the same time tells it all."""
    return (
        (one.is_wider, one.since) == (other.is_wider, other.since)
        and set(one.rules) < set(other.rules)
        and set(one.operations) >= set(other.operations)
    )
