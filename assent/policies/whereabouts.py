"""Which places a position may be in and what is open there, step by step as the geofence takes them; nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assent.events.evidence import EvidenceKind
from assent.geofence.decision import candidate_set
from assent.geofence.point import Areas, Point, point_evidence
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction
from assent.policies.openness import OperationState, operation_states

KIND = EvidenceKind.EXIF_GPS
"""A position is judged as one that stands in a photo."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place that counts, the entry of the policy that governs it, and what that entry leaves open."""

    jurisdiction: Jurisdiction
    entry: Jurisdiction
    law: tuple[str, ...]
    operations: tuple[OperationState, ...]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """`hit` what the map says of the bare point, `within` what the whole circle touches; lengths in metres.

    `candidates` are those of a position beside a confirmed residence. `needs_residence`: the position alone leaves UNKNOWN beside them.
    """

    hit: tuple[Jurisdiction, ...]
    within: tuple[Jurisdiction, ...]
    accuracy_m: float
    buffer_m: float
    candidates: tuple[Candidate, ...]
    together: tuple[OperationState, ...]
    needs_residence: bool

    @property
    def radius_m(self) -> float:
        """Of the circle that is looked up."""
        return self.accuracy_m + self.buffer_m

    @property
    def is_unknown(self) -> bool:
        """Nobody can say where it is: no area is touched, or one that states dispute."""
        return any(candidate.jurisdiction == UNKNOWN for candidate in self.candidates)


def whereabouts(point: Point, *, areas: Areas, policy: Policy, now: datetime) -> Whereabouts:
    """Where the point may be. Raises ValueError for one that is no position, PolicyError where the policy has no buffer for the areas."""
    accuracy_m = max(point.accuracy_m, policy.location.gps_floor_m)
    buffer_m = policy.location.buffer_of(areas.version)
    within = areas.at(point.latitude, point.longitude, accuracy_m + buffer_m)
    evidence = point_evidence(KIND, point, areas=areas, location=policy.location)
    alone = candidate_set([evidence], grant=None, policy=policy).jurisdictions
    # A position says where a photo was taken and not who is in it; it may be among the candidates, and alone it is not enough.
    placed = alone if UNKNOWN in evidence.jurisdictions else alone - {UNKNOWN}
    entries = [policy.rules_for(place) for place in placed]
    return Whereabouts(
        hit=tuple(sorted(areas.at(point.latitude, point.longitude, 0))),
        within=tuple(sorted(within)),
        accuracy_m=accuracy_m,
        buffer_m=buffer_m,
        candidates=candidates_of(placed, policy=policy, now=now),
        together=operation_states(entries, now),
        needs_residence=placed != alone,
    )


def candidates_of(places: frozenset[Jurisdiction], *, policy: Policy, now: datetime) -> tuple[Candidate, ...]:
    """Each of the places with its entry and what that leaves open, by name."""
    return tuple(_candidate(place, policy, now) for place in sorted(places))


def _candidate(place: Jurisdiction, policy: Policy, now: datetime) -> Candidate:
    rules = policy.rules_for(place)
    return Candidate(place, policy.entry_for(place), rules.law, operation_states([rules], now))
