"""Log lines as JSON on stderr through an allow-list; never bytes, vectors, names, URLs or EXIF, whatever a caller passes."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import structlog

ALLOWED_FIELDS = frozenset(
    # which thing
    "grant_id subject_id sighting_id image_id face_id query_id erasure_id producer request_id trace_id span_id event_id "
    # where on the log
    "topic partition offset group table partitions revision generation "
    # what was decided and why
    "stage outcome reason rule rules decision cause jurisdictions policy_version purpose basis state level store method "
    # how much and how long
    "count bytes_total duration_s elapsed_ms age_s deadline_s attempt lag records points faces lines ports "
    # the process itself
    "service version port status signal exit_code error error_class setting pack model_digest component check route".split()
)
"""Field names that may be written. `error` and `error_class` hold a class name, never a message."""

MAX_VALUE_CHARACTERS = 128
WITHHELD = "withheld"

_EVENT = re.compile(r"[A-Za-z][A-Za-z0-9 _.,'()-]{0,119}")
_VALUE = re.compile(r"[A-Za-z0-9_.:+-]+")
_HOST_OR_URL = re.compile(r"//|(?i:^www\.|\.(?:com|org|net|ca|test|example|html?|jpe?g|png|webp)$)")

Level = int
EventDict = MutableMapping[str, Any]


class AllowList:
    """A structlog processor that keeps what may be written and counts the rest through `on_dropped`.

    A value is kept when it is a number, a truth value, None, or one word of letters, digits and `_.:+-`; so a URL, a sentence, a
    name with a space and bytes are withheld even under an allowed key.
    """

    def __init__(self, on_dropped: Callable[[int], None]) -> None:
        self._on_dropped = on_dropped

    def __call__(self, _logger: object, method: str, event_dict: EventDict) -> EventDict:
        event = event_dict.pop("event", None)
        error = event_dict.pop("exc_info", None)
        kept: dict[str, Any] = {}
        dropped = 0
        for key, value in event_dict.items():
            if key in ALLOWED_FIELDS and _is_plain(value):
                kept[key] = list(value) if isinstance(value, (tuple, list, frozenset, set)) else value
            else:
                dropped += 1
        if not isinstance(event, str) or not _EVENT.fullmatch(event):
            event, dropped = WITHHELD, dropped + 1
        if dropped:
            kept["fields_withheld"] = dropped
            self._on_dropped(dropped)
        kept.update(_exception(error))
        return {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": method, "event": event, **kept}


def configure_logging(service: str, *, on_dropped: Callable[[int], None] = lambda _count: None, level: Level = logging.INFO) -> None:
    """Send structlog and the standard library's loggers through the allow-list, for the whole process.

    `on_dropped` is called with the number of fields withheld from a line; wire it to LOG_FIELDS_DROPPED.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            AllowList(on_dropped),
            _named(service),
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _StderrLogger(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_CurrentStderr())
    handler.setFormatter(_LibraryFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # What a library has to say below WARNING is access lines and request URLs.
    root.setLevel(max(level, logging.WARNING))


def _is_plain(value: object) -> bool:
    match value:
        case None | bool() | int() | float():
            return True
        case str():
            return len(value) <= MAX_VALUE_CHARACTERS and bool(_VALUE.fullmatch(value)) and not _HOST_OR_URL.search(value)
        case tuple() | list() | frozenset() | set():
            # A long row of numbers is a vector, whatever its key says.
            return len(value) <= 16 and all(isinstance(item, (str, int)) and _is_plain(item) for item in value)
        case _:
            return False


def _named(service: str) -> Callable[[object, str, EventDict], EventDict]:
    def add(_logger: object, _method: str, event_dict: EventDict) -> EventDict:
        return {**event_dict, "service": service}

    return add


def _exception(error: object) -> dict[str, Any]:
    """Class and place of an exception; its message is left out, because it may quote the input."""
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if not isinstance(error, BaseException):
        return {}
    return {"error_class": type(error).__qualname__, "at": _places(error.__traceback__)}


def _places(trace: TracebackType | None) -> list[str]:
    """The last six frames as `module.function:line`."""
    frames = list(traceback.walk_tb(trace))[-6:]
    return [f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}:{line}" for frame, line in frames]


class _CurrentStderr:
    """Standard error as it is at the moment of writing, so that a redirect made later is obeyed."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _StderrLogger:
    """Writes one finished line."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = fatal = exception = log = msg


class _LibraryFormatter(logging.Formatter):
    """A library's record as logger, level, place and exception class: its text is not ours and may hold a URL."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        return _json(
            {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "event": "library",
                "logger": record.name,
                "at": f"{record.module}:{record.lineno}",
                **_exception(record.exc_info),
                "service": self._service,
            }
        )


def _json(value: object, **_options: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
