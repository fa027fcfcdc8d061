"""Every page of a round that shows a picture: what all of them say of places, and what each of them says against its use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

from assent.consent.source_url import folders
from assent.events.evidence import EvidenceKind, PageEvidence
from assent.events.optouts import SeenOptOut
from assent.geofence.host import host_evidence
from assent.geofence.toponyms import words_for_places
from services.crawler.page import bounded, in_lines
from services.crawler.visit import BY_NO_PAGE, Shown

_IN_WORDS = (EvidenceKind.CAPTION, EvidenceKind.LANGUAGE)
"""Several words stand in one statement, and pages repeat them."""


class Showings:
    """The pictures of a round, in the order in which pages show them."""

    def __init__(self) -> None:
        self._pages: dict[str, list[Shown]] = {}
        self._against: dict[str, list[Shown]] = {}
        self._united: dict[tuple[int, ...], Shown] = {}

    def add(self, images: Iterable[str], shown: Shown) -> None:
        """This page shows these pictures."""
        for image in images:
            self._pages.setdefault(image, []).append(shown)

    def add_against(self, images: Iterable[str], shown: Shown) -> None:
        """This page may not be used. It brings in no picture, and what it says against their use counts where another page shows them."""
        for image in images if shown.optouts else ():
            self._against.setdefault(image, []).append(shown)

    def __iter__(self) -> Iterator[str]:
        return iter(self._pages)

    def shown(self, *urls: str) -> Shown:
        """What all pages say that show a picture at one of these addresses; of thousands of pages it takes a while."""
        pages = [page for url in urls for page in (*self._pages.get(url, ()), *self._against.get(url, ()))]
        # Pages of one site show the same pictures: what the same pages say is put together once.
        key = tuple(sorted({id(page) for page in pages}))
        if key not in self._united:
            self._united[key] = united(pages)
        return self._united[key]


def united(pages: Sequence[Shown]) -> Shown:
    """The first page by its address that says something against the use of its pictures, or else the first; what all of them say of places;
    and behind it the others that say something against it, for a grant has to have set that aside on each of them.

    Which page was read first decides nothing, nor how often one was.
    """
    if len(pages) < 2:
        return pages[0] if pages else BY_NO_PAGE
    ordered = sorted(pages, key=lambda page: page.url or "")
    speaking = [page for page in ordered if page.optouts]
    first = (speaking or ordered)[0]
    # What is set aside is set aside for a folder: of the pages of one that say the same, one stands for all.
    alike: dict[object, Shown] = {}
    for page in speaking:
        alike.setdefault(_alike(page), page)
    others = tuple(Shown(page.url, optouts=page.optouts) for page in alike.values() if page is not first)
    return Shown(first.url, _told(first, ordered), first.optouts, others)


def _alike(page: Shown) -> tuple[str | None, tuple[SeenOptOut, ...]]:
    return next(folders(page.url or ""), None), page.optouts


def _told(first: Shown, pages: Sequence[Shown]) -> tuple[PageEvidence, ...]:
    """Each statement of them once, and where the others lie, as far as that tells of a place: their hosts, and the words of their paths."""
    told = dict.fromkeys(statement for page in pages for statement in page.told)
    elsewhere = dict.fromkeys(page.url for page in pages if page.url is not None and page.url != first.url)
    hosts = dict.fromkeys(f"https://{urlsplit(url).netloc}/" for url in elsewhere)
    plain = [statement for statement in told if statement.kind not in _IN_WORDS]
    plain += [PageEvidence(kind=EvidenceKind.URL_WORDS, value=host) for host in hosts if _adds(host, first.url)]
    captions = _words(told, EvidenceKind.CAPTION)
    captions |= dict.fromkeys(word for url in elsewhere for word in words_for_places(unquote(urlsplit(url).path)))
    languages = _words(told, EvidenceKind.LANGUAGE)
    return bounded((*plain, *in_lines(EvidenceKind.CAPTION, captions), *in_lines(EvidenceKind.LANGUAGE, languages)))


def _adds(host: str, first: str | None) -> bool:
    return not set(host_evidence(host)) <= set(host_evidence(first or ""))


def _words(told: Iterable[PageEvidence], kind: EvidenceKind) -> dict[str, None]:
    return dict.fromkeys(word for statement in told if statement.kind is kind for word in statement.value.split(", "))
