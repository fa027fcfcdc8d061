"""Keys of which more is wider, or less: how long things are kept and how places are told, beside what a grant opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assent.geofence.jurisdiction_rules import JurisdictionRules
from assent.geofence.policy import LocationRules


class Direction(StrEnum):
    """What a change does: something is allowed that was not, something is refused that was not, both, or only the text differs."""

    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "wider and narrower"
    DIFFERENT = "different"

    @classmethod
    def of(cls, *, widens: bool, narrows: bool) -> Direction:
        """From what was found."""
        if widens and narrows:
            return cls.BOTH
        return cls.WIDER if widens else cls.NARROWER if narrows else cls.DIFFERENT


MORE_IS_WIDER = frozenset(
    {
        "retention.max_days",
        "retention.after_purpose_days",
        "bystanders",
        "probe",
        "location.deny_threshold",
    }
)
"""Of every other key here, less is wider: a lower age, a lighter server, a smaller circle."""

NEEDS_OPEN = frozenset({"consent.age_min", "bystanders", "probe"})
"""These say something only where a grant can open anything."""

_WORDS = {"bystanders": ("drop_image", "region_only"), "probe": ("self_only", "self_or_grant")}
"""The words of a key, from narrow to wide."""


@dataclass(frozen=True, slots=True)
class OrderedChange:
    """One such key whose value moved."""

    key: str
    before: str
    after: str
    is_wider: bool

    @property
    def needs_open(self) -> bool:
        """It decides nothing where everything is closed."""
        return self.key in NEEDS_OPEN


def changes_of_rules(before: JurisdictionRules, after: JurisdictionRules) -> Iterator[OrderedChange]:
    """The ordered keys of an entry that moved."""
    yield from _moved(_values_of_rules(before), _values_of_rules(after))


def changes_of_location(before: LocationRules, after: LocationRules) -> Iterator[OrderedChange]:
    """How places are told: what makes a circle smaller or a place sooner known is wider."""
    yield from _moved(_values_of_location(before), _values_of_location(after))


def _moved(before: dict[str, float], after: dict[str, float]) -> Iterator[OrderedChange]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if old is None or new is None:
            # Without a buffer for the areas nothing is decided at all.
            yield OrderedChange(key, _told(key, old), _told(key, new), is_wider=new is not None)
        else:
            yield OrderedChange(key, _told(key, old), _told(key, new), is_wider=(new > old) == (key in MORE_IS_WIDER))


def _values_of_rules(rules: JurisdictionRules) -> dict[str, float]:
    retention = rules.retention
    return {
        "retention.max_days": retention.max_days,
        "retention.after_purpose_days": retention.after_purpose_days,
        "bystanders": _WORDS["bystanders"].index(rules.bystanders),
        "probe": _WORDS["probe"].index(rules.probe),
        "consent.age_min": rules.consent.age_min,
        "server_deny_weight": rules.server_deny_weight,
    }


def _values_of_location(location: LocationRules) -> dict[str, float]:
    return {
        "location.deny_threshold": location.deny_threshold,
        "location.allow_threshold": location.allow_threshold,
        "location.gps_floor_m": location.gps_floor_m,
        **{f"location.buffer_m.{dataset}": metres for dataset, metres in location.buffer_m.items()},
    }


def _told(key: str, value: float | None) -> str:
    if value is None:
        return "none"
    return _WORDS[key][int(value)] if key in _WORDS else f"{value:g}"
