"""The policy in force: what is open where, under which form of consent; what is not named is unknown, and unknown is closed."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import rfc8785
from pydantic import Field, StrictFloat, ValidationError, model_validator

from assent.geofence.jurisdiction_rules import Code, ConsentRules, JurisdictionRules, PolicyPart
from assent.ids import UNKNOWN, Jurisdiction

__all__ = ["ConsentRules", "JurisdictionRules", "LocationRules", "Policy", "PolicyError"]
SCHEMA = "assent.policy/1"
LOADED_AREAS = "ne10m"
"""The areas that come with the package: without a buffer for them no position can be told."""
LEAST_BUFFER_M = {LOADED_AREAS: 2_000.0, "dcw": 500.0}
"""The least buffer per dataset with which no true area was missed at 26 hard border points."""

RETIRED: dict[str, str] = {
    "connectors": "every connector counts in every place, and naming some would only loosen it; leave it out",
    "order": "an order that binds others sets no clock here; name it under law, and one that binds you under order_received",
    "withdrawal": "how fast an end works is measured and not set here, and no photo is ever asked for; leave it out",
    "published": "it published nothing; leave it out",
}
"""Keys of earlier releases that nothing read, with what to do about each in a file. In a published document they are passed over."""


class PolicyError(ValueError):
    """Raised when a policy document cannot be used. The message says which key is wrong and what to write instead."""


class LocationRules(PolicyPart):
    """How places are told: thresholds of weights in 0..1, lengths in metres. `buffer_m` is per dataset of areas."""

    deny_threshold: StrictFloat = Field(gt=0, le=0.25)
    allow_threshold: StrictFloat = Field(ge=0.7, le=1)
    gps_floor_m: StrictFloat = Field(ge=50, le=10_000)
    buffer_m: dict[str, Annotated[StrictFloat, Field(ge=0, le=100_000)]]

    @model_validator(mode="after")
    def _is_wide_enough(self) -> Self:
        for dataset, least_m in LEAST_BUFFER_M.items():
            if self.buffer_m.get(dataset, least_m) < least_m:
                raise ValueError(f"buffer_m.{dataset}: true areas are missed at borders below {least_m:.0f} metres; write at least that")
        return self

    def buffer_of(self, dataset: str) -> float:
        """The buffer round borders for a dataset, by the part of its name before the first hyphen."""
        found = self.buffer_m.get(dataset.partition("-")[0])
        if found is None:
            raise PolicyError(f"location.buffer_m names no buffer for the areas {dataset}; add one")
        return found


class Policy(PolicyPart):
    """The whole document, every entry merged with the defaults, so that a reader need not merge again."""

    schema_name: Literal["assent.policy/1"] = Field(default="assent.policy/1", alias="schema")
    version: str = Field(min_length=1, max_length=60)
    location: LocationRules
    jurisdictions: dict[Code, JurisdictionRules]
    unknown: JurisdictionRules

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.unknown.with_grant:
            raise ValueError("unknown.with_grant: a place that nobody knows is never opened; leave it empty")
        names = [member for rules in self.jurisdictions.values() for member in rules.members]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"members: {', '.join(repeated)} stands in two groups; name it in one")
        return self

    @classmethod
    def from_canonical_json(cls, document: str) -> Policy:
        """The policy of a published document, also one of an earlier release. Raises PolicyError."""
        try:
            return cls.model_validate(_without_retired(json.loads(document)))
        except ValidationError as error:
            raise PolicyError(first_fault(error)) from error
        except (ValueError, RecursionError) as error:
            raise PolicyError("policy: the document is no JSON") from error

    def canonical_json(self) -> str:
        """The text that is signed (RFC 8785)."""
        return rfc8785.dumps(self.model_dump(mode="json", by_alias=True)).decode()

    def entry_for(self, jurisdiction: Jurisdiction) -> Jurisdiction:
        """The name of the entry that governs a place: its own, else its country's, else its group's, else `UNKNOWN`."""
        if jurisdiction == UNKNOWN:
            return UNKNOWN
        country = Jurisdiction(jurisdiction.partition("-")[0])
        for name in (jurisdiction, country, self._groups.get(country)):
            if name is not None and name in self.jurisdictions:
                return name
        return UNKNOWN

    def rules_for(self, jurisdiction: Jurisdiction) -> JurisdictionRules:
        """The entry of the subdivision, else of its country, else of the group the country is in, else of the unknown."""
        own = self.jurisdictions.get(jurisdiction)
        return own if own is not None else self.jurisdictions.get(self.entry_for(jurisdiction), self.unknown)

    def subdivisions_of(self, country: Jurisdiction) -> frozenset[Jurisdiction]:
        """The parts of a country, and the members of a group with their parts, that have an entry of their own."""
        group = self.jurisdictions.get(country)
        within = {country, *(group.members if group is not None else ())}
        return frozenset(name for place in within for name in self._of_country.get(place, ()) if name != country)

    @cached_property
    def named_places(self) -> frozenset[str]:
        """Entries, members of groups, the countries of both, and UNKNOWN."""
        named = {place for code, rules in self.jurisdictions.items() for place in (code, *rules.members)}
        return frozenset({UNKNOWN, *named, *(place.partition("-")[0] for place in named)})

    @cached_property
    def named_rules(self) -> frozenset[str]:
        """Every rule that keeps something closed here."""
        entries = (*self.jurisdictions.values(), self.unknown)
        filings = {filing.rule for rules in entries for filing in rules.filings.values()}
        return frozenset({*filings, *(rules.rule for rules in entries), *(rules.clients_rule for rules in entries)})

    @cached_property
    def _of_country(self) -> dict[str, list[Jurisdiction]]:
        """The entries by country. Asked for each piece of evidence, and of two policies a thousand times for each entry."""
        found: dict[str, list[Jurisdiction]] = {}
        for name in self.jurisdictions:
            found.setdefault(name.partition("-")[0], []).append(name)
        return found

    @cached_property
    def _groups(self) -> dict[Jurisdiction, Jurisdiction]:
        return {member: group for group, rules in self.jurisdictions.items() for member in rules.members}


def _without_retired(document: Any) -> Any:
    """A published document without the keys that no decision ever read. Other names, such as those of filings, are let be."""
    if not isinstance(document, dict) or not isinstance(document.get("jurisdictions"), dict):
        return document
    entries = {code: _entry_without(entry) for code, entry in document["jurisdictions"].items()}
    return {**document, "jurisdictions": entries, "unknown": _entry_without(document.get("unknown"))}


def _entry_without(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    left = {key: value for key, value in entry.items() if key not in RETIRED}
    retention = left.get("retention")
    if isinstance(retention, dict):
        left["retention"] = {key: value for key, value in retention.items() if key not in RETIRED}
    return left


def first_fault(error: ValidationError) -> str:
    """The first fault of a document: its key and what is wrong there."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"]) or "policy"
    return f"{where}: {fault['msg']}"
