"""Several pages show one picture: what any of them says counts, whichever is read first."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.events.grants import SourceRule
from assent.events.optouts import SeenOptOut
from assent.geofence.extract import page_evidence
from assent.ids import Jurisdiction
from assent.optouts.signal import ContentRight, SignalKind, SignalSource, SignalVerdict
from services.crawler.page import MAX_EVIDENCE
from services.crawler.showings import Showings, united
from services.crawler.visit import Shown, Stopped
from tests.unit.grant_examples import folder
from tests.unit.place_examples import LOCATION, areas
from tests.unit.visitor_examples import visitor

ADA = "https://site.example/ada/"
PICTURE = f"{ADA}1.jpg"
TDM = SeenOptOut(kind=SignalKind.TDMREP, verdict=SignalVerdict.DENY, source=SignalSource.PAGE, of_page=True)
RSL = TDM.model_copy(update={"kind": SignalKind.RSL})


def said(kind: EvidenceKind, value: str) -> PageEvidence:
    return PageEvidence(kind=kind, value=value)


VANCOUVER, MONTREAL = said(EvidenceKind.GEO_META, "geo.region=CA-BC"), said(EvidenceKind.GEO_META, "geo.region=CA-QC")
PAGES = (
    Shown("https://site.example/ada/", (VANCOUVER, said(EvidenceKind.CAPTION, "vancouver, paris"), said(EvidenceKind.LANGUAGE, "en-CA"))),
    Shown("https://site.example/ada/b", (MONTREAL, said(EvidenceKind.CAPTION, "paris, rome")), (TDM,)),
    Shown("https://ada.example.qc.ca/c", (VANCOUVER, said(EvidenceKind.LANGUAGE, "und-FR, en-CA")), (RSL,)),
)


def places(shown: Shown) -> set[Jurisdiction]:
    return {place for item in page_evidence(shown.told, areas=areas(), location=LOCATION) for place in item.jurisdictions}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_whichever_page_is_read_first_all_of_them_count(order: tuple[int, ...]) -> None:
    shown = united([PAGES[number] for number in order])
    assert shown == united(PAGES) == united([*PAGES, PAGES[order[0]]])
    assert places(shown) >= {"CA-BC", "CA-QC", "FR", "IT", "CA"}
    assert (shown.url, shown.optouts, shown.others) == (PAGES[2].url, (RSL,), (Shown(PAGES[1].url, optouts=(TDM,)),))
    assert set(shown.all_optouts(shown.optouts)) == {TDM, RSL}
    assert len(shown.told) == len(set(shown.told)), "each statement once"


def test_a_picture_on_one_page_is_shown_as_that_page_says() -> None:
    showings = Showings()
    for page in PAGES:
        showings.add([f"{page.url}x.jpg", PICTURE], page)
    showings.add([PICTURE], PAGES[0])
    assert list(showings) == [f"{PAGES[0].url}x.jpg", PICTURE, f"{PAGES[1].url}x.jpg", f"{PAGES[2].url}x.jpg"]
    assert showings.shown(f"{PAGES[0].url}x.jpg") is PAGES[0]
    assert showings.shown(PICTURE) == united(PAGES)
    assert showings.shown(f"{PAGES[0].url}x.jpg", f"{PAGES[2].url}x.jpg") == united([PAGES[0], PAGES[2]])
    assert showings.shown("https://site.example/nowhere.jpg") == Shown()


def test_a_page_that_may_not_be_used_brings_in_nothing_and_says_no_of_what_others_show() -> None:
    showings = Showings()
    showings.add([PICTURE], PAGES[0])
    for page in (PAGES[1], Shown(f"{ADA}silent", (MONTREAL,))):
        showings.add_against([PICTURE, f"{ADA}other.jpg"], page)
    assert list(showings) == [PICTURE]
    assert showings.shown(PICTURE) == united(PAGES[:2])


def test_a_page_that_shows_it_twice_and_says_no_says_it_once() -> None:
    assert united([PAGES[1], PAGES[1], PAGES[0], PAGES[1]]).others == ()
    assert united([PAGES[0], PAGES[0]]).others == ()


def test_of_the_pages_of_one_folder_that_say_the_same_one_stands_for_all() -> None:
    def page(name: str, seen: SeenOptOut) -> Shown:
        return Shown(f"https://site.example/{name}", optouts=(seen,))

    pages = [page("a", TDM), page("ada/a", TDM), page("ada/b?x=/y/z", TDM), page("ada/c", RSL), page("ada/d", RSL), page("eve/a", TDM)]
    shown = united(pages[::-1])
    assert shown.url == pages[0].url
    assert [other.url for other in shown.others] == [pages[number].url for number in (1, 3, 5)]


def test_the_addresses_of_hundreds_of_pages_cost_no_statement_each() -> None:
    """A portrait stands on every page of a site of her country: that is told once, and the towns of their paths share statements."""
    towns = ("vancouver", "calgary", "toronto")
    pages = [Shown(f"https://ada.example.ca/{towns[number % 3]}/{number}.html") for number in range(400)]
    shown = united(pages)
    assert [statement.kind for statement in shown.told] == [EvidenceKind.CAPTION]
    assert {"CA-BC", "CA-AB", "CA-ON"} <= places(shown)
    elsewhere = united([*pages, Shown(f"https://blog.example.qc.ca/{'x' * 600}/montreal/")])
    assert PageEvidence(kind=EvidenceKind.URL_WORDS, value="https://blog.example.qc.ca/") in elsewhere.told
    assert "CA-QC" in places(elsewhere)


def test_more_than_is_kept_may_name_any_place() -> None:
    pages = [
        Shown(f"https://site.example/{number:03}", (said(EvidenceKind.GEO_META, f"geo.region={number}"),))
        for number in range(MAX_EVIDENCE + 1)
    ]
    assert len(united(pages[:-1]).told) == MAX_EVIDENCE
    assert united(pages).told[-1] == said(EvidenceKind.SCHEMA_PLACE, "unreadable")
    many = [Shown(f"https://site.example/{number}", (said(EvidenceKind.CAPTION, f"town {number}"),)) for number in range(400)]
    assert len(united(many).told) < 20, "words share a statement"


def with_rights(value: str, *rights: ContentRight) -> SourceRule:
    return folder(value).model_copy(update={"overrides": rights})


@pytest.mark.parametrize(
    ("source", "pages", "is_open"),
    [
        (with_rights(ADA, ContentRight.TDMREP), (PAGES[1], PAGES[0]), True),
        (with_rights(ADA), (PAGES[1], PAGES[0]), False),
        (with_rights(ADA, ContentRight.TDMREP), (PAGES[1], Shown(f"{ADA}d", optouts=(TDM,))), True),
        (with_rights(ADA, ContentRight.TDMREP), (PAGES[1], Shown(f"{ADA}d", optouts=(RSL,))), False),
        (with_rights(ADA, ContentRight.TDMREP, ContentRight.RSL), (PAGES[1], Shown(f"{ADA}d", optouts=(RSL,))), True),
        (with_rights(ADA, ContentRight.TDMREP), (PAGES[1], Shown("https://site.example/eve/", optouts=(TDM,))), False),
    ],
    ids=[
        "one page says no and she set it aside",
        "one page says no",
        "two pages say no and she set it aside for both",
        "the other page says another no",
        "she set aside both",
        "the other page is not hers to speak of",
    ],
)
def test_a_no_on_any_page_has_to_be_set_aside_for_that_page(
    tmp_path: Path, source: SourceRule, pages: tuple[Shown, ...], is_open: bool
) -> None:
    for order in permutations(pages):
        shown = united([Shown(page.url, optouts=page.optouts) for page in order])
        may = visitor(tmp_path, PICTURE, source).may_collect(PICTURE, shown, optouts=shown.optouts)
        assert [finding.rules for finding in may.opened] == ([()] if is_open else [])
        assert [refusal.rules for refusal in may.refusals] == ([] if is_open else [("optout_signal",)])
        for refusal in may.refusals:
            assert refusal.decision is not None
            assert refusal.decision.optouts, "a replay is told of the no"


async def test_a_picture_that_waits_for_her_yes_waits_only_if_no_other_page_refuses_it(tmp_path: Path) -> None:
    unproven = folder(ADA, control_until=None)
    may = visitor(tmp_path, PICTURE, unproven).may_collect(PICTURE, united([PAGES[0]]))
    assert ([found.rules for found in may.waiting.findings], may.refusals) == ([("control_unproven",)], ())
    for pages in ([PAGES[1]], [PAGES[0], PAGES[1]], [PAGES[1], PAGES[2]]):
        shown = united(pages)
        silent = Shown(shown.url, (), shown.optouts, shown.others)
        visited = await visitor(tmp_path, PICTURE, unproven).visit(PICTURE, shown=silent, max_bytes=1_000)
        assert isinstance(visited, Stopped)
        assert (visited.waiting.findings, visited.was_asked) == ((), False)
        assert [{"control_unproven", "optout_signal"} <= set(refusal.rules) for refusal in visited.refusals] == [True]
