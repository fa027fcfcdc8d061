"""`assent add`: one's own photos under one's own grant, through the same gates as every other image."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from assent.cli.api import RefusedError, add_api_arguments, call
from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.photo_files import photos_in, read_photo
from assent.cli.secrets import add_secret_argument, grant_secret

SEVERAL = "mark_your_face"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    add_secret_argument(parser)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER_OR_FILE", help="photos: JPEG, PNG or WebP")
    parser.add_argument("--grant", required=True, help="the number of your grant; it must cover uploads")
    parser.add_argument("--face", type=int, help="for one file with several faces: which is yours, counted from 1")


def _run(arguments: argparse.Namespace) -> int:
    photos = photos_in(arguments.paths)
    if arguments.face is not None and len(photos) != 1:
        raise CommandError("--face goes with one file: which face is yours differs from photo to photo")
    secret = grant_secret(arguments)
    taken = [_add(arguments, path, secret) for path in photos]
    print(f"{sum(taken)} of {len(photos)} photos were taken; what became of them is on your page, {arguments.url}/me")
    return ExitCode.DONE if all(taken) else ExitCode.REFUSED


def _add(arguments: argparse.Namespace, path: Path, secret: str) -> bool:
    """Send one photo and say what came of it; trouble of the service ends the command."""
    form = {"grant_secret": secret}
    try:
        image = read_photo(path)
        try:
            _send(arguments, image, form)
        except RefusedError as error:
            if error.details.get("code") != SEVERAL or arguments.face is None:
                raise
            _send(arguments, image, form | {"box": _chosen(error, arguments.face)})
    except RefusedError as error:
        if error.code is ExitCode.UNAVAILABLE:
            raise
        print(f"refused  {path.name}: {error}")
        _explain_faces(error, path)
        return False
    except CommandError as error:
        if error.code is ExitCode.UNAVAILABLE:
            raise
        print(f"skipped  {path.name}: {error}")
        return False
    print(f"taken    {path.name}")
    return True


def _send(arguments: argparse.Namespace, image: bytes, form: dict[str, str]) -> None:
    call(arguments, "POST", f"/v1/grants/{arguments.grant}/images", form=form, image=image)


def _chosen(error: RefusedError, face: int) -> str:
    faces = error.details.get("faces", [])
    if not 1 <= face <= len(faces):
        raise CommandError(f"the photo shows {len(faces)} faces; --face is between 1 and {len(faces)}")
    return json.dumps(faces[face - 1])


def _explain_faces(error: RefusedError, path: Path) -> None:
    if error.details.get("code") != SEVERAL:
        return
    for number, box in enumerate(error.details.get("faces", []), start=1):
        left, top = round(100 * (box["x"] + box["width"] / 2)), round(100 * (box["y"] + box["height"] / 2))
        print(f"         face {number}: its middle is {left} % from the left, {top} % from the top")
    print(f"         say which is yours: assent add {path} --grant ... --face N, or send the photo on your page")


ADD = Command(
    name="add",
    help="send your own photos under your own grant",
    examples=(
        "assent add photos/ --grant 01900000-0000-7000-8000-000000000000 --secret-file grant.secret",
        "assent add party.jpg --grant 01900000-0000-7000-8000-000000000000 --face 2",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
