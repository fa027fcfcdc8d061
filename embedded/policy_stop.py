"""`assent policy stop`: a place, or everything, stopped at once under an order; one person is enough, and it tells who decides by it."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from assent.cli.api import DEFAULT_URL, Answer, call, service_url, token_from
from assent.cli.command import CommandError, ExitCode
from assent.geofence.areas import AreaIndex
from assent.geofence.policy import PolicyError
from assent.ids import Jurisdiction
from assent.policies.comparison import compare
from assent.policies.stopping import ALL_OPERATIONS, Stop, StopError, stopped
from embedded.known_policy import KnownPolicy, add_home_arguments, published_policy
from embedded.policy_diff import difference_lines
from embedded.policy_show import place_code

ASKED_EVERY_S = 0.05
ASKED_WITHIN_S = 5.0
AT = "/v1/policy/stops"
DRY_RUN = "Nothing was stopped: this was a dry run. --yes does it at once; opening again takes two people."


@dataclass(frozen=True, slots=True)
class Decider:
    """One process that was asked. `after_s` is when it was first seen to decide by the policy, None where it was not."""

    url: str
    after_s: float | None
    policy: str | None


def run_stop(arguments: argparse.Namespace) -> int:
    """Say what it closes, or with --yes close it."""
    places = [place_code(text) for text in arguments.place]
    if bool(places) == arguments.all:
        raise CommandError("name the places to stop, or --all; not both")
    operations = tuple(arguments.operation) or ALL_OPERATIONS
    if not arguments.yes:
        return _rehearse(arguments, places, operations)
    arguments.url = arguments.url or DEFAULT_URL
    body = {"places": places, "is_everywhere": arguments.all, "operations": operations, "because": arguments.because}
    began = time.monotonic()
    told = call(arguments, "POST", AT, token=token_from(arguments), body=body)
    acknowledged_s = time.monotonic() - began
    deciders = asyncio.run(_watched(arguments.watch or [arguments.url], told["version"], began=began, within_s=arguments.wait))
    if arguments.json:
        print(json.dumps({**told, "acknowledged_s": acknowledged_s, "deciders": [_document(one) for one in deciders]}, indent=2))
    else:
        print("\n".join(_lines(told, acknowledged_s, deciders)))
    return ExitCode.DONE if all(one.after_s is not None for one in deciders) else ExitCode.UNAVAILABLE


def _rehearse(arguments: argparse.Namespace, places: Sequence[Jurisdiction], operations: tuple[str, ...]) -> int:
    base = published_policy(arguments)
    stops = [Stop(place, operations, arguments.because) for place in places] or [Stop(None, operations, arguments.because)]
    try:
        policy = stopped(base.policy, stops)
    except (StopError, PolicyError) as error:
        raise CommandError(str(error), ExitCode.REFUSED) from error
    new = KnownPolicy(policy, policy.canonical_json(), "with this stop")
    now = datetime.now(UTC)
    found = compare(base.policy, policy, places=AreaIndex.load().codes, now=now)
    print("\n".join([*difference_lines(base, new, found, now), "", DRY_RUN]))
    return ExitCode.DONE


async def _watched(urls: Sequence[str], version: str, *, began: float, within_s: float) -> list[Decider]:
    """Each of them, asked again and again until it decides by this policy or the time is over."""
    timeout = aiohttp.ClientTimeout(total=ASKED_WITHIN_S)
    async with aiohttp.ClientSession(trust_env=False, timeout=timeout) as session:
        return list(await asyncio.gather(*[_seen(session, url, version, began=began, until=began + within_s) for url in urls]))


async def _seen(session: aiohttp.ClientSession, url: str, version: str, *, began: float, until: float) -> Decider:
    while True:
        policy = await _policy_of(session, url)
        now = time.monotonic()
        if policy == version:
            return Decider(url, now - began, policy)
        if now >= until:
            return Decider(url, None, policy)
        await asyncio.sleep(ASKED_EVERY_S)


async def _policy_of(session: aiohttp.ClientSession, url: str) -> str | None:
    """The version it decides by; None where it does not say, or has none."""
    try:
        async with session.get(f"{url}/readyz", allow_redirects=False) as response:
            told = json.loads(await response.content.read(65_536))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    policy = told.get("policy") if isinstance(told, Mapping) else None
    return policy if isinstance(policy, str) else None


def _lines(told: Answer, acknowledged_s: float, deciders: Sequence[Decider]) -> list[str]:
    first = "stopped" if told["is_new"] else "closed already, and written down"
    return [
        f"{first}: policy {told['version']} is signed and on the log since {acknowledged_s:.2f} s after the command",
        *(f"{one.url}: {_words(one)}" for one in deciders),
    ]


def _words(one: Decider) -> str:
    if one.after_s is not None:
        return f"decides by it since {one.after_s:.2f} s after the command"
    if one.policy is None:
        return "does not say by which policy it decides; while it is down it decides nothing, and it reads this one before it does"
    return f"still decides by {one.policy}; it reads this one before its next decision, and holds where it cannot"


def _document(one: Decider) -> dict[str, Any]:
    return {"url": one.url, "after_s": one.after_s, "policy": one.policy}


def add_stop_arguments(parser: argparse.ArgumentParser) -> None:
    """What is stopped, and whom to look at."""
    parser.add_argument("place", nargs="*", metavar="PLACE", help="a code such as CA-QC, FR or EU; a country takes its parts along")
    parser.add_argument("--all", action="store_true", help="stop everything, everywhere")
    parser.add_argument(
        "--operation",
        action="append",
        default=[],
        choices=ALL_OPERATIONS,
        help="what to stop; may be repeated (default: all of these)",
    )
    parser.add_argument("--because", required=True, metavar="ORDER", help="the order in its own words; it stands in the policy")
    parser.add_argument("--yes", action="store_true", help="do it; without this it only says what it would do")
    parser.add_argument(
        "--watch",
        type=service_url,
        action="append",
        metavar="URL",
        help="a process whose /readyz is asked whether it decides by it; may be repeated (default: --url)",
    )
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long to ask them (default 60)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--token-file", type=Path, help="file with the token to use (else ASSENT_TOKEN, else the operator's)")
    add_home_arguments(parser)
