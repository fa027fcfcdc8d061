"""Events of the registry onto the log, acknowledged; what was not acknowledged is never reported as done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from assent.events.envelope import Event, encode, event_id
from assent.events.grants import GrantSnapshot
from assent.events.payload import EventPayload
from assent.events.record import Record
from assent.identity.errors import ApiError
from assent.stream.event_log import EventLog, LogUnavailableError, UnknownTopicError

SOURCE = "/assent/registry"
Offsets = dict[str, int]
"""`topic/partition` to the offset of the last record written there."""


class LogAwayError(ApiError):
    """Raised when the log did not acknowledge what was appended: it may lie there or not, and nothing is reported as done."""

    def __init__(self) -> None:
        super().__init__(503, "log_unavailable", "The event log did not acknowledge this.", "Try again in a moment.")


class Publisher:
    """Appends and says where things came to lie. `signed` puts the registry's signature on what is the registry's own."""

    def __init__(self, log: EventLog, *, signed: Callable[[Record], Record]) -> None:
        self._log = log
        self._signed = signed

    async def publish(self, events: Sequence[Event[EventPayload]]) -> Offsets:
        """Append all of them, signed, in one call; returns when the log has acknowledged each."""
        return await self.append([self._signed(encode(event)) for event in events])

    async def append(self, records: Sequence[Record]) -> Offsets:
        """The same for records that are encoded or signed already. Raises LogAwayError."""
        try:
            places = await self._log.append(list(records))
        except (LogUnavailableError, UnknownTopicError) as error:
            # Every topic was there at the start: a broker that has just come back knows none for a moment.
            raise LogAwayError from error
        offsets: Offsets = {}
        for place in places:
            name = f"{place.topic}/{place.partition}"
            offsets[name] = max(place.offset, offsets.get(name, place.offset))
        return offsets


def registry_event(data: EventPayload, *parts: str | int, time: datetime) -> Event[EventPayload]:
    """An event of the registry; the same parts give the same id, so that a repeated append is one fact."""
    return Event(id=event_id(data.type, *parts), source=SOURCE, time=time, data=data)


def snapshot_event(data: GrantSnapshot, *, time: datetime) -> Event[EventPayload]:
    """The event of one revision of a grant."""
    return registry_event(data, data.grant_id, data.revision, time=time)
