"""Training and data mining assertions of C2PA and CAWG; a refusal counts even when its signature does not, a permission never."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from assent.optouts.c2pa_assertion import AssertionUnreadableError, assertion_value
from assent.optouts.jumbf import JumbfUnreadableError, LabelledContent, labelled_contents
from assent.optouts.reading_budget import ReadingBudget
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

_ASSERTION = re.compile(r"(?:c2pa|cawg)\.training-mining(?:\.v\d+)?(?:__\d+)?")
_LABELS = (b"c2pa.training-mining", b"cawg.training-mining")
# `constrained` means: not allowed, unless one asks first.
_USES = {"notallowed": SignalVerdict.DENY, "constrained": SignalVerdict.DENY, "allowed": SignalVerdict.NONE}


def training_mining(assertion: Any) -> tuple[OptOutSignal, ...]:
    """One signal for each entry of a decoded assertion; one without readable entries is unknown."""
    entries = assertion.get("entries") if isinstance(assertion, dict) else None
    if not isinstance(entries, dict) or not entries:
        return (_signal(SignalVerdict.UNKNOWN, "no_entries"),)
    return tuple(_entry(str(name), entry) for name, entry in entries.items())


def c2pa_signals(stores: tuple[bytes, ...], *, data: bytes) -> tuple[OptOutSignal, ...]:
    """The signals of all manifests in an image, those of its ingredients included.

    `data` is the whole file: where it names such an assertion and none could be read, the answer is unknown.
    """
    budget = ReadingBudget()
    signals = tuple(signal for store in stores for signal in _store_signals(store, budget))
    if not signals and any(label in data for label in _LABELS):
        return (_signal(SignalVerdict.UNKNOWN, "unread_assertion"),)
    return signals


def _store_signals(store: bytes, budget: ReadingBudget) -> Iterator[OptOutSignal]:
    try:
        for content in labelled_contents(store, budget):
            if _ASSERTION.fullmatch(content.label):
                yield from _content_signals(content, budget)
    except JumbfUnreadableError:
        yield _signal(SignalVerdict.UNKNOWN, "unreadable_store")


def _content_signals(content: LabelledContent, budget: ReadingBudget) -> tuple[OptOutSignal, ...]:
    try:
        return training_mining(assertion_value(content.kind, content.content, budget))
    except AssertionUnreadableError:
        return (_signal(SignalVerdict.UNKNOWN, "unreadable_assertion"),)


def _entry(name: str, entry: Any) -> OptOutSignal:
    use = entry.get("use") if isinstance(entry, dict) else None
    verdict = _USES.get(use.strip().lower(), SignalVerdict.UNKNOWN) if isinstance(use, str) else SignalVerdict.UNKNOWN
    return _signal(verdict, name)


def _signal(verdict: SignalVerdict, token: str) -> OptOutSignal:
    return OptOutSignal(SignalKind.C2PA_TRAINING, verdict, SignalSource.IMAGE, token)
