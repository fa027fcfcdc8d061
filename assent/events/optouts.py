"""An opt-out that was seen, as a decision may keep it: of which standard, read where; never its words, which may name somebody."""

from __future__ import annotations

from pydantic import Field

from assent.events.payload import WireModel
from assent.optouts.signal import SignalKind, SignalSource, SignalVerdict


class SeenOptOut(WireModel):
    """One that denies or could not be read. `of_page`: the page that shows the picture says it, not what lies at the picture itself."""

    kind: SignalKind
    verdict: SignalVerdict
    source: SignalSource
    of_page: bool = Field(default=False, exclude_if=lambda said: not said)
