"""Answers that keep a crawler out; a wall is a no, and nothing here looks for a way round it."""

from __future__ import annotations

from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

WALLS = frozenset({401, 402, 403, 407, 429, 451})


def status_optouts(status: int) -> tuple[OptOutSignal, ...]:
    """The signal of a status that asks for a login, a payment or absence."""
    if status not in WALLS:
        return ()
    return (OptOutSignal(SignalKind.ACCESS, SignalVerdict.DENY, SignalSource.STATUS, f"status={status}"),)


def challenge_header(name: str) -> tuple[OptOutSignal, ...]:
    """The signal of a header (name in lower case) that comes with a login or a puzzle for humans, under any status."""
    if name not in ("www-authenticate", "cf-mitigated"):
        return ()
    return (OptOutSignal(SignalKind.ACCESS, SignalVerdict.DENY, SignalSource.HEADER, name),)
