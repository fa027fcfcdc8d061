"""In which of CloudEvents' modes a record comes, by its content type; a batch and a format that is not JSON are none of ours."""

from __future__ import annotations

from enum import StrEnum

STRUCTURED_CONTENT = b"application/cloudevents+json"
_ANY_FORMAT = "application/cloudevents"
_BATCH = "application/cloudevents-batch"


class Mode(StrEnum):
    """`binary`: attributes in headers, data as the value; `structured`: the whole event as the value."""

    BINARY = "binary"
    STRUCTURED = "structured"


class UnknownContentError(ValueError):
    """Raised when a content type is none that is read. `cause` is `batched` or `unknown_content`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def mode_of(content_type: bytes | None) -> Mode:
    """The mode. A record without a content type is binary. Raises UnknownContentError."""
    media, *parameters = (content_type or b"application/json").decode("latin-1").lower().split(";")
    media = media.strip()
    if media.startswith(_BATCH):
        raise UnknownContentError("batched")
    charsets = [value.strip().strip('"') for name, _, value in (part.partition("=") for part in parameters) if name.strip() == "charset"]
    if any(charset != "utf-8" for charset in charsets):
        raise UnknownContentError("unknown_content")
    if media == STRUCTURED_CONTENT.decode():
        return Mode.STRUCTURED
    if is_json(media):
        return Mode.BINARY
    raise UnknownContentError("unknown_content")


def is_json(media: str) -> bool:
    """The media type, without parameters and in lower case, is JSON that is not an event format."""
    return media == "application/json" or (media.endswith("+json") and not media.startswith(_ANY_FORMAT))
