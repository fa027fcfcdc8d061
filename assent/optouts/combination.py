"""All signals of one image put together; more signals can only add reasons to refuse, never take one away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assent.optouts.signal import OptOutSignal, SignalScope, SignalVerdict


@dataclass(frozen=True, slots=True)
class OptOutVerdict:
    """The signals that deny and those that could not be read."""

    denies: tuple[OptOutSignal, ...] = ()
    unknown: tuple[OptOutSignal, ...] = ()

    @property
    def is_denied(self) -> bool:
        """True when anything denies or could not be read: what cannot be read may be a no."""
        return bool(self.denies or self.unknown)

    @property
    def is_denied_to_rights_holder(self) -> bool:
        """The same for a grant whose controller has shown that it controls the source: content rights are its own to set aside.

        Nothing asks this yet. Whoever does must ask `assent.consent.source_rules.is_control_shown` of the folder first, never the word
        `controls_source`. Robots rules, signals about the person shown and whatever could not be read stand all the same.
        """
        return bool(self.unknown) or any(signal.scope is not SignalScope.CONTENT_RIGHTS for signal in self.denies)


def combine(signals: Iterable[OptOutSignal]) -> OptOutVerdict:
    """The verdict of the signals in the order given, each counted once."""
    each = tuple(dict.fromkeys(signals))
    return OptOutVerdict(
        denies=tuple(signal for signal in each if signal.verdict is SignalVerdict.DENY),
        unknown=tuple(signal for signal in each if signal.verdict is SignalVerdict.UNKNOWN),
    )
