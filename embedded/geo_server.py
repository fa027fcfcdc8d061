"""`assent geo server`: in which country a server stands by tables of addresses, or why that is not told, and what it closes."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assent.cli.command import CommandError, ExitCode, add_parser
from assent.events.evidence import EvidenceKind
from assent.fetching.server_places import MAX_AGE, ServerPlace, ServerPlaces, ServerTableError
from assent.geofence.decision import candidate_set
from assent.geofence.evidence import stated
from assent.geofence.server import SHARED_NETWORKS
from assent.policies.whereabouts import Candidate, candidates_of
from assent.stream.clock import SystemClock
from embedded.known_policy import KnownPolicy, add_policy_arguments, known_policy
from embedded.openness_words import openness_lines, rule_lines

SERVER = "server"
PLACES, NETWORKS = "ASSENT_CRAWLER_SERVER_PLACES_FILE", "ASSENT_CRAWLER_SERVER_NETWORKS_FILE"
_EXAMPLES = (
    "assent geo server 203.0.113.7 --places country.mmdb --networks asn.mmdb",
    "assent geo server 2001:db8::7 --places country.mmdb --json",
)


def add_server_action(actions: Any) -> None:
    """The action and its arguments."""
    parser = add_parser(actions, SERVER, "say in which country a server stands by your tables of addresses", _EXAMPLES)
    parser.add_argument("address", metavar="ADDRESS", help="numeric, as the crawler connects to it; no name is resolved")
    parser.add_argument("--places", type=Path, metavar="FILE", default=_of(PLACES), help=f"countries, a MaxMind DB file (else {PLACES})")
    parser.add_argument("--networks", type=Path, metavar="FILE", default=_of(NETWORKS), help=f"networks, the same (else {NETWORKS})")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_policy_arguments(parser)


def run_server(arguments: argparse.Namespace) -> int:
    """Prints what the crawler would tell of this server. Raises CommandError."""
    if arguments.places is None:
        raise CommandError(f"no table of addresses is named; give --places FILE, or set {PLACES}")
    try:
        address = str(ipaddress.ip_address(arguments.address))
    except ValueError:
        raise CommandError(f"{arguments.address!r} is no numeric address; write one such as 203.0.113.7") from None
    clock = SystemClock()
    try:
        servers = ServerPlaces(places=arguments.places, networks=arguments.networks, clock=clock)
        found = servers.place(address)
    except ServerTableError as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    known = known_policy(arguments)
    candidates, weight = _counted(found, known)
    if arguments.json:
        print(json.dumps(_document(found, servers, candidates, weight, known), indent=2))
    else:
        _print(found, servers, candidates, weight, known)
    return ExitCode.NO if found.country is None else ExitCode.DONE


def _of(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value) if value else None


def _counted(found: ServerPlace, known: KnownPolicy) -> tuple[tuple[Candidate, ...], float]:
    """What the server's country adds beside a residence elsewhere, and with which weight."""
    if found.country is None:
        return (), 0.0
    told = stated(EvidenceKind.SERVER_ADDRESS, frozenset({found.country}))
    placed = candidate_set([told], grant=None, policy=known.policy)
    (weighed,) = placed.used
    named = frozenset(place for place in placed.jurisdictions if place.partition("-")[0] == found.country)
    return candidates_of(named, policy=known.policy, now=datetime.now(UTC)), weighed.deny_weight


def _print(found: ServerPlace, servers: ServerPlaces, candidates: tuple[Candidate, ...], weight: float, known: KnownPolicy) -> None:
    print(f"network  {_network(found)}")
    print(f"server   {found.country or 'nothing is told: ' + _why(found)}")
    if candidates:
        print(f"weight   {weight:g}: {_force(weight, found)}")
        print()
        for candidate in candidates:
            print(f"{candidate.jurisdiction}  governed by the entry {candidate.entry}: {', '.join(candidate.law)}")
            for line in openness_lines(candidate.operations):
                print(f"    {line}")
        print()
        for line in rule_lines(state for candidate in candidates for state in candidate.operations):
            print(line)
    print(f"tables   {servers.version}, {servers.age_s / 86_400:.0f} days old")
    print(f"policy   {known.policy.version}: {known.origin}")


def _network(found: ServerPlace) -> str:
    if found.network is None:
        return "not known"
    return f"AS{found.network}" + (f", {SHARED_NETWORKS[found.network]}" if found.is_shared else "")


def _why(found: ServerPlace) -> str:
    if found.is_stale:
        return f"the tables are older than {MAX_AGE.days} days"
    if found.network is None:
        return "without its network a content network cannot be told from a server"
    if found.is_shared:
        return "a content network or a cloud answers from anywhere"
    return "the tables name no country, or an address of many places"


def _force(weight: float, found: ServerPlace) -> str:
    if weight >= 1:
        return "closes by itself, whatever else is said"
    return f"a hint: it adds what follows, unless a residence or capture place of hers lies in {found.country}"


def _document(
    found: ServerPlace, servers: ServerPlaces, candidates: tuple[Candidate, ...], weight: float, known: KnownPolicy
) -> dict[str, Any]:
    return {
        **asdict(found),
        "why_not": None if found.country is not None else _why(found),
        "weight": weight,
        "candidates": [{"jurisdiction": candidate.jurisdiction, "entry": candidate.entry} for candidate in candidates],
        "tables": {"version": servers.version, "age_days": round(servers.age_s / 86_400, 1)},
        "policy": {"version": known.policy.version, "sha256": known.sha256, "origin": known.origin},
    }
