"""A CloudEvent as one JSON document (CloudEvents 1.0 JSON format, section 3): its attributes and its data, or no event at all."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from assent.events.content_mode import is_json
from assent.events.strict_json import AmbiguousJsonError, parse_strictly

_NAME = re.compile(r"[a-z0-9]{1,64}")
_MAX_INTEGER = 2**31
_TEXTS = frozenset({"id", "source", "type"})
"""Never a number or a truth value. `time` and `specversion` are not either: no such text is one of theirs."""


class NoEventError(ValueError):
    """Raised when a document is no CloudEvent. `cause` is `malformed` or `bad_attributes`."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


def parse_structured(value: bytes) -> tuple[dict[str, str], bytes]:
    """Attributes as text, and the data as JSON. Raises NoEventError.

    Extension attributes that nobody here knows are allowed, as the specification demands, and ignored.
    """
    try:
        whole = parse_strictly(value)
    except AmbiguousJsonError as error:
        raise NoEventError("malformed", str(error)) from error
    if not isinstance(whole, dict):
        raise NoEventError("malformed", "the value is not a JSON object")
    data = _data(whole)
    attributes = {name: _text(name, told) for name, told in whole.items() if told is not None}
    media = attributes.get("datacontenttype", "application/json").partition(";")[0].strip().lower()
    if not is_json(media):
        raise NoEventError("bad_attributes", "datacontenttype is not JSON")
    return attributes, data


def _data(whole: dict[str, Any]) -> bytes:
    """Takes `data` or `data_base64` out of the document: exactly one of them, and a JSON object either way."""
    data, encoded = whole.pop("data", None), whole.pop("data_base64", None)
    if (data is None) == (encoded is None):
        raise NoEventError("malformed", "an event has either data or data_base64")
    if encoded is None:
        return json.dumps(data).encode()
    if not isinstance(encoded, str):
        raise NoEventError("malformed", "data_base64 is not a string")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise NoEventError("malformed", "data_base64 is not base64") from error


def _text(name: str, told: Any) -> str:
    """An attribute as the types of CloudEvents allow it in JSON: string, boolean or 32-bit integer."""
    if not _NAME.fullmatch(name):
        raise NoEventError("bad_attributes", "attributes are named by lower-case letters and digits")
    match told:
        case str():
            return told
        case bool() if name not in _TEXTS:
            return "true" if told else "false"
        case int() if -_MAX_INTEGER <= told < _MAX_INTEGER and name not in _TEXTS:
            return str(told)
        case _:
            raise NoEventError("bad_attributes", f"attribute {name} has no type of CloudEvents")
