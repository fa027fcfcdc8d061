"""Content-Signal lines (`search=yes, ai-train=no`); any `no` refuses, and a word nobody can read is not taken for a yes."""

from __future__ import annotations

import re

from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

# `use=` says how much of a page may be consumed; only `full` leaves nothing reserved.
_WITHOUT_EFFECT = frozenset({"yes", "full"})


def content_signal(value: str, *, source: SignalSource) -> tuple[OptOutSignal, ...]:
    """One signal for each `label=yes|no`; spelling in any case."""
    parts = [part.strip().lower() for part in re.split(r"[,;]", value)]
    return tuple(_signal(part, source) for part in parts if part)


def _signal(part: str, source: SignalSource) -> OptOutSignal:
    label, equals, word = (piece.strip() for piece in part.partition("="))
    if not equals or not re.fullmatch(r"[a-z0-9_-]+", label):
        return OptOutSignal(SignalKind.CONTENT_SIGNAL, SignalVerdict.UNKNOWN, source, "malformed")
    if word == "no":
        verdict = SignalVerdict.DENY
    else:
        verdict = SignalVerdict.NONE if word in _WITHOUT_EFFECT else SignalVerdict.UNKNOWN
    return OptOutSignal(SignalKind.CONTENT_SIGNAL, verdict, source, f"{label}={word}")
