"""Every page of a round that shows a picture: what all of them say of places, and what each of them says against its use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from assent.consent.source_url import folders
from assent.events.evidence import EvidenceKind, PageEvidence
from assent.events.optouts import SeenOptOut
from assent.geofence.host import host_evidence
from services.crawler.page import bounded, in_lines
from services.crawler.visit import Shown

_IN_WORDS = (EvidenceKind.CAPTION, EvidenceKind.LANGUAGE)
"""Several words stand in one statement, and pages repeat them."""
_MAX_ADDRESS_CHARS = 512


class Showings:
    """The pictures of a round, in the order in which pages show them. Which page is read first decides nothing."""

    def __init__(self) -> None:
        self._pages: dict[str, list[Shown]] = {}

    def add(self, images: Iterable[str], shown: Shown) -> None:
        """This page shows these pictures."""
        for image in images:
            self._pages.setdefault(image, []).append(shown)

    def pictures(self) -> Iterator[tuple[str, Shown]]:
        """Each picture once, with what all of its pages say."""
        for image, pages in self._pages.items():
            yield image, united(pages)


def united(pages: Sequence[Shown]) -> Shown:
    """The first page that says something against the use of its pictures, or else the first; what all of them say of places; and behind
    it the others that say something against it, for a grant has to have set that aside on each of them.
    """
    if len(pages) == 1:
        return pages[0]
    speaking = [page for page in pages if page.optouts]
    first = (speaking or pages)[0]
    # What is set aside is set aside for a folder: of the pages of one that say the same, one stands for all.
    alike: dict[object, Shown] = {}
    for page in speaking:
        alike.setdefault(_alike(page), page)
    others = tuple(Shown(page.url, optouts=page.optouts) for page in alike.values() if page is not first)
    return Shown(first.url, _told(first, pages), first.optouts, others)


def _alike(page: Shown) -> tuple[str | None, tuple[SeenOptOut, ...]]:
    return next(folders(page.url or ""), None), page.optouts


def _told(first: Shown, pages: Sequence[Shown]) -> tuple[PageEvidence, ...]:
    """Each statement of them once, and where the others lie, as far as that tells of a place."""
    told = dict.fromkeys(statement for page in (first, *pages) for statement in page.told)
    elsewhere = dict.fromkeys(page.url for page in pages if page.url is not None and page.url != first.url)
    addresses = [statement for url in elsewhere if (statement := _address(url)) is not None]
    plain = [statement for statement in told if statement.kind not in _IN_WORDS]
    words = [line for kind in _IN_WORDS for line in in_lines(kind, _words(told, kind))]
    return bounded((*plain, *addresses, *words))


# The pages of one round show the same pictures again and again.
@lru_cache(maxsize=4096)
def _address(url: str) -> PageEvidence | None:
    return PageEvidence(kind=EvidenceKind.URL_WORDS, value=url[:_MAX_ADDRESS_CHARS]) if host_evidence(url) else None


def _words(told: Iterable[PageEvidence], kind: EvidenceKind) -> dict[str, None]:
    return dict.fromkeys(word for statement in told if statement.kind is kind for word in statement.value.split(", "))
