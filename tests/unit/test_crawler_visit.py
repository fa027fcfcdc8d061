"""What the crawler asks before it fetches a picture: where it lies and where its page is published; the network alone is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.crawler.visit import Shown, Stopped, Visited
from tests.unit.grant_examples import folder
from tests.unit.visitor_examples import visitor

PICTURE = "https://cdn.example.com/9f/1.jpg"


FOLDER = folder("https://cdn.example.com/9f/")


@pytest.mark.parametrize(
    ("page", "place", "rule"),
    [
        pytest.param("https://www.ville.montreal.qc.ca/ada/", "CA-QC", "QC-3", id="province"),
        pytest.param("https://blog.example.fr/ada/", "FR", "EU-10", id="country"),
    ],
)
async def test_a_picture_whose_page_is_published_in_a_closed_place_is_not_asked_for(
    tmp_path: Path, page: str, place: str, rule: str
) -> None:
    stopped = await visitor(tmp_path, PICTURE, FOLDER).visit(PICTURE, shown=Shown(page), max_bytes=1_000_000)
    assert isinstance(stopped, Stopped)
    assert not stopped.was_asked
    assert rule in stopped.rules
    assert [place in refusal.candidates for refusal in stopped.refusals] == [True]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(None, id="no-page"),
        pytest.param("https://ada.example.com/montreal/", id="words-beside-her-residence"),
        pytest.param("https://ada.example.ca/", id="her-own-country"),
    ],
)
async def test_a_page_that_adds_no_closed_place_leaves_the_picture_to_be_fetched(tmp_path: Path, page: str | None) -> None:
    assert isinstance(await visitor(tmp_path, PICTURE, FOLDER).visit(PICTURE, shown=Shown(page), max_bytes=1_000_000), Visited)
