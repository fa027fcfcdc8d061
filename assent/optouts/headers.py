"""Opt-outs in the headers of a page or an image; every repetition of a header is read, in any case of letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assent.optouts.access import challenge_header
from assent.optouts.content_signal import content_signal
from assent.optouts.content_usage import content_usage
from assent.optouts.robots_tag import robots_tag
from assent.optouts.rsl import link_header, rsl_media_type
from assent.optouts.signal import OptOutSignal, SignalSource
from assent.optouts.tdmrep import RESERVATION, tdm_reservation


def header_optouts(headers: Sequence[tuple[str, str]], agent: str, *, now: datetime | None = None) -> tuple[OptOutSignal, ...]:
    """The signals of all headers in order. `now` has a time zone; without it a dated end counts as reached."""
    return tuple(signal for name, value in headers for signal in _one(name.strip().lower(), value, agent, now))


def _one(name: str, value: str, agent: str, now: datetime | None) -> tuple[OptOutSignal, ...]:
    match name:
        case "x-robots-tag":
            return robots_tag(value, agent=agent, now=now, source=SignalSource.HEADER)
        case "content-usage":
            return content_usage(value, source=SignalSource.HEADER)
        case "content-signal":
            return content_signal(value, source=SignalSource.HEADER)
        case "link":
            return link_header(value)
        case "content-type":
            return rsl_media_type(value)
        case _ if name == RESERVATION:
            return tdm_reservation(value, source=SignalSource.HEADER)
        case _:
            return challenge_header(name)
