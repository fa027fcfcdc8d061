"""`assent explain`: what was decided about an image, or at a web address, in plain words; the service hashes either and forgets it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from assent.cli.api import add_api_arguments, call
from assent.cli.command import Command, ExitCode
from assent.cli.photo_files import read_photo
from assent.cli.secrets import add_asker_arguments, asker_token

_EVIDENCE = {
    "grant_residence": "her residence",
    "signed_gps": "a signed position in the file",
    "exif_gps": "a position in the file",
    "xmp_location_created": "where the file says it was taken",
    "xmp_location_shown": "what the file says it shows",
    "iptc_place": "a place named in the file",
    "schema_residence": "where the page says she lives",
    "schema_place": "a place named by the page",
    "geo_meta": "the page's own place",
    "province_domain": "the domain of a province",
    "country_domain": "the domain of a country",
    "server_address": "where the server stands, by its address",
    "language": "the language of the page",
    "url_words": "words of the address",
    "caption": "words of a caption",
    "time_zone": "the clock of the camera",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    add_asker_arguments(parser)
    parser.add_argument("image", metavar="IMAGE|URL", help="the very file that was offered, or the address where the picture lay")
    parser.add_argument("--json", action="store_true", help="print the decisions as JSON")


def _run(arguments: argparse.Namespace) -> int:
    what: str = arguments.image
    # The service makes the one spelling of an address, as it does for what the crawler finds; nothing is fetched.
    asked: dict[str, Any] = {"form": {"url": what}} if _is_address(what) else {"image": read_photo(Path(what))}
    answer = call(arguments, "POST", "/v1/explain", token=asker_token(arguments), **asked)
    decisions = answer["decisions"]
    if arguments.json:
        print(json.dumps(answer))
    for decision in () if arguments.json else decisions:
        words = "; ".join(decision["words"]) or "a grant covers it here"
        rules = " ".join(decision["rules"])
        print(f"{decision['at'][:19]}  {decision['stage']}: {decision['outcome']}  {rules}")
        print(f"    {words}" + (f" ({', '.join(decision['candidates'])})" if decision["candidates"] else ""))
        if told := _told(decision.get("evidence", [])):
            print(f"    told by {told}")
        if decision.get("standing_text"):
            print(f"    at that time {decision['standing_text']}")
        for remedy in decision["remedies"]:
            print(f"    what can be done: {remedy}")
    if not decisions and not arguments.json:
        print("nothing was decided about this, or nothing that you may see")
    return ExitCode.DONE if decisions else ExitCode.NO


def _told(evidence: list[dict[str, Any]]) -> str:
    """What each piece of evidence said of places, in plain words; a kind of a newer release is named as it is."""
    return "; ".join(
        f"{_EVIDENCE.get(item['kind'], item['kind'])}: {'unreadable' if item['is_invalid'] else ', '.join(item['jurisdictions'])}"
        for item in evidence
    )


def _is_address(what: str) -> bool:
    return what.lower().startswith(("http://", "https://"))


EXPLAIN = Command(
    name="explain",
    help="say what was decided about an image, or about what lay at a web address, and why",
    examples=(
        "assent explain photo.jpg",
        "assent explain https://site.example/ada/1.jpg",
        "assent explain photo.jpg --grant 01900000-0000-7000-8000-000000000000",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
