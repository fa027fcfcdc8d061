"""`assent geo`: which places a position or a server belongs to, what is open there, by which map and policy; nothing is stored or asked."""

from __future__ import annotations

import argparse
import json
import math
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from assent.cli.command import Command, CommandError, ExitCode, add_parser
from assent.deciding.rule_texts import rule_text
from assent.geofence.areas import MAX_RADIUS_M, AreaDataError, AreaIndex, area_description
from assent.geofence.point import Point
from assent.geofence.policy import PolicyError
from assent.ids import UNKNOWN
from assent.policies.openness import OperationState
from assent.policies.whereabouts import Candidate, Whereabouts, whereabouts
from embedded.geo_server import SERVER, add_server_action, run_server
from embedded.known_policy import KnownPolicy, add_policy_arguments, known_policy
from embedded.openness_words import UNKNOWN_WORDS, openness_lines, rule_lines

_DECIMAL = re.compile(r"\s*([+-]?)(\d+(?:[.,]\d*)?|[.,]\d+)\s*°?\s*([NSEWO]?)\s*", re.IGNORECASE)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    where = add_parser(
        actions,
        "where",
        "say which places a position may be in, and what is open there",
        (
            "assent geo where 45.4301 -75.7093",
            "assent geo where 41.5833 -87.5 --accuracy 20000",
            "assent geo where 49.2888 -123.1111 --json",
        ),
    )
    # argparse would take -75,7 for an option and say that LON is missing; what is no option of ours is a position, right or wrong.
    where._negative_number_matcher = re.compile(r"-[^-]")
    where.add_argument("latitude", metavar="LAT", help="decimal degrees, north is positive")
    where.add_argument("longitude", metavar="LON", help="decimal degrees, east is positive")
    where.add_argument("--accuracy", type=_metres, default=0.0, metavar="M", help="how far off it may be, in metres")
    where.add_argument("--json", action="store_true", help="print it as JSON")
    add_policy_arguments(where)
    add_server_action(actions)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == SERVER:
        return run_server(arguments)
    point = _point(arguments)
    known = known_policy(arguments)
    try:
        areas = AreaIndex.load()
        found = whereabouts(point, areas=areas, policy=known.policy, now=datetime.now(UTC))
    except (AreaDataError, PolicyError, ValueError) as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    if arguments.json:
        print(json.dumps(_document(point, found, areas.version, known), indent=2))
    else:
        _print(point, found, areas.version, known)
    return ExitCode.NO if found.is_unknown else ExitCode.DONE


def _point(arguments: argparse.Namespace) -> Point:
    """The position that was written. Raises CommandError that says what is wrong with it."""
    latitude, longitude = _degrees(arguments.latitude, "latitude", "NS"), _degrees(arguments.longitude, "longitude", "EW")
    if abs(latitude) > 90 and abs(latitude) <= 180 and abs(longitude) <= 90:
        raise CommandError(
            f"{latitude:g} is no latitude, it lies between -90 and 90; if the two are swapped: assent geo where {longitude:g} {latitude:g}"
        )
    if abs(latitude) > 90:
        raise CommandError(f"{latitude:g} is no latitude; it lies between -90 and 90")
    if abs(longitude) > 180:
        raise CommandError(f"{longitude:g} is no longitude; it lies between -180 and 180")
    if latitude == 0 and longitude == 0:
        raise CommandError(
            "0 0 is no position: a device writes it where it has none, so it counts as unreadable and the place as UNKNOWN, "
            "which is never opened"
        )
    return Point(latitude, longitude, arguments.accuracy)


def _degrees(text: str, what: str, sides: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise CommandError(f"{text!r} is no {what}: {_remedy(text, sides)}") from None
    if not math.isfinite(number):
        raise CommandError(f"{text!r} is no {what}: write decimal degrees, such as 45.4301")
    return number


def _remedy(text: str, sides: str) -> str:
    """How to write what was probably meant."""
    meant = _DECIMAL.fullmatch(text)
    side = "" if meant is None else meant[3].upper().replace("O", "W")
    if meant is None or (side and side not in sides) or (meant[1] and side):
        return "write decimal degrees with a point, such as 45.4301; south and west are negative"
    sign = "-" if side in ("S", "W") or meant[1] == "-" else ""
    return f"write {sign}{meant[2].replace(',', '.')}"


def _metres(text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not 0 <= metres <= MAX_RADIUS_M / 2:
        raise argparse.ArgumentTypeError(f"{text} is no accuracy; write metres, from 0 to {MAX_RADIUS_M / 2:.0f}")
    return metres


def _print(point: Point, found: Whereabouts, version: str, known: KnownPolicy) -> None:
    reported = f"{found.accuracy_m:g} m accuracy" + ("" if point.accuracy_m >= found.accuracy_m else " (the least that is believed)")
    print(f"position    {_side(point.latitude, 'NS')}, {_side(point.longitude, 'EW')}")
    print(f"on the map  {', '.join(found.hit) or 'no area: water, or a place that no area covers'}")
    print(f"circle      {found.radius_m:g} m: {reported} + {found.buffer_m:g} m, the buffer of these areas")
    print(f"touches     {_touched(found)}")
    print()
    for candidate in found.candidates:
        print(_head(candidate))
        for line in openness_lines(candidate.operations):
            print(f"    {line}")
    if len(found.candidates) > 1:
        print("all of them together: what one closes is closed")
        for line in openness_lines(found.together):
            print(f"    {line}")
    print()
    for line in rule_lines(found.together):
        print(line)
    if found.needs_residence:
        print("A position alone is not enough: without a confirmed residence in the grant, UNKNOWN is a candidate as well, and refuses.")
    print(f"areas   {version}: {'; '.join(area_description().sources)}")
    print(f"        sha256 {area_description().sha256}")
    print(f"policy  {known.policy.version}: {known.origin}")
    print(f"        sha256 {known.sha256}")


def _touched(found: Whereabouts) -> str:
    if not found.within:
        return f"nothing, so the place is {UNKNOWN}"
    if len(found.within) == 1:
        return f"{found.within[0]} alone; no border lies inside the circle"
    return f"{', '.join(found.within)}: a border lies inside the circle, so each counts, whatever the map says of the point"


def _head(candidate: Candidate) -> str:
    if candidate.jurisdiction == UNKNOWN:
        return f"{UNKNOWN}  {UNKNOWN_WORDS}"
    if candidate.entry == UNKNOWN:
        return f"{candidate.jurisdiction}  has no entry and is judged as {UNKNOWN}; {UNKNOWN_WORDS}"
    own = "an entry of its own" if candidate.entry == candidate.jurisdiction else f"governed by the entry {candidate.entry}"
    return f"{candidate.jurisdiction}  {own}: {', '.join(candidate.law)}"


def _side(degrees: float, sides: str) -> str:
    return f"{abs(degrees):.6f}".rstrip("0").rstrip(".") + f" {sides[degrees < 0]}"


def _document(point: Point, found: Whereabouts, version: str, known: KnownPolicy) -> dict[str, Any]:
    areas = area_description()
    return {
        "position": {"latitude": point.latitude, "longitude": point.longitude, "accuracy_m": point.accuracy_m},
        "is_unknown": found.is_unknown,
        "needs_residence": found.needs_residence,
        "on_the_map": found.hit,
        "touches": found.within,
        "radius_m": found.radius_m,
        "accuracy_m": found.accuracy_m,
        "buffer_m": found.buffer_m,
        "candidates": [
            {
                "jurisdiction": candidate.jurisdiction,
                "entry": candidate.entry,
                "law": candidate.law,
                "operations": _operations(candidate.operations),
            }
            for candidate in found.candidates
        ],
        "together": _operations(found.together),
        "areas": {"version": version, **asdict(areas)},
        "policy": {"version": known.policy.version, "sha256": known.sha256, "origin": known.origin},
    }


def _operations(states: tuple[OperationState, ...]) -> list[dict[str, Any]]:
    return [
        {
            "operation": state.operation,
            "openness": state.openness.value,
            "rules": [{"rule": rule, "why": rule_text(rule).sentence} for rule in state.rules],
        }
        for state in states
    ]


GEO = Command(
    name="geo",
    help="say which places a position may be in, or a server, and what is open there",
    examples=(
        "assent geo where 45.4301 -75.7093",
        "assent geo server 203.0.113.7 --places country.mmdb",
        "assent geo where 41.5833 -87.5 --accuracy 20000 --json",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
