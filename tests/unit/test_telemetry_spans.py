"""Spans: children of the header they came with, written as OTLP, lost rather than in the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assent.events.record import StoredRecord
from assent.stream.record_span import record_span
from assent.telemetry.span_file import SpanFile
from assent.telemetry.spans import OpenSpan, SpanKind
from assent.telemetry.tracing import TraceContext

NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
PARENT = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
RECORD = StoredRecord("images.scraped", 3, 41, 0, b"sighting-of-ada", b"{}", ())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line)["resourceSpans"][0] for line in path.read_text().splitlines()]


def test_a_step_is_a_child_of_its_header() -> None:
    span = OpenSpan.under(PARENT.header(), now=NOW)
    assert (span.context.trace_id, span.parent_span_id) == (PARENT.trace_id, PARENT.span_id)
    assert span.context.span_id != PARENT.span_id


def test_a_header_that_is_none_begins_a_trace() -> None:
    for header in (None, "", "ada@private.example", PARENT.header() + "-ada"):
        span = OpenSpan.under(header, now=NOW)
        assert span.parent_span_id is None
        assert span.context.trace_id != PARENT.trace_id


def test_a_span_is_written_as_otlp_and_names_nobody(tmp_path: Path) -> None:
    file = SpanFile(tmp_path / "traces" / "geofence.jsonl", service="geofence")
    file.open()
    opened = OpenSpan.under(PARENT.header(), now=NOW)
    file.export([record_span(opened, RECORD, stage="geofence", outcome="dead", reason="bad_signature", seconds=0.5)])
    file.close()
    (found,) = lines(tmp_path / "traces" / "geofence.jsonl")
    assert found["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "geofence"}}]
    (span,) = found["scopeSpans"][0]["spans"]
    assert span["traceId"] == PARENT.trace_id
    assert span["parentSpanId"] == PARENT.span_id
    assert span["spanId"] == opened.context.span_id
    assert (span["name"], span["kind"], span["status"]) == ("geofence images.scraped", 5, {"code": 2})
    assert span["startTimeUnixNano"] == "1780315200250000000"
    assert span["endTimeUnixNano"] == "1780315200750000000"
    attributes = {one["key"]: one["value"] for one in span["attributes"]}
    assert attributes["messaging.kafka.offset"] == {"intValue": "41"}
    assert attributes["messaging.destination.partition.id"] == {"stringValue": "3"}
    assert "ada" not in json.dumps(found)


def test_what_is_not_sampled_is_not_written(tmp_path: Path) -> None:
    file = SpanFile(tmp_path / "t.jsonl", service="x")
    file.open()
    silent = TraceContext(PARENT.trace_id, PARENT.span_id, is_sampled=False)
    span = OpenSpan.under(silent.header(), now=NOW)
    assert not span.context.is_sampled
    file.export([span.ended("x", SpanKind.PRODUCER, seconds=0.0, attributes={})])
    file.close()
    assert lines(tmp_path / "t.jsonl") == []


def test_a_full_file_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    file = SpanFile(path, service="x", max_bytes=1_000)
    file.open()
    for number in range(12):
        file.export([OpenSpan.under(None, now=NOW).ended(f"step {number}", SpanKind.PRODUCER, seconds=0.0, attributes={})])
    file.close()
    assert sorted(found.name for found in tmp_path.iterdir()) == ["t.jsonl", "t.jsonl.1"]
    assert (tmp_path / "t.jsonl.1").stat().st_size < 2_000
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_loses_spans_and_stops_nothing() -> None:
    file = SpanFile(Path("/dev/full"), service="x")
    file.open()
    for _ in range(2):
        file.export([OpenSpan.under(None, now=NOW).ended("step", SpanKind.PRODUCER, seconds=0.0, attributes={})])
    file.close()
