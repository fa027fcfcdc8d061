"""From evidence to the set of places a case may be in, and the rules that close them: a union, never a vote.

More evidence takes no candidate away, so a no stays a no, but for what it tells of itself:
- Where she has confirmed where she lives, readable evidence of residence or capture takes away what stood there through a hint of a country
  alone, and only where that hint names the very country in which this evidence places the picture or the person (where it names several,
  each has to hold such a place). The hint is for the whole country, the evidence is closer: a picture on .us in whose file stands Chicago
  is in Illinois, and no longer anywhere in the United States.
- Evidence that makes the place known takes UNKNOWN away, unless something unreadable put it there. Where she has confirmed where she lives,
  the place was known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind
from assent.events.grants import GrantSnapshot, Operation
from assent.geofence.evidence import AMBIGUOUS, Evidence
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction, RuleId

HINTS_OF_PEOPLE = frozenset({EvidenceKind.LANGUAGE, EvidenceKind.URL_WORDS, EvidenceKind.CAPTION, EvidenceKind.TIME_ZONE})
"""Proxy evidence: it stands for people whose place nobody knows, and adds nothing once the person herself has said where she lives."""
HINTS_OF_COUNTRIES = frozenset({EvidenceKind.COUNTRY_DOMAIN, EvidenceKind.SERVER_ADDRESS})
_PLACING = frozenset({Connector.RESIDENCE, Connector.CAPTURE})


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Every jurisdiction the case may be in, never empty, and the evidence that was looked at, in its coarse form."""

    jurisdictions: frozenset[Jurisdiction]
    used: tuple[CoarseEvidence, ...]


def candidate_set(evidence: Sequence[Evidence], *, grant: GrantSnapshot | None, policy: Policy) -> CandidateSet:
    """The union of what every counting piece of evidence names, and UNKNOWN unless residence or capture makes the place known."""
    weighed = [_weighed(item, policy) for item in evidence]
    has_residence = grant is not None and grant.confirmed_at is not None and bool(_residences(weighed))
    found: set[Jurisdiction] = set()
    for item in weighed:
        if _counts(item, policy) and _adds(item, weighed, policy, has_residence=has_residence):
            found |= _expanded(item, policy)
    if not found or not _is_known(weighed, policy):
        found.add(UNKNOWN)
    return CandidateSet(frozenset(found), tuple(item.coarse() for item in weighed))


def closed_for(jurisdictions: Iterable[Jurisdiction], operation: Operation, policy: Policy, now: datetime) -> Iterator[RuleId]:
    """The rules of those places in which no grant could open the operation."""
    for jurisdiction in jurisdictions:
        rule = policy.rules_for(jurisdiction).closed_by(operation, now)
        if rule is not None:
            yield rule


def _weighed(item: Evidence, policy: Policy) -> Evidence:
    """A server counts as much as the place it stands in says (AU-1)."""
    if item.kind is not EvidenceKind.SERVER_ADDRESS or item.is_invalid:
        return item
    weight = max(policy.rules_for(place).server_deny_weight for place in item.jurisdictions)
    return replace(item, deny_weight=max(item.deny_weight, weight))


def _counts(item: Evidence, policy: Policy) -> bool:
    """Heavy enough to close a place. What is there and cannot be read always is, of however light a kind."""
    return item.is_invalid or item.deny_weight >= policy.location.deny_threshold


def _adds(item: Evidence, evidence: Sequence[Evidence], policy: Policy, *, has_residence: bool) -> bool:
    """Whether this evidence adds its places. Unreadable evidence always does: it adds UNKNOWN."""
    if item.is_invalid or not has_residence:
        return True
    if item.kind in HINTS_OF_PEOPLE:
        return False
    if item.kind in HINTS_OF_COUNTRIES and item.deny_weight < 1.0:
        return not {_country(place) for place in item.jurisdictions} <= _placed(evidence, policy)
    return True


def _placed(evidence: Sequence[Evidence], policy: Policy) -> set[str]:
    """Countries that hold a residence or capture place. Only evidence that adds its own place may silence a hint of another."""
    placing = [item for item in evidence if item.connector in _PLACING and item.kind not in HINTS_OF_PEOPLE and _counts(item, policy)]
    return {_country(place) for item in placing for place in item.jurisdictions}


def _expanded(item: Evidence, policy: Policy) -> frozenset[Jurisdiction]:
    """A country alone stands for each of its parts that has rules of its own, and for the rest of it."""
    return item.jurisdictions.union(*(policy.subdivisions_of(place) for place in item.jurisdictions))


def _is_known(evidence: Sequence[Evidence], policy: Policy) -> bool:
    """Whether the place is known, whichever of its two meanings an ambiguous statement has."""
    return all(_is_enough(evidence, policy, ambiguous=meaning) for meaning in (Connector.SHOWN, Connector.CAPTURE))


def _is_enough(evidence: Sequence[Evidence], policy: Policy, *, ambiguous: Connector) -> bool:
    """Allowing weight over independent connectors, each counted once with its best evidence."""
    best: dict[Connector, float] = {}
    for item in evidence:
        if not item.is_invalid:
            connector = ambiguous if item.kind in AMBIGUOUS else item.connector
            best[connector] = max(best.get(connector, 0.0), item.allow_weight)
    placing = any(best.get(connector, 0.0) > 0 for connector in _PLACING)
    return placing and sum(best.values()) >= policy.location.allow_threshold - 1e-9


def _residences(evidence: Sequence[Evidence]) -> list[Evidence]:
    return [item for item in evidence if item.kind is EvidenceKind.GRANT_RESIDENCE and not item.is_invalid]


def _country(place: Jurisdiction) -> str:
    return place.partition("-")[0]
