"""The place that a controller says it controls, the file or record that shows it, and what an answer to a look comes to; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from assent.consent.source_url import SourceUrlError, has_wildcard, normalise_url, without_scheme
from assent.events.grants import SourceKindRule, SourceRule
from assent.fetching.address_guard import Socket
from assent.fetching.fetcher import Fetched, FetchFailure
from assent.fetching.txt_records import LookupFailure, TxtAnswer

CONTROL_FILE = "/.well-known/assent-control.txt"
CONTROL_LABEL = "_assent-control"
"""In front of the host. No host name begins with an underscore, so nobody is given this one as a host of theirs."""
MAX_NAME_CHARS = 253
LINE_BEGINS = "assent-control="
MAX_FILE_BYTES = 16_384
_PORTS = {"http": 80, "https": 443}


class ControlPlaceError(ValueError):
    """Raised when a place cannot be proven. The message says what to write instead."""


class ControlWay(StrEnum):
    """How control is shown: by a file of the host, or by a record of its zone."""

    FILE = "file"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class ControlPlace:
    """`name` is host, port and folder without scheme, as source rules are matched; `file_url` lies at the root of that very host."""

    name: str
    file_url: str


class Showing(StrEnum):
    """What one look at the file or the record came to."""

    SHOWN = "shown"
    NO_ANSWER = "no_answer"
    CLOSED_ADDRESS = "closed_address"
    MOVED = "moved"
    NO_FILE = "no_file"
    NOT_TEXT = "not_text"
    OTHER_LINES = "other_lines"
    NO_RECORD = "no_record"
    OTHER_RECORDS = "other_records"
    UNFOUNDED = "unfounded"

    @property
    def is_denial(self) -> bool:
        """The host or its zone itself answered, and does not say it (any more); an outage says nothing."""
        return self in (Showing.NO_FILE, Showing.NOT_TEXT, Showing.OTHER_LINES, Showing.NO_RECORD, Showing.OTHER_RECORDS)


def control_place(url: str, *, allowed_sockets: frozenset[Socket]) -> ControlPlace:
    """The place of a URL: a whole host, or a folder on it. Raises ControlPlaceError.

    Only https, because whoever sits on the way to a host can answer for it over http; a socket of the demonstration is on this machine.
    """
    if has_wildcard(url) or "?" in url or "#" in url:
        raise ControlPlaceError("name a host or a folder on it, without wildcard, query or fragment")
    try:
        spelled = normalise_url(url)
    except SourceUrlError as error:
        raise ControlPlaceError(str(error)) from error
    parts = urlsplit(spelled)
    host = parts.hostname or ""
    if parts.scheme != "https" and (host, parts.port or _PORTS[parts.scheme]) not in allowed_sockets:
        raise ControlPlaceError("control is shown over https only; write https:// and serve the file there")
    if _is_address(host) and (host, parts.port or _PORTS[parts.scheme]) not in allowed_sockets:
        raise ControlPlaceError("an address has no controller of its own; write the name of the host")
    folder = spelled if spelled.endswith("/") else f"{spelled}/"
    return ControlPlace(without_scheme(folder), f"{parts.scheme}://{parts.netloc}{CONTROL_FILE}")


def control_line(token: str) -> str:
    """The line that the file must hold, alone on its line; other lines may stand beside it."""
    return f"{LINE_BEGINS}{token}"


def record_name(place: str) -> str | None:
    """Where the record of a place stands: below the very host of it. None where the host is an address or its name leaves no room."""
    host = urlsplit(f"//{place}").hostname or ""
    name = f"{CONTROL_LABEL}.{host}"
    return None if _is_address(host) or len(name) > MAX_NAME_CHARS or any(len(label) > 63 for label in host.split(".")) else name


def showing_in_records(answer: TxtAnswer | LookupFailure, token: str) -> Showing:
    """Whether one of the records is the line of this token, whole. What an alias points to is the word of another name."""
    if isinstance(answer, LookupFailure):
        return Showing.NO_ANSWER
    if answer.is_alias:
        return Showing.MOVED
    if control_line(token).encode() in (record.strip() for record in answer.records):
        return Showing.SHOWN
    if answer.records:
        return Showing.OTHER_RECORDS
    return Showing.NO_RECORD if answer.is_denied else Showing.UNFOUNDED


def showing(answer: Fetched | FetchFailure, token: str) -> Showing:
    """Whether the answer is the file with the line of this token. A page is no file: a visitor may have written on it."""
    if isinstance(answer, FetchFailure):
        return Showing.CLOSED_ADDRESS if answer is FetchFailure.ADDRESS else Showing.NO_ANSWER
    if answer.redirect_to is not None:
        return Showing.MOVED
    if answer.status in (404, 410):
        return Showing.NO_FILE
    if answer.status != 200:
        return Showing.NO_ANSWER
    if (answer.header("Content-Type") or "").partition(";")[0].strip().lower() != "text/plain":
        return Showing.NOT_TEXT
    lines = answer.body.decode("utf-8", errors="replace").splitlines()
    return Showing.SHOWN if control_line(token) in (line.strip() for line in lines) else Showing.OTHER_LINES


def with_control(
    sources: Iterable[SourceRule], proven: Iterable[tuple[str, datetime]], *, asks_each: Container[str] = ()
) -> tuple[SourceRule, ...]:
    """The rules with the end of the longest proof that covers each; a rule for one photograph needs none, and carries one only where it
    sets content rights aside, which count no longer than the proof.

    `proven` are names of places, each ending in a slash, with the end of their proof. For a folder of `asks_each` none counts.
    """
    held = tuple(proven)
    return tuple(rule.model_copy(update={"control_until": None if rule.value in asks_each else _until(rule, held)}) for rule in sources)


def _until(rule: SourceRule, proven: tuple[tuple[str, datetime], ...]) -> datetime | None:
    if rule.kind is not SourceKindRule.URL_PREFIX and not (rule.kind is SourceKindRule.IMAGE_URL and rule.overrides):
        # No account can be logged in to from here yet, so control of one cannot be shown.
        return None
    place = without_scheme(rule.value)
    return max((until for name, until in proven if place.startswith(name)), default=None)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
