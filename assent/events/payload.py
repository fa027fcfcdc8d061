"""The root of every event model: frozen, strict about what we write, lenient about what others may add on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from assent.events.topics import Topic

_DATE = re.compile(r"(?!0001-01-01|9999-12-31)[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
"""Not the first and the last day that a date can have: with an offset they may lie beyond it in UTC, where no time can be told."""


def _written_as_a_date(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise PydanticCustomError("time", "write a time as RFC 3339 with its offset, for example 2027-01-31T09:00:00Z")


UtcTime = Annotated[AwareDatetime, BeforeValidator(_written_as_a_date)]
"""RFC 3339 with an offset. A naive time is refused, and so is a number or its text: 20270131 would be a day of the year 1970."""


_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)


def writable(time: datetime) -> datetime:
    """The nearest time, in UTC, that every reader of a UtcTime takes. For what has to be written whatever the time says."""
    return min(max(time, _FIRST), _LAST).astimezone(UTC)


def _in_pythons_utc(time: datetime) -> datetime:
    return time if time.utcoffset() else time.replace(tzinfo=UTC)


ComparedTime = Annotated[UtcTime, AfterValidator(_in_pythons_utc)]
"""A UtcTime that is read once and compared ten thousand times a second: two times in Python's own UTC are compared thirty times as
fast as one in the validator's. Another offset is kept as it was written."""


class WireModel(BaseModel):
    """A part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")

    def to_json(self) -> bytes:
        """What `model_dump_json` would give, as the bytes that it is made from."""
        return self.__pydantic_serializer__.to_json(self)


class EventPayload(WireModel):
    """The data of one event type; the subclass names its type, its topic and its key."""

    type: ClassVar[str]
    topic: ClassVar[Topic]

    def key(self) -> str:
        """The record key, so that all events about one thing share a partition."""
        raise NotImplementedError
