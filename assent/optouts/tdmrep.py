"""The W3C community's text and data mining reservation; a 1 anywhere stands, and a 0 elsewhere does not lift it."""

from __future__ import annotations

from urllib.parse import urlsplit

from assent.optouts.bounded_json import JsonUnreadableError, parse_json
from assent.optouts.fetched_file import FetchedFile, FileState, text_of
from assent.optouts.path_pattern import PathPattern
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

RESERVATION = "tdm-reservation"
MAX_TDMREP_BYTES = 512 * 1024


def tdm_reservation(value: str, *, source: SignalSource) -> tuple[OptOutSignal, ...]:
    """The reservation of a header, a meta element or an image; a repeated header may hold several, separated by commas."""
    return tuple(_signal(part.strip(), source) for part in value.split(","))


def tdmrep_json(file: FetchedFile, path: str) -> tuple[OptOutSignal, ...]:
    """What `/.well-known/tdmrep.json` says of one path: the first entry that matches, in the order of the file."""
    text = text_of(file, max_bytes=MAX_TDMREP_BYTES)
    if text is FileState.ABSENT:
        return ()
    if isinstance(text, FileState):
        return (_unknown("unreadable"),)
    try:
        entries = parse_json(text)
    except JsonUnreadableError:
        return (_unknown("malformed"),)
    if not isinstance(entries, list):
        return (_unknown("malformed"),)
    for entry in entries:
        location = entry.get("location") if isinstance(entry, dict) else None
        if not isinstance(location, str):
            return (_unknown("malformed"),)
        if _pattern(location).matches(path):
            return (_signal(str(entry.get(RESERVATION)), SignalSource.TDMREP_JSON),)
    return ()


def _pattern(location: str) -> PathPattern:
    return PathPattern.of(urlsplit(location).path) if "://" in location[:12] else PathPattern.of(location)


def _signal(value: str, source: SignalSource) -> OptOutSignal:
    match value:
        case "1":
            verdict = SignalVerdict.DENY
        case "0":
            verdict = SignalVerdict.NONE
        case _:
            verdict = SignalVerdict.UNKNOWN
    return OptOutSignal(SignalKind.TDMREP, verdict, source, f"{RESERVATION}={value if value in ('0', '1') else 'other'}")


def _unknown(token: str) -> OptOutSignal:
    return OptOutSignal(SignalKind.TDMREP, SignalVerdict.UNKNOWN, SignalSource.TDMREP_JSON, token)
