"""Content-Usage (IETF AI preferences) of a header or a robots.txt rule; any `n` refuses, and no `y` ever makes up for it."""

from __future__ import annotations

from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict
from assent.optouts.structured_dictionary import Member, StructuredFieldError, parse_dictionary


def content_usage(value: str, *, source: SignalSource) -> tuple[OptOutSignal, ...]:
    """One signal for each label; labels of older and newer drafts count alike, since each may mean what is done here."""
    try:
        members = parse_dictionary(value)
    except StructuredFieldError:
        return (OptOutSignal(SignalKind.CONTENT_USAGE, SignalVerdict.UNKNOWN, source, "malformed"),)
    return tuple(_signal(member, source) for member in members)


def _signal(member: Member, source: SignalSource) -> OptOutSignal:
    match member.token:
        case "n":
            verdict = SignalVerdict.DENY
        case "y":
            verdict = SignalVerdict.NONE
        case _:
            verdict = SignalVerdict.UNKNOWN
    return OptOutSignal(SignalKind.CONTENT_USAGE, verdict, source, f"{member.key}={member.token or 'other'}")
