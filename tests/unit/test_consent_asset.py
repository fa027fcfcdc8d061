"""What a source rule may name of an image: where we found it ourselves, and of what a producer hands in the bytes alone."""

from __future__ import annotations

import pytest

from assent.consent.asset import Asset, safe_url
from assent.events.images import SourceKind
from tests.unit.decision_cases import SHA, SIGHTING


@pytest.mark.parametrize("kind", [SourceKind.WEB_PAGE, SourceKind.UPLOAD])
def test_what_we_found_ourselves_is_named_by_place_account_bytes_and_upload(kind: SourceKind) -> None:
    told = {"source_kind": kind, "final_url": "HTTPS://Site.Example/ada/1.jpg", "page_url": "HTTPS://Site.Example/ada/"}
    image, page = "https://site.example/ada/1.jpg", "https://site.example/ada/"
    found = Asset.of(SIGHTING.model_copy(update=told))
    assert found == Asset(kind, image, "ada@host.example", SHA, SIGHTING.upload_grant_id, page)


def test_of_what_a_producer_hands_in_the_bytes_alone_are_believed() -> None:
    """Else anybody with a producer's key could put a stranger's face under somebody's folder."""
    handed_in = SIGHTING.model_copy(update={"source_kind": SourceKind.PRODUCER})
    assert Asset.of(handed_in) == Asset(SourceKind.PRODUCER, sha256=SHA)


def test_an_address_without_a_safe_spelling_names_nothing() -> None:
    assert Asset.of(SIGHTING.model_copy(update={"final_url": "https://*.example/ada/1.jpg"})).final_url is None
    assert Asset.of(SIGHTING.model_copy(update={"final_url": None})).final_url is None


@pytest.mark.parametrize(
    ("url", "base", "spelled"),
    [
        (None, None, None),
        (None, "https://site.example/", None),
        ("https://site.example/a/../b.jpg", None, "https://site.example/b.jpg"),
        ("b.jpg", None, None),
        ("b.jpg", "https://site.example/a/c.html", "https://site.example/a/b.jpg"),
        ("//other.example/b.jpg", "https://site.example/a/", "https://other.example/b.jpg"),
        ("https://[::1/b.jpg", "https://site.example/a/", None),
        ("javascript:b", "https://site.example/a/", None),
    ],
)
def test_an_address_is_spelled_as_it_is_seen_from_its_page(url: str | None, base: str | None, spelled: str | None) -> None:
    assert safe_url(url, base=base) == spelled
