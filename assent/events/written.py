"""An event whose data stands as JSON already, because it was put together of parts that were JSON before; it says what a model says."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from assent.events.payload import EventPayload


class WrittenEvent(NamedTuple):
    """As an `Event`, with `value` where that has data: the JSON of a `model`, whose key is `key`."""

    id: str
    source: str
    time: datetime
    model: type[EventPayload]
    key: str
    value: bytes
    traceparent: str | None = None

    @property
    def data(self) -> EventPayload:
        """What whoever reads the event is told."""
        return self.model.model_validate_json(self.value)
