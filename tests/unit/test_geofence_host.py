"""Hosts: province domains, country domains and words for places; a domain sold as a word says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.geofence.host import host_evidence
from tests.unit.place_examples import said


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("photos.bc.ca", "CA-BC"),
        ("www.gov.bc.ca", "CA-BC"),
        ("bc.ca", "CA-BC"),
        ("ville.qc.ca", "CA-QC"),
        ("www.gouv.qc.ca", "CA-QC"),
        ("club.ab.ca", "CA-AB"),
        ("old.nf.ca", "CA-NL"),
        ("old.yk.ca", "CA-YT"),
        ("www.alberta.ca", "CA-AB"),
        ("atelier.quebec", "CA-QC"),
        ("canada.gc.ca", "CA"),
        ("www.state.il.us", "US-IL"),
        ("school.k12.il.us", "US-IL"),
        ("www2.illinois.gov", "US-IL"),
        ("www.ca.gov", "US-CA"),
        ("health.gov.au", "AU"),
        ("service.nsw.gov.au", "AU-NSW"),
        ("WWW.GOV.BC.CA.", "CA-BC"),
    ],
)
def test_a_province_domain_names_its_province_and_no_country_beside_it(host: str, place: str) -> None:
    found = said(host_evidence(f"https://{host}/"))
    assert found["province_domain"] == {place}
    assert "country_domain" not in found


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("example.ca", "CA"),
        ("example.com.au", "AU"),
        ("example.co.uk", "GB"),
        ("example.fr", "FR"),
        ("example.no", "NO"),
        ("example.is", "IS"),
        ("europa.eu", "EU"),
        ("xn--hxajbheg2az3al.xn--qxam", "GR"),
        ("example.us", "US"),
        ("notbc.ca", "CA"),
        ("bc.ca.example.fr", "FR"),
    ],
)
def test_a_country_domain_names_the_country_alone(host: str, place: str) -> None:
    assert said(host_evidence(f"https://{host}/"))["country_domain"] == {place}


@pytest.mark.parametrize("top", ["io", "ai", "co", "tv", "me", "com", "org", "app", "zz", "su"])
def test_a_domain_that_is_no_country_says_nothing(top: str) -> None:
    assert host_evidence(f"https://example.{top}/") == ()


@pytest.mark.parametrize("url", ["http://192.0.2.7:8080/", "http://[2001:db8::1]/", "http://localhost/", ""])
def test_an_address_says_nothing(url: str) -> None:
    assert host_evidence(url) == ()


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("https://example.com/montreal/", {"CA-QC"}),
        ("https://example.com/montr%C3%A9al/", {"CA-QC"}),
        ("https://xn--montral-fya.com/", {"CA-QC"}),
        ("https://example.com/fetes/qc/2026", {"CA-QC"}),
        ("https://chicago-events.example.com/", {"US-IL"}),
        ("https://example.com/new-south-wales/", {"AU-NSW"}),
        ("https://example.com/vancouver", {"CA-BC", "US-WA"}),
        ("https://example.com/London", {"GB", "CA-ON"}),
        ("http://192.0.2.7/illinois.jpg", {"US-IL"}),
    ],
)
def test_words_in_a_url_name_every_place_they_may_mean(url: str, places: set[str]) -> None:
    assert said(host_evidence(url)) == {"url_words": places}


@pytest.mark.parametrize("url", ["https://example.com/abc/backup", "https://example.com/chicagoland", "https://example.com/?q=chicago"])
def test_a_part_of_a_word_is_no_word(url: str) -> None:
    assert host_evidence(url) == ()


def test_a_url_that_cannot_be_read_is_unreadable() -> None:
    assert said(host_evidence("http://[::1/")) == {"country_domain": {"UNKNOWN"}}
    assert said(host_evidence(f"https://{'xn--a.' * 5_000}ca/")) == {"country_domain": {"UNKNOWN"}}


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    said(host_evidence(text))
    said(host_evidence(f"https://{text}"))
    said(host_evidence(f"https://example.com/{text}"))
