"""`assent search` and `assent verify`: look for oneself, check a photo against one's own grant; an empty answer is exit code 1."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from assent.cli.api import JsonObject, add_api_arguments, call, identifier, token_from
from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.photo_files import read_photo
from assent.cli.secrets import add_asker_arguments, asker_token


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def _add_search_arguments(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    add_asker_arguments(parser)
    parser.add_argument("photo", nargs="?", type=Path, help="a photo with one face")
    parser.add_argument("--basis", choices=("self", "gallery"), default="self", help="on which ground (default self)")
    parser.add_argument("--face", type=identifier, help="for --basis gallery: the number of a face that its grant allows you to search for")


def _add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    add_asker_arguments(parser, is_grant_needed=True)
    parser.add_argument("photo", type=Path, help="a photo with one face")


def _search(arguments: argparse.Namespace) -> int:
    is_self = arguments.basis == "self"
    if is_self and (arguments.photo is None or arguments.face):
        raise CommandError("looking for yourself takes a photo; --face goes with --basis gallery")
    if not is_self and (arguments.photo is None) == (arguments.face is None):
        raise CommandError("for --basis gallery name either a photo that is itself under a grant, or its face with --face")
    image = None if arguments.photo is None else read_photo(arguments.photo)
    token = asker_token(arguments) if is_self else token_from(arguments)
    form = {"basis": arguments.basis} | ({"face_id": arguments.face} if arguments.face else {})
    return _told(arguments, call(arguments, "POST", "/v1/search", token=token, form=form, image=image))


def _verify(arguments: argparse.Namespace) -> int:
    image = read_photo(arguments.photo)
    form = {"grant_id": arguments.grant}
    return _told(arguments, call(arguments, "POST", "/v1/verify", token=asker_token(arguments), form=form, image=image))


def _told(arguments: argparse.Namespace, answer: JsonObject) -> int:
    found = answer["candidates"]
    if arguments.json:
        print(json.dumps(answer))
    else:
        for item in found:
            print(f"{item['score']:.3f}  face {item['face_id']}  grant {item['grant_id']}")
        print(f"{len(found)} candidates from similarity {answer['threshold']} on, among {answer['gallery_faces']} faces")
        if found:
            print(answer["note"])
    return ExitCode.DONE if found else ExitCode.NO


SEARCH = Command(
    name="search",
    help="look for yourself among the photos your grants cover; with a searcher's token, among those who allowed it",
    examples=(
        "assent search me.jpg --grant 01900000-0000-7000-8000-000000000000",
        "assent search --basis gallery --face FACE --token-file searcher.token --json",
    ),
    add_arguments=_add_search_arguments,
    run=_search,
)
VERIFY = Command(
    name="verify",
    help="check one photo against the photos of one of your grants",
    examples=(
        "assent verify me.jpg --grant 01900000-0000-7000-8000-000000000000 --secret-file grant.secret",
        "assent verify me.jpg --grant 01900000-0000-7000-8000-000000000000 --json",
    ),
    add_arguments=_add_verify_arguments,
    run=_verify,
)
