"""A policy as a person writes it, merged and checked; entries override the defaults key by key, and nothing loosens the floor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from assent.geofence.jurisdiction_rules import FLOOR_FORBIDDEN
from assent.geofence.place_names import is_code
from assent.geofence.policy import LOADED_AREAS, RETIRED, SCHEMA, Policy, PolicyError, first_fault

MOST_ENTRIES = 500
"""Every country, and every part of those that have rules of their own, are fewer; and each is compared before anything is published."""
_KEYS = {"schema", "version", "location", "defaults", "jurisdictions"}


def policy_from(written: object, *, today: date | None = None) -> Policy:
    """The policy of a parsed file. Raises PolicyError with the key and the remedy. `today` is the day in UTC on which a file is read; a
    document that was published is compared with no day.
    """
    document = _mapping(written, "policy")
    unknown_keys = sorted(set(document) - _KEYS)
    if unknown_keys:
        raise PolicyError(f"{', '.join(unknown_keys)}: no such key; the file holds {', '.join(sorted(_KEYS))}")
    if document.get("schema") != SCHEMA:
        raise PolicyError(f"schema: write {SCHEMA}")
    defaults = _mapping(document.get("defaults"), "defaults")
    for part in ("location", "defaults", "jurisdictions"):
        _check_blanks(document.get(part), part)
    _check_floor(defaults)
    _check_retired(defaults, "defaults")
    entries = _mapping(document.get("jurisdictions"), "jurisdictions")
    if len(entries) > MOST_ENTRIES:
        raise PolicyError(f"jurisdictions: {len(entries)} entries are too many; name {MOST_ENTRIES} at most")
    whole = {code: _entry(code, defaults, _group_of(code, entries), entry) for code, entry in entries.items()}
    try:
        found = Policy.model_validate(
            {
                "schema": SCHEMA,
                "version": _version(document),
                "location": document.get("location"),
                "jurisdictions": whole,
                "unknown": _entry("unknown", defaults, {}, {}),
            }
        )
    except ValidationError as error:
        raise PolicyError(first_fault(error)) from error
    _check_groups(found)
    _check_buffer(found)
    if today is not None:
        _check_days(found, today)
    return found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `over`, mapping by mapping; a list replaces a list."""
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


def _entry(code: str, defaults: Mapping[str, Any], group: Mapping[str, Any], entry: object) -> dict[str, Any]:
    own = _mapping(entry, f"jurisdictions.{code}")
    _check_retired(own, f"jurisdictions.{code}")
    if own.get("status") in ("stayed", "struck") and own.get("as_of") is None:
        raise PolicyError(f"jurisdictions.{code}.as_of: say on which day it was {own['status']} (CA-9)")
    if code != "unknown" and not own.get("law"):
        raise PolicyError(f"jurisdictions.{code}.law: name the law that the entry follows")
    if code != "unknown":
        _check_codes(code, own)
    for purpose in FLOOR_FORBIDDEN:
        if purpose in _list(own, code, "purposes", "allow"):
            raise PolicyError(f"jurisdictions.{code}.purposes.allow: {purpose} is forbidden everywhere and cannot be allowed")
    found = merged(merged(defaults, group), own)
    purposes = dict(_mapping(found.get("purposes", {}), f"jurisdictions.{code}.purposes"))
    named = (word for part in (defaults, group, own) for word in _list(part, code, "purposes", "forbid"))
    purposes["forbid"] = sorted({*FLOOR_FORBIDDEN, *named})
    return {**found, "purposes": purposes}


def _group_of(code: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """What the group of a country asks for, and an entry of the country's own then changes key by key (EU-11): else such an entry
    would do away with the group's filings.
    """
    for group in entries.values():
        if isinstance(group, Mapping) and code.partition("-")[0] in _words(group.get("members")):
            return {key: value for key, value in group.items() if key != "members"}
    return {}


def _words(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _check_codes(code: str, entry: Mapping[str, Any]) -> None:
    """A code that no evidence ever names would be an entry that governs nobody, and a group takes whole countries along."""
    members = _words(entry.get("members"))
    for name in members:
        if isinstance(name, str) and ("-" in name or not is_code(name)):
            raise PolicyError(f"jurisdictions.{code}.members: {name} is no code of a country; write it as in ISO 3166-1, such as GB")
    if not members and not is_code(code):
        raise PolicyError(f"jurisdictions.{code}: {code} is no code of a place that is known; write it as in ISO 3166, such as GB or CA-QC")


def _check_groups(policy: Policy) -> None:
    """No group is within another. Only of a file: a release that did not look published such policies, and they must be read."""
    groups = {code: rules.members for code, rules in policy.jurisdictions.items() if rules.members}
    for code, members in groups.items():
        if "-" in code:
            raise PolicyError(f"jurisdictions.{code}.members: a part of a country takes no countries along; leave it out")
        for member in members:
            if member != code and member in groups:
                raise PolicyError(
                    f"jurisdictions.{code}.members: {member} has members of its own; name those here, and leave them out there"
                )


def _check_buffer(policy: Policy) -> None:
    """A file without it would read as a small change and stop every picture that has a position."""
    if LOADED_AREAS not in policy.location.buffer_m:
        raise PolicyError(
            f"location.buffer_m: {LOADED_AREAS}, by which positions are told, is not there; name it, such as {LOADED_AREAS}: 5000"
        )


def _check_days(policy: Policy, today: date) -> None:
    """No entry speaks of a day to come: it holds from its publication on. Somewhere the next day has begun before it has in UTC."""
    entries = [(f"jurisdictions.{code}", rules) for code, rules in policy.jurisdictions.items()]
    for where, rules in [("defaults", policy.unknown), *entries]:
        if rules.as_of is not None and rules.as_of > today + timedelta(days=1):
            raise PolicyError(
                f"{where}.as_of: {rules.as_of} has not come, and an entry holds from its publication on; "
                "write the day on which a court stayed or struck the order, once it has (CA-9)"
            )


def _check_blanks(part: object, name: str) -> None:
    """A law without a name would stand there as if one had been named."""
    for where, text in _texts(part, name):
        if not text.strip():
            raise PolicyError(f"{where}: a text is blank there; write it out, or leave it out")


def _texts(value: object, where: str) -> Iterator[tuple[str, str]]:
    """Every text of a file, keys too, with the key that it stands under."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, within in value.items():
            yield from _texts(key, where)
            yield from _texts(within, f"{where}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, where)


def _check_retired(entry: Mapping[str, Any], where: str) -> None:
    """A key that nothing reads would be taken for a rule that holds."""
    retention = entry.get("retention")
    for key, remedy in RETIRED.items():
        if key in entry:
            raise PolicyError(f"{where}.{key}: {remedy}")
        if isinstance(retention, Mapping) and key in retention:
            raise PolicyError(f"{where}.retention.{key}: {remedy}")


def _check_floor(defaults: Mapping[str, Any]) -> None:
    """X-9: a file that leaves one out would read as if it were allowed."""
    missing = sorted(set(FLOOR_FORBIDDEN) - set(_list(defaults, "defaults", "purposes", "forbid")))
    if missing:
        raise PolicyError(f"defaults.purposes.forbid: {', '.join(missing)} is forbidden everywhere; name it there")


def _list(entry: Mapping[str, Any], code: str, *path: str) -> list[str]:
    value: Any = entry
    for name in path:
        value = value.get(name, {}) if isinstance(value, Mapping) else {}
    if value == {}:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise PolicyError(f"{code}.{'.'.join(path)}: write a list of words")
    return value


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyError(f"{where}: write a mapping of keys to values")
    if any(isinstance(key, bool) for key in value):
        raise PolicyError(f'{where}: YAML reads NO without quotes as false; write "NO" for Norway')
    odd = [key for key in value if not isinstance(key, str)]
    if odd:
        raise PolicyError(f"{where}: the key {odd[0]!r} is no word; put it in quotes")
    members = value.get("members")
    if isinstance(members, list) and any(isinstance(member, bool) for member in members):
        raise PolicyError(f'{where}.members: YAML reads NO without quotes as false; write "NO" for Norway')
    return dict(value)


def _version(document: Mapping[str, Any]) -> str:
    version = document.get("version")
    if not isinstance(version, str) or not version.strip() or not version.isprintable():
        raise PolicyError('version: write it as a word in quotes, for example "2026-11-26.1"')
    return version
