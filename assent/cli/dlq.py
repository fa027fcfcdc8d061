"""`assent dlq`: what could not be read, counted or listed, and appended again; a payload is never shown."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlencode

from assent.cli.api import Answer, JsonObject, add_api_arguments, call, token_from
from assent.cli.command import Actions, Command, CommandError, ExitCode, OneLineParser, add_parser
from assent.cli.whole_number import whole_number
from assent.events.topics import Topic

_TOPICS = tuple(topic.value for topic in Topic)
_PAGE = 200
_POSITION = whole_number("position", least=0)
_REPLAY_TIMEOUT_S = 300
_SUCCESSES = frozenset({"replayed", "already_replayed", "would_replay"})
_WORDS = {
    "replayed": "appended again",
    "would_replay": "would be appended again",
    "already_replayed": "was replayed before and was not appended again",
    "gone": "the record no longer lives; its writer has to send it again",
    "differs": "another record lies at this place; the log is not the one the letter was written on",
    "damaged": "the log cannot give this record; its writer has to send it again",
    "too_large": "the record is over this log's limit; its writer has to send a smaller one",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions: Actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=OneLineParser)
    show = add_parser(actions, "show", "count dead letters by topic and cause, or list them", _SHOW_EXAMPLES)
    add_api_arguments(show)
    show.add_argument("topics", nargs="*", metavar="TOPIC", help="topics to look at (default all)")
    show.add_argument("--list", action="store_true", help="one line for each dead letter")
    show.add_argument("--cause", help="only those of this cause")
    show.add_argument(
        "--limit", type=whole_number("number of dead letters", least=1), default=100, help="most to list for each topic (default 100)"
    )
    show.add_argument("--start", type=_POSITION, default=0, help="where to go on listing one topic, as the last list said")
    show.add_argument("--json", action="store_true", help="print JSON")
    replay = add_parser(actions, "replay", "append the records again, for today's code and policy to judge", _REPLAY_EXAMPLES)
    add_api_arguments(replay)
    replay.add_argument("topic", metavar="TOPIC", help="the topic on which the records lie, without .dlq")
    replay.add_argument("--partition", type=_POSITION, help="with --offset: one record")
    replay.add_argument("--offset", type=_POSITION, help="with --partition: one record")
    replay.add_argument("--cause", help="all records of this cause")
    replay.add_argument("--all", action="store_true", help="all records; asks first")
    replay.add_argument("--yes", action="store_true", help="do not ask")
    replay.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    replay.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == "replay":
        return _replay(arguments)
    topics = [_topic(name) for name in arguments.topics]
    return _listed(arguments, topics or list(_TOPICS)) if arguments.list else _counts(arguments, topics)


def _counts(arguments: argparse.Namespace, topics: list[str]) -> int:
    query = urlencode([("topic", topic) for topic in topics])
    answer = call(arguments, "GET", f"/v1/dead-letters?{query}", token=token_from(arguments))
    counts = [one for one in answer["counts"] if arguments.cause in (None, one["cause"])]
    if arguments.json:
        print(json.dumps({**answer, "counts": counts}))
        return ExitCode.DONE
    for one in counts:
        print(f"{one['topic']:<20} {one['cause']:<20} {one['count']:>7}  {one['kept']} of them kept, last {one['newest'][:19]}")
    if not counts:
        print("no dead letters")
    if answer["is_partial"]:
        print("there are more: the oldest of some topic were not counted")
    if answer["unreadable"]:
        print(f"{answer['unreadable']} records there are no dead letters; somebody else writes to these topics")
    return ExitCode.DONE


def _listed(arguments: argparse.Namespace, topics: list[str]) -> int:
    if arguments.start and len(topics) != 1:
        raise CommandError("--start goes on with one topic; name that topic")
    shown: list[JsonObject] = []
    following: dict[str, int] = {}
    for topic in topics:
        letters, start = _letters(arguments, topic)
        shown += letters
        following |= {} if start is None else {topic: start}
    if arguments.json:
        print(json.dumps({"letters": shown, "more": following}))
        return ExitCode.DONE
    for one in shown:
        replayed = f", replayed {one['replayed_at'][:19]}" if one["replayed_at"] else ""
        place = f"{one['topic']}/{one['partition']}/{one['offset']}"
        print(f"{place:<32} {one['cause']:<20} {one['seen_at'][:19]}  {one['source']}{replayed}  sha256 {one['sha256']}")
    if not shown:
        print("no dead letters")
    for topic, start in following.items():
        print(f"more of {topic}: --start {start}")
    return ExitCode.DONE


def _letters(arguments: argparse.Namespace, topic: str) -> tuple[list[JsonObject], int | None]:
    """At most --limit of them, page by page, and where to go on if there are more."""
    found: list[JsonObject] = []
    start = arguments.start
    while len(found) < arguments.limit:
        asked = {"start": start, "limit": min(_PAGE, arguments.limit - len(found))}
        query = urlencode(asked | ({"cause": arguments.cause} if arguments.cause else {}))
        answer = call(arguments, "GET", f"/v1/dead-letters/{topic}?{query}", token=token_from(arguments))
        found += answer["letters"]
        start = answer["next"]
        if start >= answer["end"]:
            return found, None
    return found, start


def _replay(arguments: argparse.Namespace) -> int:
    topic, body = _topic(arguments.topic), _wanted(arguments)
    if arguments.all and not arguments.yes and not arguments.dry_run:
        _ask(arguments, topic, body)
    letters = list(_replayed(arguments, topic, body | {"is_dry_run": arguments.dry_run}))
    counts = Counter(str(one["outcome"]) for one in letters)
    if arguments.json:
        print(json.dumps({"topic": topic, "counts": counts, "letters": letters}))
    else:
        for one in letters:
            if one["outcome"] not in _SUCCESSES:
                print(f"{topic}/{one['partition']}/{one['offset']} {one['cause']}: {_WORDS[one['outcome']]}")
        for outcome, count in sorted(counts.items()):
            print(f"{count}: {_WORDS[outcome]}")
        if not letters:
            print("no dead letter is meant by this; see: assent dlq show --list")
    return ExitCode.DONE if letters and counts.keys() <= _SUCCESSES else ExitCode.NO


def _wanted(arguments: argparse.Namespace) -> JsonObject:
    if (arguments.partition is None) != (arguments.offset is None):
        raise CommandError("one record is named by --partition and --offset together")
    if (arguments.offset is not None) + (arguments.cause is not None) + arguments.all != 1:
        raise CommandError("say which records: --partition P --offset O, or --cause C, or --all")
    return {"partition": arguments.partition, "offset": arguments.offset, "cause": arguments.cause, "is_all": arguments.all}


def _ask(arguments: argparse.Namespace, topic: str, body: JsonObject) -> None:
    """How many it would be, and whether they are meant. Raises CommandError where nobody can be asked or the answer is no."""
    if not sys.stdin.isatty():
        raise CommandError("--all asks before it replays, and nobody can be asked here; say --yes, or look first with --dry-run")
    would = sum(one["outcome"] == "would_replay" for one in _replayed(arguments, topic, body | {"is_dry_run": True}))
    if input(f"{would} records of {topic} would be appended again. Type yes to go on: ").strip().lower() != "yes":
        raise CommandError("nothing was replayed", ExitCode.NO)


def _replayed(arguments: argparse.Namespace, topic: str, body: JsonObject) -> Iterator[JsonObject]:
    """Page by page, up to where the dead letters ended when it began: what the replay itself brings about is left alone."""
    start, until = 0, None
    seen: set[tuple[int, int]] = set()
    while until is None or start < until:
        asked = body | {"start": start, "until": until, "limit": _PAGE}
        answer: Answer = call(
            arguments,
            "POST",
            f"/v1/dead-letters/{topic}/replay",
            token=token_from(arguments),
            body=asked,
            timeout_s=_REPLAY_TIMEOUT_S,
        )
        for one in answer["letters"]:
            # One record may have died twice.
            if (one["partition"], one["offset"]) not in seen:
                seen.add((one["partition"], one["offset"]))
                yield one
        start, until = answer["next"], answer["end"]


def _topic(name: str) -> str:
    """Raises CommandError."""
    topic = name.removesuffix(".dlq")
    if topic not in _TOPICS:
        raise CommandError(f"there is no topic {name!r}; name one of {', '.join(_TOPICS)}")
    return topic


_SHOW_EXAMPLES = (
    "assent dlq show",
    "assent dlq show images.scraped --list --cause producer_suspended",
    "assent dlq show images.scraped --list --limit 1000 --json",
)
_REPLAY_EXAMPLES = (
    "assent dlq replay images.scraped --partition 3 --offset 117",
    "assent dlq replay images.scraped --cause producer_suspended",
    "assent dlq replay faces.embedded --all --dry-run",
)

DLQ = Command(
    name="dlq",
    help="look at dead letters, and replay their records",
    examples=("assent dlq show", "assent dlq replay images.scraped --cause producer_suspended"),
    add_arguments=_add_arguments,
    run=_run,
)
