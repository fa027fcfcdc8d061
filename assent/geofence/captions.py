"""Words for places in captions, titles and keywords: a hint that may close and never opens; a text without such a word says nothing."""

from __future__ import annotations

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.toponyms import places_in_words

MAX_CAPTION_CHARS = 64 * 1024
"""For all texts of one source. What lies beyond is not read, and may name a place."""


class Captions:
    """The texts of one source."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._chars = 0

    def add(self, text: str) -> None:
        """Keep a text as long as there is room."""
        self._chars += len(text)
        if self._chars <= MAX_CAPTION_CHARS:
            self._texts.append(text)

    def add_bytes(self, value: bytes) -> None:
        """The same for bytes whose encoding is nowhere stated: UTF-8 where they are that, else Latin-1."""
        try:
            self.add(value.decode("utf-8"))
        except UnicodeDecodeError:
            self.add(value.decode("latin-1"))

    def evidence(self) -> tuple[Evidence, ...]:
        """Every place that a word of the texts may mean; unreadable where they were too long to be read whole."""
        cut = (unreadable(EvidenceKind.CAPTION),) if self._chars > MAX_CAPTION_CHARS else ()
        named = frozenset(place for text in self._texts for place in places_in_words(text))
        return (*((stated(EvidenceKind.CAPTION, named),) if named else ()), *cut)
