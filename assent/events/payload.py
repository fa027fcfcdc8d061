"""The root of every event model: frozen, strict about what we write, lenient about what others may add on the wire."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

from assent.events.topics import Topic

UtcTime = AwareDatetime
"""RFC 3339 with an offset; a naive time is refused."""


class WireModel(BaseModel):
    """A part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")


class EventPayload(WireModel):
    """The data of one event type; the subclass names its type, its topic and its key."""

    type: ClassVar[str]
    topic: ClassVar[Topic]

    def key(self) -> str:
        """The record key, so that all events about one thing share a partition."""
        raise NotImplementedError
