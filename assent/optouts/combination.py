"""All signals of one image put together; more signals can only add reasons to refuse, never take one away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assent.events.optouts import SeenOptOut
from assent.optouts.signal import OptOutSignal, SignalVerdict


@dataclass(frozen=True, slots=True)
class OptOutVerdict:
    """The signals that deny and those that could not be read."""

    denies: tuple[OptOutSignal, ...] = ()
    unknown: tuple[OptOutSignal, ...] = ()

    @property
    def is_denied(self) -> bool:
        """True when anything denies or could not be read: what cannot be read may be a no."""
        return bool(self.denies or self.unknown)

    def seen(self, *, of_page: bool = False) -> tuple[SeenOptOut, ...]:
        """What denies or could not be read, one of each kind, as it may be written down. `of_page`: it was said of the page alone."""
        said = (*self.denies, *self.unknown)
        return once_each(SeenOptOut(kind=one.kind, verdict=one.verdict, source=one.source, of_page=of_page) for one in said)


def combine(signals: Iterable[OptOutSignal]) -> OptOutVerdict:
    """The verdict of the signals in the order given, each counted once."""
    each = tuple(dict.fromkeys(signals))
    return OptOutVerdict(
        denies=tuple(signal for signal in each if signal.verdict is SignalVerdict.DENY),
        unknown=tuple(signal for signal in each if signal.verdict is SignalVerdict.UNKNOWN),
    )


def once_each(seen: Iterable[SeenOptOut]) -> tuple[SeenOptOut, ...]:
    """The first of each kind, verdict and place it was said of: they decide alike, and a page may repeat one without end. What neither
    denies nor is in doubt is left out, as it decides nothing; so there are never more than an event may hold.
    """
    speaking = [one for one in seen if one.verdict is not SignalVerdict.NONE]
    return tuple({(one.kind, one.verdict, one.of_page): one for one in reversed(speaking)}.values())[::-1]
