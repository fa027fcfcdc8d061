"""`assent add`: one's own photos under one's own grant, through the same gates as every other image; nothing is marked unasked."""

from __future__ import annotations

import argparse
import json
from enum import StrEnum
from pathlib import Path

from assent.cli.add_outcome import OutcomeWatch
from assent.cli.api import RefusedError, add_url_argument, call, identifier
from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.photo_files import photos_in, read_photo
from assent.cli.secrets import add_secret_argument, grant_secret

SEVERAL = "mark_your_face"
HOLDS_FOR_ALL = frozenset({"wrong_secret", "grant_not_live", "source_not_covered"})
"""Refusals that every other photo would meet too: the rest is not sent."""


class Sent(StrEnum):
    """What became of one file, before any gate has seen it."""

    TAKEN = "taken"
    REFUSED = "refused"
    SKIPPED = "skipped"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_url_argument(parser)
    add_secret_argument(parser)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER_OR_FILE", help="photos: JPEG, PNG, WebP or HEIC")
    parser.add_argument("--grant", type=identifier, required=True, help="the number of your grant; it must cover uploads")
    parser.add_argument("--face", type=int, help="for one file with several faces: which is yours, counted from 1")
    parser.add_argument("--wait", action="store_true", help="say what the gates decided about each photo")


def _run(arguments: argparse.Namespace) -> int:
    photos = photos_in(arguments.paths)
    if arguments.face is not None and len(photos) != 1:
        raise CommandError("--face goes with one file: which face is yours differs from photo to photo")
    secret = grant_secret(arguments)
    watch = OutcomeWatch(arguments, secret) if arguments.wait else None
    sent = [_add(arguments, path, secret, watch) for path in photos]
    if watch is not None:
        return max(_code(sent), watch.tell())
    print(f"{sent.count(Sent.TAKEN)} of {len(photos)} photos were taken; what became of them is on your page, {arguments.url}/me")
    return _code(sent)


def _code(sent: list[Sent]) -> ExitCode:
    if Sent.REFUSED in sent:
        return ExitCode.REFUSED
    return ExitCode.USAGE if Sent.SKIPPED in sent else ExitCode.DONE


def _add(arguments: argparse.Namespace, path: Path, secret: str, watch: OutcomeWatch | None) -> Sent:
    """Send one photo and say what came of it; trouble of the service ends the command."""
    try:
        image = read_photo(path)
    except CommandError as error:
        print(f"skipped  {path}: {error}")
        return Sent.SKIPPED
    if watch is not None:
        watch.before(image)
    try:
        _send(arguments, image, secret)
    except RefusedError as error:
        if error.code is ExitCode.UNAVAILABLE or error.details.get("code") in HOLDS_FOR_ALL:
            raise
        print(f"refused  {path}: {error}")
        _explain_faces(error, path)
        return Sent.REFUSED
    if watch is not None:
        watch.sent(path)
    print(f"taken    {path}")
    return Sent.TAKEN


def _send(arguments: argparse.Namespace, image: bytes, secret: str) -> None:
    form = {"grant_secret": secret}
    where = f"/v1/grants/{arguments.grant}/images"
    try:
        call(arguments, "POST", where, form=form, image=image)
    except RefusedError as error:
        if error.details.get("code") != SEVERAL or arguments.face is None:
            raise
        call(arguments, "POST", where, form=form | {"box": _chosen(error, arguments.face)}, image=image)


def _chosen(error: RefusedError, face: int) -> str:
    faces = error.details.get("faces", [])
    if not 1 <= face <= len(faces):
        raise CommandError(f"the photo shows {len(faces)} faces; --face is between 1 and {len(faces)}") from error
    return json.dumps(faces[face - 1])


def _explain_faces(error: RefusedError, path: Path) -> None:
    if error.details.get("code") != SEVERAL:
        return
    for number, box in enumerate(error.details.get("faces", []), start=1):
        left, top = round(100 * (box["x"] + box["width"] / 2)), round(100 * (box["y"] + box["height"] / 2))
        width, height = round(100 * box["width"]), round(100 * box["height"])
        print(f"         face {number}: middle {left} % from the left, {top} % from the top; {width} % wide, {height} % high")
    print(f"         say which is yours: assent add {path} --grant ... --face N, or send the photo on your page")


ADD = Command(
    name="add",
    help="send your own photos under your own grant",
    examples=(
        "assent add photos/ --grant 01900000-0000-7000-8000-000000000000 --secret-file grant.secret",
        "assent add party.jpg --grant 01900000-0000-7000-8000-000000000000 --face 2",
        "assent add photos/ --grant 01900000-0000-7000-8000-000000000000 --wait",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
