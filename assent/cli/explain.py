"""`assent explain`: what was decided about an image, or at a web address, in plain words; the service hashes either and forgets it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assent.cli.api import JsonObject, add_api_arguments, call
from assent.cli.command import Command, ExitCode
from assent.cli.photo_files import read_photo
from assent.cli.secrets import add_asker_arguments, asker_token
from assent.wording.language import LANGUAGES, colon, terminal_language

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "nothing": "nothing was decided about this, or nothing that you may see",
        "why": "why",
        "covered": "a grant covers it here",
        "seen": "seen",
        "where": "where it may be",
        "told_by": "told by",
        "grant": "at that time",
        "law": "stands on",
        "meaning": "for the person shown",
        "remedy": "what can be done",
    },
    "fr": {
        "nothing": "rien n'a été décidé à ce sujet, ou rien que vous puissiez voir",
        "why": "pourquoi",
        "covered": "une autorisation le couvre ici",
        "seen": "vu",
        "where": "où cela peut se situer",
        "told_by": "d'après",
        "grant": "à ce moment",
        "law": "fondement",
        "meaning": "pour la personne montrée",
        "remedy": "ce qui peut être fait",
    },
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_api_arguments(parser)
    add_asker_arguments(parser)
    parser.add_argument("image", metavar="IMAGE|URL", help="the very file that was offered, or the address where the picture lay")
    parser.add_argument(
        "--lang", choices=LANGUAGES, help="the language of the answer (else that of the terminal: LC_ALL, LC_MESSAGES, LANG)"
    )
    parser.add_argument("--json", action="store_true", help="print the decisions as JSON, codes beside words")


def _run(arguments: argparse.Namespace) -> int:
    what: str = arguments.image
    # The service makes the one spelling of an address, as it does for what the crawler finds; nothing is fetched.
    asked: dict[str, Any] = {"form": {"url": what}} if _is_address(what) else {"image": read_photo(Path(what))}
    lang = arguments.lang or terminal_language(os.environ)
    answer = call(arguments, "POST", f"/v1/explain?lang={lang}", token=asker_token(arguments), **asked)
    decisions = answer["decisions"]
    if arguments.json:
        print(json.dumps(answer))
    else:
        print("\n\n".join("\n".join(explanation(decision, lang)) for decision in decisions) or _WORDS[lang]["nothing"])
    return ExitCode.DONE if decisions else ExitCode.NO


def explanation(decision: JsonObject, lang: str) -> Iterator[str]:
    """One decision as lines for a reader: what, why, where, on what it stands, what it means for her, what can be done."""
    words = _WORDS[lang]
    between = colon(lang)
    yield f"{decision['at_text']}. {decision['stage_text']}{between}{decision['decided_text']} ({decision['outcome_text']})."
    for rule, why in zip(decision["rules"], decision["words"], strict=True):
        yield f"    {words['why']}{between}{why} [{rule}]"
    if not decision["rules"]:
        yield f"    {words['why']}{between}{words['covered']}"
    for label, lines in (
        ("seen", decision["optout_words"]),
        ("where", [", ".join(decision["places"])] if decision["places"] else []),
        ("told_by", decision["evidence_words"]),
        ("grant", [decision["standing_text"]] if decision.get("standing_text") else []),
        ("law", [f"{law['text']} [{law['id']}]" for law in decision["laws"]]),
        ("meaning", [decision["meaning"]] if decision["meaning"] else []),
        ("remedy", decision["remedies"]),
    ):
        yield from (f"    {words[label]}{between}{line}" for line in lines)


def _is_address(what: str) -> bool:
    return what.lower().startswith(("http://", "https://"))


EXPLAIN = Command(
    name="explain",
    help="say what was decided about an image, or about what lay at a web address, and why",
    examples=(
        "assent explain photo.jpg",
        "assent explain https://site.example/ada/1.jpg --lang fr",
        "assent explain photo.jpg --grant 01900000-0000-7000-8000-000000000000",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
