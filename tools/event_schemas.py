"""JSON Schemas, AsyncAPI document and table of topics, generated from the event models; a change that breaks a reader is refused."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from assent.events.catalogue import EVENT_TYPES
from assent.events.payload import EventPayload
from assent.events.topics import DEAD_LETTER_SETTINGS, TOPICS, TopicSettings
from tools.asyncapi import asyncapi
from tools.schema_compatibility import Schema, incompatibilities

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("docs/events")
SUFFIX = ".schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What is committed now, and what was before the newest commit: the second is what a fresh clone of a change can compare with.
BASELINES = ("HEAD", "HEAD~1")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.event_schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a committed file differs")
    is_check = parser.parse_args(arguments).check
    breaks = sorted(set(broken()))
    for text in breaks:
        print(f"docs/events: {text}; give the event a new version instead", file=sys.stderr)
    if breaks:
        return 1
    wanted = generated()
    stale = [name for name, text in wanted.items() if _on_disk(name) != text]
    surplus = [path.name for path in sorted((ROOT / FOLDER).glob(f"*{SUFFIX}")) if path.name not in wanted]
    if is_check:
        for name in stale + surplus:
            print(f"docs/events/{name} is not what the code says; run: .venv/bin/python -m tools.event_schemas", file=sys.stderr)
        return 1 if stale or surplus else 0
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    for name in stale:
        (ROOT / FOLDER / name).write_text(wanted[name])
        print(f"docs/events/{name} written")
    return 0


def generated() -> dict[str, str]:
    """File name to text, for every event type and the table of topics."""
    files = {f"{name}{SUFFIX}": _text(schema_of(model)) for name, model in sorted(EVENT_TYPES.items())}
    return {**files, "asyncapi.json": _text(asyncapi()), "topics.md": topics_table()}


def schema_of(model: type[EventPayload]) -> Schema:
    """The schema of one event's data, as a reader validates it."""
    schema = model.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": f"{model.type}{SUFFIX}", "x-topic": model.topic.value, **schema}


def topics_table() -> str:
    """The topics as a page: what is on them, their key, how long they are kept and who writes."""
    lines = [
        "# Topics",
        "",
        "Generated from `assent/events/topics.py` by `python -m tools.event_schemas`; do not edit.",
        "",
        "| topic | events | key | cleanup | kept | partitions | written by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for topic, settings in TOPICS.items():
        events = ", ".join(f"[{name}]({name}{SUFFIX})" for name, model in EVENT_TYPES.items() if model.topic is topic)
        lines.append(_row(f"`{topic.value}`", events, settings))
    lines.append(_row("`NAME.dlq`", "dead letters: place, cause and digest, never the payload", DEAD_LETTER_SETTINGS))
    return "\n".join(lines) + "\n"


def _row(name: str, events: str, settings: TopicSettings) -> str:
    if settings.retention_s is None:
        kept = "newest of each key" if settings.cleanup == "compact" else "for ever"
    else:
        hours = settings.retention_s // 3600
        kept = f"{hours} h" if hours <= 48 else f"{hours // 24} days"
    if settings.min_compaction_lag_s:
        kept += f", no sooner than {settings.min_compaction_lag_s // 60} min"
    owners = ", ".join(settings.owners)
    return f"| {name} | {events} | {settings.key} | {settings.cleanup} | {kept} | {settings.partitions} | {owners} |"


def broken(root: Path = ROOT) -> Iterator[str]:
    """What the models of this tree break for events that the repository at `root` has already promised."""
    for name, old in _committed(root):
        model = EVENT_TYPES.get(name)
        if model is None:
            yield f"{name} was removed"
        else:
            yield from (f"{name}: {text}" for text in incompatibilities(old, schema_of(model)))


def _committed(root: Path) -> Iterator[tuple[str, Schema]]:
    for commit in BASELINES:
        listed = _git(root, "ls-tree", "--name-only", commit, f"{FOLDER}/")
        for path in (listed or "").splitlines():
            text = _git(root, "show", f"{commit}:{path}") if path.endswith(SUFFIX) else None
            if text is not None:
                yield Path(path).name.removesuffix(SUFFIX), json.loads(text)


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is no such commit or no git: then there is nothing to compare with."""
    try:
        done = subprocess.run(("git", *arguments), cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _on_disk(name: str) -> str | None:
    path = ROOT / FOLDER / name
    return path.read_text() if path.is_file() else None


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
