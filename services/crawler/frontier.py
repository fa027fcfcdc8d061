"""What a round may visit: the targets that live grants name, and links inside them; there is no other way onto it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from assent.consent.asset import Asset
from assent.deciding.gate import Gate
from assent.events.grants import GrantSnapshot, Operation, SourceKindRule
from assent.events.images import SourceKind


def page_asset(url: str) -> Asset:
    """A page or image on the web, before anything of it was fetched."""
    return Asset(source_kind=SourceKind.WEB_PAGE, final_url=url)


class Frontier:
    """Pages still to visit in this round, each once; AIA-1: a URL that no live grant covers is never taken."""

    def __init__(self, gate: Gate, *, max_pages: int) -> None:
        self._gate = gate
        self._max_pages = max_pages
        self._seen: set[str] = set()
        self._waiting: deque[str] = deque()

    def add(self, urls: Iterable[str]) -> None:
        """Take those that are new and covered, up to the cap of the round."""
        for url in urls:
            if url in self._seen or len(self._seen) >= self._max_pages:
                continue
            if self._gate.covering(page_asset(url)):
                self._seen.add(url)
                self._waiting.append(url)

    def next(self) -> str | None:
        """The next page, or None when the round is done."""
        return self._waiting.popleft() if self._waiting else None


def targets(grants: Iterable[GrantSnapshot]) -> tuple[list[str], list[str]]:
    """Prefixes to start pages from and single images, named by grants that allow collecting."""
    pages: list[str] = []
    images: list[str] = []
    for grant in grants:
        if Operation.COLLECT not in grant.operations:
            continue
        pages.extend(rule.value for rule in grant.sources if rule.kind is SourceKindRule.URL_PREFIX)
        images.extend(rule.value for rule in grant.sources if rule.kind is SourceKindRule.IMAGE_URL)
    return list(dict.fromkeys(pages)), list(dict.fromkeys(images))
