"""`assent policy diff`: what a policy decides differently from another, place by place and key by key; it exits like diff."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from assent.cli.command import ExitCode
from assent.deciding.rule_texts import rule_text
from assent.geofence.areas import AreaIndex
from assent.geofence.policy import Policy
from assent.policies.comparison import Change, Comparison, PlaceDifference, compare
from assent.policies.key_changes import KeyChange, key_changes
from embedded.known_policy import KnownPolicy, policy_in_file, published_policy
from embedded.policy_show import policy_document, policy_lines

PUBLISHED = "published"
HELD = "How many stored vectors it leaves out is not counted: the store belongs to the processes that run."


def run_diff(arguments: argparse.Namespace) -> int:
    """Print the differences; 0 for none, 1 for some."""
    old, new = (_named(name, arguments) for name in (arguments.old, arguments.new))
    now = datetime.now(UTC)
    found = compare(old.policy, new.policy, places=AreaIndex.load().codes, now=now)
    if arguments.json:
        print(json.dumps(difference_document(old, new, found, now), indent=2))
    else:
        print("\n".join(difference_lines(old, new, found, now)))
    return ExitCode.DONE if is_same(old.policy, new.policy) else ExitCode.NO


def is_same(old: Policy, new: Policy) -> bool:
    """Nothing but the version differs."""
    return old == new.model_copy(update={"version": old.version})


def difference_lines(old: KnownPolicy, new: KnownPolicy, found: Comparison, now: datetime) -> list[str]:
    """Both policies, then every place that differs, then the sum."""
    lines = [f"--- {policy_lines(old)[0].removeprefix('policy  ')}", f"+++ {policy_lines(new)[0].removeprefix('policy  ')}"]
    if is_same(old.policy, new.policy):
        versions = (
            "" if old.policy.version == new.policy.version else f", but for the version {old.policy.version} and {new.policy.version}"
        )
        return [*lines, f"the same{versions}"]
    if found.location:
        lines += ["", "how places are told", *(f"  {_change_words(change)}" for change in found.location)]
    for place in found.places:
        lines += ["", *_place_lines(place, old.policy, new.policy, now)]
    narrows = any(not change.is_wider for change in found.changes)
    return [*lines, "", sum_line(found), *([HELD] if narrows else [])]


def sum_line(found: Comparison) -> str:
    """What it comes to, and who may publish it."""
    if found.is_wider:
        wider = [_name(place) for place in found.places if any(change.is_wider for change in place.changes)]
        where = [*(["how places are told"] if any(change.is_wider for change in found.location) else []), *wider]
        return f"WIDER: {', '.join(where)}. Something is allowed that was not; two people have to sign it."
    return "Not wider: nothing is allowed that was not; no second person is needed."


def _named(name: str, arguments: argparse.Namespace) -> KnownPolicy:
    return published_policy(arguments) if name == PUBLISHED else policy_in_file(name)


def _place_lines(place: PlaceDifference, old: Policy, new: Policy, now: datetime) -> list[str]:
    direction = place.direction.value.upper() if any(change.is_wider for change in place.changes) else place.direction.value
    lines = [f"{_name(place)}  {direction}"]
    others = [code for code in place.places if code != place.before]
    if others and place.before == place.after:
        lines.append(f"  holds for {_few(others)} as well")
    lines += [f"  {_change_words(change)}" for change in place.changes]
    return [*lines, *(f"  {_key_words(change)}" for change in _keys(place, old, new, now))]


def _keys(place: PlaceDifference, old: Policy, new: Policy, now: datetime) -> tuple[KeyChange, ...]:
    one = place.places[0]
    return key_changes(old.rules_for(one), new.rules_for(one), policy=old, now=now)


def _name(place: PlaceDifference) -> str:
    return place.before if place.before == place.after else f"{_few(place.places)} (was governed by {place.before}, now by {place.after})"


def _few(codes: list[Any] | tuple[Any, ...]) -> str:
    return ", ".join(codes) if len(codes) <= 8 else f"{', '.join(codes[:8])} and {len(codes) - 8} more"


def _change_words(change: Change) -> str:
    sign = "allowed now" if change.is_wider else "refused now"
    if not change.operations:
        return f"{'+' if change.is_wider else '-'} {'wider' if change.is_wider else 'narrower'}: {change.example}"
    since = "" if change.since is None else f" from {change.since:%Y-%m-%d} on"
    rules = "; ".join(f"{rule}, {rule_text(rule).sentence}" for rule in change.rules)
    before = "was refused by" if change.is_wider else "by"
    return f"{'+' if change.is_wider else '-'} {sign}{since}: {', '.join(change.operations)} ({change.example}); {before} {rules}"


def _key_words(change: KeyChange) -> str:
    if isinstance(change.before, list) and isinstance(change.after, list):
        gone = [str(item) for item in change.before if item not in change.after]
        new = [str(item) for item in change.after if item not in change.before]
        told = " ".join([*(f"-{item}" for item in gone), *(f"+{item}" for item in new)]) or "in another order"
    else:
        told = f"{_value(change.before)} -> {_value(change.after)}"
    alone = {"different": "decides nothing alone"}.get(change.alone.value, f"{change.alone.value} alone")
    return f"  {change.key}: {told} ({alone})"


def _value(value: Any) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)


def difference_document(old: KnownPolicy, new: KnownPolicy, found: Comparison, now: datetime) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "old": policy_document(old),
        "new": policy_document(new),
        "is_same": is_same(old.policy, new.policy),
        "is_wider": found.is_wider,
        "location": [_change_document(change) for change in found.location],
        "places": [
            {
                "places": place.places,
                "governed_by": {"old": place.before, "new": place.after},
                "direction": place.direction.value,
                "changes": [_change_document(change) for change in place.changes],
                "keys": [asdict(change) for change in _keys(place, old.policy, new.policy, now)],
            }
            for place in found.places
        ],
    }


def _change_document(change: Change) -> dict[str, Any]:
    return {**asdict(change), "since": None if change.since is None else change.since.isoformat()}
