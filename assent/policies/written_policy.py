"""A policy back in the form that a person writes: what an entry has from the defaults is left out; read again, it is the same policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assent.geofence.policy import SCHEMA, Policy, PolicyError
from assent.geofence.policy_document import merged, policy_from


def written_policy(policy: Policy) -> dict[str, Any]:
    """The parsed file that `policy_from` makes this policy of. Raises PolicyError when there is none."""
    document = policy.model_dump(mode="json")
    defaults, entries = document["unknown"], document["jurisdictions"]
    own: dict[str, dict[str, Any]] = {}
    # Groups first: an entry of a member is read over that of its group.
    for code in sorted(entries, key=lambda name: not entries[name]["members"]):
        group = next((own[name] for name in own if code.partition("-")[0] in entries[name]["members"]), {})
        inherited = merged(defaults, {key: value for key, value in group.items() if key != "members"})
        own[code] = _own(entries[code], inherited)
    written = {
        "schema": SCHEMA,
        "version": policy.version,
        "location": document["location"],
        "defaults": _without_nothing(defaults),
        "jurisdictions": {code: {"law": entry["law"], **own[code]} for code, entry in entries.items()},
    }
    if policy_from(written) != policy:
        raise PolicyError("this policy cannot be written as a file; it was not made of one")
    return written


def _own(entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says beside the defaults, mapping by mapping."""
    own: dict[str, Any] = {}
    for key, value in entry.items():
        base = defaults.get(key)
        if isinstance(value, Mapping) and isinstance(base, Mapping):
            deeper = _own(value, base)
            if deeper:
                own[key] = deeper
        elif value != base:
            own[key] = value
    return own


def _without_nothing(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}
