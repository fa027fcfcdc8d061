"""Spans as lines of OTLP JSON in a file, for a collector to read; a full disk loses spans and never stops a service."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import structlog

from assent.telemetry.spans import Span

MAX_FILE_BYTES = 64 * 1024 * 1024
_LOG = structlog.get_logger()


class SpanFile:
    """One request of OTLP (`ExportTraceServiceRequest`) per line. A full file is kept as `NAME.1`, the one before it goes.

    Unsampled spans are not written.
    """

    def __init__(self, path: Path, *, service: str, max_bytes: int = MAX_FILE_BYTES) -> None:
        self._path = path
        self._service = service
        self._max_bytes = max_bytes
        # Unbuffered: what a full disk did not take must not gather in memory.
        self._file: FileIO | None = None
        self._is_failing = False

    def open(self) -> None:
        """Begin to append. Raises OSError, at start only."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = FileIO(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a")

    def close(self) -> None:
        """Stop."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def export(self, spans: Sequence[Span]) -> None:
        sampled = [_otlp(span) for span in spans if span.context.is_sampled]
        if self._file is None or not sampled:
            return
        line = json.dumps(_request(self._service, sampled), separators=(",", ":"))
        try:
            self._file.write(line.encode() + b"\n")
            if self._file.tell() >= self._max_bytes:
                self._begin_anew()
        except OSError:
            if not self._is_failing:
                _LOG.warning("spans_lost")
            self._is_failing = True
        else:
            self._is_failing = False

    def _begin_anew(self) -> None:
        self.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self.open()


def _request(service: str, spans: list[dict[str, Any]]) -> dict[str, Any]:
    resource = {"attributes": [_attribute("service.name", service)]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "assent"}, "spans": spans}]}]}


def _otlp(span: Span) -> dict[str, Any]:
    """The protobuf's JSON: ids in hex, times as decimal strings of nanoseconds."""
    began = int(span.began_at.timestamp() * 1_000_000) * 1_000
    return {
        "traceId": span.context.trace_id,
        "spanId": span.context.span_id,
        "parentSpanId": span.parent_span_id or "",
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + int(span.seconds * 1_000_000_000)),
        "attributes": [_attribute(name, value) for name, value in span.attributes.items()],
        "status": {"code": 2} if span.is_error else {},
    }


def _attribute(name: str, value: str | int) -> dict[str, Any]:
    return {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
