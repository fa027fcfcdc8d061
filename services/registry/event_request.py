"""The Kafka record of a CloudEvent that came over HTTP, in binary or structured mode; the body is kept byte for byte."""

from __future__ import annotations

import base64
from urllib.parse import unquote

from multidict import CIMultiDictProxy

from assent.events.content_mode import STRUCTURED_CONTENT, Mode, UnknownContentError, mode_of
from assent.events.record import Record
from assent.events.strict_json import AmbiguousJsonError, parse_strictly
from assent.events.structured import NoEventError, parse_structured
from assent.events.topics import Topic
from assent.identity.errors import ApiError
from assent.intake.signature import SIGNATURE_HEADER
from services.registry.route import Parameter

Headers = CIMultiDictProxy[str]
_ATTRIBUTES = ("specversion", "id", "source", "type", "time")
EVENT_CONTENT = (STRUCTURED_CONTENT.decode(), "application/json")
"""Structured mode, and binary mode with the attributes in headers."""
EVENT_HEADERS = (
    Parameter(SIGNATURE_HEADER, "Ed25519 over id, key and body, base64.", place="header", is_required=True),
    *(Parameter(f"ce-{name}", "In binary mode, percent-encoded.", place="header") for name in _ATTRIBUTES),
    Parameter("traceparent", "W3C Trace Context.", place="header"),
)


def record_of(headers: Headers, body: bytes) -> Record:
    """The record as it goes onto the log. Its event is not judged here. Raises ApiError 415 or 422."""
    try:
        mode = mode_of(_one(headers, "content-type").encode())
        told, data = _structured(body) if mode is Mode.STRUCTURED else _binary(headers, body)
        key = _key(parse_strictly(data)).encode()
    except UnknownContentError as error:
        raise ApiError(
            415, error.cause, "The content type is none that is read here.", "Send application/cloudevents+json, one event a request."
        ) from error
    except (NoEventError, AmbiguousJsonError) as error:
        raise ApiError(422, "malformed", f"The event cannot be read: {error}.", "Send an images.scraped.v1 event.") from error
    except UnicodeError as error:
        raise ApiError(
            422, "malformed", "The event cannot be read: it holds what is no UTF-8.", "Send an images.scraped.v1 event."
        ) from error
    trace = [("traceparent", headers["traceparent"].encode(errors="replace"))] if "traceparent" in headers else []
    signed = [(SIGNATURE_HEADER, _signature(headers))]
    return Record(topic=Topic.IMAGES_SCRAPED.value, key=key, value=body, headers=(*told, *trace, *signed))


def _structured(body: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    attributes, data = parse_structured(body)
    return [("ce_id", attributes.get("id", "").encode()), ("content-type", STRUCTURED_CONTENT)], data


def _binary(headers: Headers, body: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Header values are percent-encoded (CloudEvents 1.0, HTTP binding, section 3.1.3.2)."""
    told = [(f"ce_{name}", unquote(_one(headers, f"ce-{name}"), errors="strict").encode()) for name in _ATTRIBUTES]
    return [*told, ("content-type", b"application/json")], body


def _one(headers: Headers, name: str) -> str:
    found = headers.getall(name, [])
    if len(found) > 1:
        raise ApiError(422, "bad_attributes", f"The header {name} is given twice.", "Send it once.")
    return found[0] if found else ""


def _key(data: object) -> str:
    """The key of the record is the sighting's id."""
    match data:
        case {"sighting": {"sighting_id": str(key)}}:
            return key
    raise ApiError(422, "malformed", "The event has no sighting with an id.", "Send an images.scraped.v1 event.")


def _signature(headers: Headers) -> bytes:
    try:
        return base64.b64decode(_one(headers, SIGNATURE_HEADER), validate=True)
    except ValueError as error:
        raise ApiError(422, "bad_signature", "The header assent-signature is not base64.", "Send 64 bytes as base64.") from error
