"""The keys in which two entries differ, each with what it does alone: the entry with this one key changed is put to the same decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assent.geofence.jurisdiction_rules import JurisdictionRules
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from assent.policies.comparison import changes_at, moments_of
from assent.policies.ordered_keys import Direction

_SOMEWHERE = Jurisdiction("ZZ")


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key as a path of names; a value is None where the key is absent. `alone` is what this key does if no other changes."""

    key: str
    before: Any
    after: Any
    alone: Direction


def key_changes(before: JurisdictionRules, after: JurisdictionRules, *, policy: Policy, now: datetime) -> tuple[KeyChange, ...]:
    """Every key that differs, in order. `policy` gives what an entry stands in; its own entries are not looked at."""
    old, new = (entry.model_dump(mode="json", exclude_none=True) for entry in (before, after))
    moments = moments_of((before, after), now)
    return tuple(
        KeyChange(".".join(path), _at(old, path), _at(new, path), _alone(before, _with(old, new, path), policy, moments))
        for path in _differing(old, new)
    )


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differing(one, other, (*above, name))
        elif one != other:
            yield (*above, name)


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at `path`; all of its names but the last stand in both documents."""
    found: Any = document
    for name in path:
        found = found.get(name)
    return found


def _with(old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """`old` with what stands at `path` in `new`."""
    name, *rest = path
    if rest:
        return {**old, name: _with(old[name], new[name], tuple(rest))}
    if name in new:
        return {**old, name: new[name]}
    return {key: value for key, value in old.items() if key != name}


def _alone(before: JurisdictionRules, changed: Mapping[str, Any], policy: Policy, moments: tuple[datetime, ...]) -> Direction:
    after = JurisdictionRules.model_validate(changed)
    old, new = (
        Policy(version=policy.version, location=policy.location, jurisdictions={_SOMEWHERE: rules}, unknown=policy.unknown)
        for rules in (before, after)
    )
    found = changes_at(_SOMEWHERE, old, new, moments)
    return Direction.of(widens=any(change.is_wider for change in found), narrows=any(not change.is_wider for change in found))
