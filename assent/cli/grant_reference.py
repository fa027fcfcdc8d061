"""The face that the subject confirms as hers, by its number; the pictures themselves are on her page, and none is loaded here."""

from __future__ import annotations

import argparse
import json

from assent.cli.api import Answer, call
from assent.cli.command import ExitCode
from assent.cli.secrets import GRANT_HEADER, grant_secret


def reference(arguments: argparse.Namespace) -> int:
    """List what is held, confirm one of it, or take back what was confirmed."""
    hers = {GRANT_HEADER: grant_secret(arguments)}
    path = f"/v1/grants/{arguments.id}/reference"
    if arguments.face is not None:
        answer = call(arguments, "PUT", path, headers=hers, body={"face_id": arguments.face})
        said = "from now on a new picture is kept only if its face agrees with this one; what is held stays"
    elif arguments.take_back:
        answer = call(arguments, "DELETE", path, headers=hers)
        said = "new pictures are kept as before you confirmed any"
    else:
        return _listed(arguments, call(arguments, "GET", path, headers=hers))
    print(json.dumps(answer) if arguments.json else f"{said}; the grant stands at revision {answer['revision']}")
    return ExitCode.DONE


def _listed(arguments: argparse.Namespace, answer: Answer) -> int:
    if arguments.json:
        print(json.dumps(answer))
        return ExitCode.DONE
    for face in answer["faces"]:
        mark = "  confirmed as yours" if face["face_id"] == answer["reference"] else ""
        print(f"{face['face_id']}  since {face['embedded_at'][:10]}{mark}")
    if not answer["faces"]:
        print("nothing is held")
    if answer["reference"] is None:
        print("none is confirmed as yours; the pictures are on your page")
    elif answer["is_reference_gone"]:
        print("the picture that you confirmed is gone: until you confirm another or take it back, nothing new is kept")
    return ExitCode.DONE
