"""The log allow-list: a planted canary must not reach stderr by any way in."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from assent.telemetry.logging import ALLOWED_FIELDS, configure_logging

CANARY = "canary7f3a"
CANARIES: dict[str, Any] = {
    "url": f"https://pictures.example/{CANARY}/me.jpg",
    "name": f"Marie {CANARY}",
    "bytes": CANARY.encode(),
    "mapping": {"final_url": CANARY},
    "object": type(CANARY, (), {})(),
    "long text": CANARY * 20,
    "host": f"{CANARY}.example.org",
    "line break": f"ok\n{CANARY}",
    "file": f"{CANARY}.jpg",
}


@pytest.fixture
def dropped() -> Iterator[list[int]]:
    counts: list[int] = []
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logging("query", on_dropped=counts.append)
    yield counts
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines()
    value = json.loads(line)
    assert isinstance(value, dict)
    return value


def test_allowed_fields_are_written(dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("batch committed", topic="images.scraped", partition=3, offset=41, rules=("QC-3", "CA-1"))
    line = only_line(capsys)
    assert line["event"] == "batch committed"
    assert (line["topic"], line["partition"], line["offset"], line["rules"]) == ("images.scraped", 3, 41, ["QC-3", "CA-1"])
    assert (line["service"], line["level"]) == ("query", "info")
    assert dropped == []


@pytest.mark.parametrize("value", CANARIES.values(), ids=list(CANARIES))
@pytest.mark.parametrize("key", ["reason", "grant_id", "final_url", "surname"])
def test_a_canary_is_withheld_under_any_key(key: str, value: object, dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().warning("something", **{key: value}, count=1)
    line = only_line(capsys)
    assert CANARY not in json.dumps(line)
    assert line["count"] == 1
    assert line["fields_withheld"] == 1
    assert dropped == [1]


def test_a_canary_in_the_event_text_is_withheld(dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info(f"fetched https://x.example/{CANARY}")
    assert only_line(capsys)["event"] == "withheld"
    assert dropped == [1]


def test_a_vector_is_withheld_even_as_a_list_of_numbers(dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("embedded", points=[0.125] * 4, faces=list(range(128)))
    assert only_line(capsys)["fields_withheld"] == 2


def test_an_exception_is_written_without_its_message(dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        structlog.get_logger().exception("step failed")
    line = only_line(capsys)
    assert line["error_class"] == "ValueError"
    assert "test_telemetry_logging.test_an_exception" in line["at"][-1]
    assert CANARY not in json.dumps(line)


def test_bound_and_context_values_pass_the_same_list(dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    structlog.contextvars.bind_contextvars(email=CANARY)
    structlog.get_logger().bind(page=CANARY).info("bound")
    assert CANARY not in json.dumps(only_line(capsys))
    assert dropped == [2]


@pytest.mark.parametrize("speak", [logging.Logger.error, logging.Logger.warning, logging.Logger.critical])
def test_a_library_record_gives_its_place_and_not_its_text(
    speak: Callable[..., None], dropped: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    speak(logging.getLogger("some.library"), "GET %s from %s", CANARY, CANARY)
    line = only_line(capsys)
    assert (line["event"], line["logger"]) == ("library", "some.library")
    assert CANARY not in json.dumps(line)


def test_a_library_below_warning_is_silent(dropped: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET %s", CANARY)
    assert capsys.readouterr().err == ""


def test_no_allowed_field_is_named_for_content() -> None:
    assert not ALLOWED_FIELDS & {"url", "final_url", "page_url", "name", "vector", "value", "exif", "body", "message", "path"}
