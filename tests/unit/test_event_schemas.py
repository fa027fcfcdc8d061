"""Event schemas: committed as the code says, and every change that would break a reader is named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assent.events.catalogue import EVENT_TYPES
from assent.events.topics import TOPICS
from tools.event_schemas import FOLDER, ROOT, broken, generated, main, schema_of, topics_table
from tools.schema_compatibility import incompatibilities

OLD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 10},
        "kind": {"$ref": "#/$defs/Kind"},
        "score": {"type": "number", "minimum": 0},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "boxes": {"type": "array", "items": {"$ref": "#/$defs/Box"}, "maxItems": 4},
    },
    "required": ["id"],
    "$defs": {
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "Box": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    },
}


def changed(*path: str, to: Any) -> dict[str, Any]:
    def put(value: Any, rest: tuple[str, ...]) -> Any:
        if not rest:
            return to
        return {**value, rest[0]: put(value.get(rest[0], {}), rest[1:])}

    result: dict[str, Any] = put(OLD, path)
    return result


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (changed("required", to=["id", "score"]), "score became required"),
        (changed("properties", to={k: v for k, v in OLD["properties"].items() if k != "note"}), "note was removed"),
        (changed("properties", "id", "maxLength", to=9), "id has a lower maxLength"),
        (changed("properties", "id", "pattern", to="x"), "id has another pattern"),
        (changed("properties", "id", "type", to="integer"), "id changed its type"),
        (changed("properties", "score", "minimum", to=1), "score has a higher minimum"),
        (changed("properties", "score", "type", to="integer"), "score changed its type"),
        (changed("properties", "note", to={"type": "string"}), "note no longer accepts null"),
        (changed("properties", "boxes", "maxItems", to=3), "boxes has a lower maxItems"),
        (changed("properties", "boxes", "minItems", to=1), "boxes has a higher minItems"),
        (changed("$defs", "Kind", "enum", to=["a"]), "kind lost values: ['b']"),
        (changed("$defs", "Box", "required", to=["x", "y"]), "boxes[].y became required"),
        (changed("$defs", "Box", "properties", to={}), "boxes[].x was removed"),
    ],
)
def test_a_change_that_breaks_a_reader_is_named(new: dict[str, Any], said: str) -> None:
    assert any(said in text for text in incompatibilities(OLD, new))


def renamed(old: str, new: str) -> dict[str, Any]:
    return changed("properties", to={new if name == old else name: schema for name, schema in OLD["properties"].items()})


# One of each kind, as a service that was not yet updated would meet it.
@pytest.mark.parametrize(
    ("new", "said"),
    [
        (changed("properties", to={k: v for k, v in OLD["properties"].items() if k != "id"}), "value.id was removed"),
        (renamed("note", "remark"), "value.note was removed"),
        (changed("$defs", "Kind", "enum", to=["a"]), "lost values: ['b']"),
        (changed("required", to=["id", "note"]), "value.note became required"),
        (changed("properties", "score", "type", to="string"), "value.score changed its type from number to string"),
        (changed("required", to=[]), "for a reader of the old schema, value.id became required"),
        (changed("properties", "id", to={"type": "string"}), "for a reader of the old schema, value.id has a lower maxLength"),
        (changed("properties", "id", to=OLD["properties"]["note"]), "for a reader of the old schema, value.id no longer accepts null"),
        (changed("$defs", "Kind", "enum", to=["a", "b", "c"]), "for a reader of the old schema, value.kind lost values: ['c']"),
        (changed("properties", "boxes", "maxItems", to=5), "for a reader of the old schema, value.boxes has a lower maxItems"),
    ],
)
def test_a_change_that_breaks_an_old_event_or_an_old_reader_is_named(new: dict[str, Any], said: str) -> None:
    assert any(said in text for text in incompatibilities(OLD, new)), incompatibilities(OLD, new)


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        changed("properties", "more", to={"type": "string"}),
        changed("$defs", "Box", "properties", "y", to={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        changed("properties", "id", "description", to="other words"),
    ],
)
def test_a_field_that_may_be_left_out_breaks_nobody(new: dict[str, Any]) -> None:
    assert incompatibilities(OLD, new) == []


VERSIONS = [{"type": "string", "const": "a/1"}, {"type": "string", "enum": ["a/1", "a/2"]}]


def test_a_new_version_of_a_record_is_for_old_readers_to_refuse_and_an_old_one_is_never_dropped() -> None:
    one, two = ({"type": "object", "properties": {"schema_version": version}} for version in VERSIONS)
    assert incompatibilities(one, two) == []
    assert incompatibilities(two, one) != []
    inner = [{"type": "object", "properties": {"part": version}} for version in (one, two)]
    assert incompatibilities(*inner) != [], "of the record as a whole alone"


def test_the_committed_files_are_what_the_code_says() -> None:
    for name, text in generated().items():
        assert (ROOT / FOLDER / name).read_text() == text, f"{name}: run .venv/bin/python -m tools.event_schemas"
    assert main(["--check"]) == 0


def test_every_schema_is_compatible_with_itself() -> None:
    for model in EVENT_TYPES.values():
        assert incompatibilities(schema_of(model), schema_of(model)) == []


def test_every_topic_and_event_stands_in_the_table() -> None:
    table = topics_table()
    assert all(f"`{topic.value}`" in table for topic in TOPICS)
    assert all(f"[{name}]" in table for name in EVENT_TYPES)


@pytest.fixture
def commit(tmp_path: Path) -> Callable[[str, dict[str, Any]], None]:
    """Commits one schema to a repository at `tmp_path`."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)

    def do(name: str, schema: dict[str, Any]) -> None:
        path = tmp_path / FOLDER / f"{name}.schema.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema))
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "--quiet", "--no-gpg-sign", "--no-verify", "-m", name], check=True)

    return do


def test_nothing_is_broken_before_the_first_commit(tmp_path: Path) -> None:
    assert list(broken(tmp_path)) == []


def test_what_was_committed_must_stay_readable(tmp_path: Path, commit: Callable[[str, dict[str, Any]], None]) -> None:
    promised = schema_of(EVENT_TYPES["withdrawals.v1"])
    commit("withdrawals.v1", promised)
    assert list(broken(tmp_path)) == []
    promised["properties"]["reason"] = {"type": "string"}
    commit("withdrawals.v1", promised)
    assert list(broken(tmp_path)) == ["withdrawals.v1: value.reason was removed"]


def test_the_commit_before_the_newest_counts_too(tmp_path: Path, commit: Callable[[str, dict[str, Any]], None]) -> None:
    commit("vanished.v1", {"type": "object"})
    commit("withdrawals.v1", schema_of(EVENT_TYPES["withdrawals.v1"]))
    assert "vanished.v1 was removed" in list(broken(tmp_path))
