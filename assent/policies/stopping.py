"""A policy with a place, or every place, stopped as an order asks; it only takes away, and what is stopped twice is stopped once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from assent.geofence.jurisdiction_rules import OperationName
from assent.geofence.policy import Policy, first_fault
from assent.ids import UNKNOWN, Jurisdiction

ALL_OPERATIONS: tuple[OperationName, ...] = ("collect", "embed", "store", "search", "disclose", "serve_clients")
"""What is stopped where nothing else is said: an order to stop means offering, collecting, using and disclosing."""
MARK = "-stop."
"""In the version of a policy with something stopped in it, and of no file: who took such a version first would keep a stop off the log."""
_MOST_CHARS = 60


class StopError(ValueError):
    """Raised when a place cannot be stopped so. The message says why."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What an order stops, and the order in its own words. No `place` is every place."""

    place: Jurisdiction | None
    operations: tuple[str, ...]
    because: str

    def stops(self, policy: Policy) -> bool:
        """Something is open in this policy, by now or on a day to come, that this stops."""
        return any(True for _ in _struck(policy, self))


def stopped(policy: Policy, stops: Iterable[Stop]) -> Policy:
    """The policy with all of these, under a version of its own; the policy itself where they find nothing open.

    A country takes its parts along and a group its members, because an order names whom it binds and not the entries of a file. A
    place that another's entry governs gets its own. Raises StopError.
    """
    found = policy
    for stop in stops:
        found = _with(found, stop)
    if found is policy:
        return policy
    document = found.model_dump(by_alias=True)
    digest = hashlib.sha256(found.canonical_json().encode()).hexdigest()[:12]
    base = policy.version.partition(MARK)[0][: _MOST_CHARS - len(MARK) - len(digest)]
    return Policy.model_validate({**document, "version": f"{base}{MARK}{digest}"})


def stays_closed(version: str) -> str:
    """What whoever put a file in place has to know of the policy that came of it; nothing where nothing was left out."""
    return "; what was stopped stays closed, whatever the file says" if MARK in version else ""


def check_stoppable(place: Jurisdiction) -> None:
    """Raise StopError for what is no place that could be open."""
    if place == UNKNOWN:
        raise StopError(f"{UNKNOWN} is never open: it stands for everybody whose place nobody can tell")


def _with(policy: Policy, stop: Stop) -> Policy:
    struck = dict(_struck(policy, stop))
    if not struck:
        return policy
    document = policy.model_dump(by_alias=True)
    entries = {**document["jurisdictions"], **struck}
    try:
        stop.because.encode()
        return Policy.model_validate({**document, "jurisdictions": entries})
    except UnicodeEncodeError as error:
        raise StopError("the order has half a character in it, which cannot be signed; write it in UTF-8") from error
    except ValidationError as error:
        raise StopError(first_fault(error)) from error


def _struck(policy: Policy, stop: Stop) -> Iterator[tuple[Jurisdiction, dict[str, Any]]]:
    """Every entry that opens what is stopped, without it and with the order among its laws."""
    for place in sorted(_places(policy, stop.place)):
        rules = policy.rules_for(place)
        left = [name for name in rules.with_grant if name not in stop.operations]
        if len(left) == len(rules.with_grant):
            continue
        entry = rules.model_dump()
        entry["members"] = list(rules.members) if policy.entry_for(place) == place else []
        entry["with_grant"] = left
        entry["law"] = [*rules.law, *([stop.because] if stop.because not in rules.law else [])]
        yield place, entry


def _places(policy: Policy, place: Jurisdiction | None) -> frozenset[Jurisdiction]:
    if place is None:
        return frozenset(policy.jurisdictions)
    check_stoppable(place)
    found, new = frozenset[Jurisdiction](), frozenset({place})
    # No file has a group within a group, but a policy that an earlier release published may.
    while new:
        found |= new
        new = frozenset[Jurisdiction]().union(*map(policy.subdivisions_of, new)) - found
    return found
