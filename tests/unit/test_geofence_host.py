"""Hosts: province domains, country domains and words for places; a domain sold as a word says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.geofence.host import host_evidence, publication_evidence
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
        ("example.gov", "US"),
        ("example.mil", "US"),
        ("xn--e1a4c", "EU"),
        ("example.xn--qxa6a", "EU"),
        ("example.xn--90ae", "BG"),
        ("example.xn--p1ai", "RU"),
        ("notbc.ca", "CA"),
        ("bc.ca.example.fr", "FR"),
    ],
)
def test_a_country_domain_names_the_country_alone(host: str, place: str) -> None:
    assert said(host_evidence(f"https://{host}/"))["country_domain"] == {place}


@pytest.mark.parametrize("top", ["io", "ai", "co", "tv", "me", "com", "org", "app", "zz", "su"])
def test_a_domain_that_is_no_country_says_nothing(top: str) -> None:
    assert host_evidence(f"https://example.{top}/") == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.7:8080/",
        "http://[2001:db8::1]/",
        "http://[::bc:192.0.2.7]/",
        "http://[fe80::1%25eth0.ca]/",
        "http://localhost/",
        "https://example.ca-/",
        "",
    ],
)
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
        ("/illinois.jpg", {"US-IL"}),
        ("https://newsouthwales.example.com/", {"AU-NSW"}),
        ("https://eaststlouis.example.com/", {"US-IL"}),
        ("https://montréal.com/", {"CA-QC"}),
        ("https://chicago.invalid/", {"US-IL"}),
        ("https://chicago.xn--99999999999.com/", {"US-IL"}),
        ("https://xn--montral-strae-mdb6l.com/", {"CA-QC"}),
        ("https://my_site.xn--montral-fya.com/", {"CA-QC"}),
    ],
)
def test_words_in_a_url_name_every_place_they_may_mean(url: str, places: set[str]) -> None:
    assert said(host_evidence(url)) == {"url_words": places}


@pytest.mark.parametrize("url", ["https://example.com/abc/backup", "https://example.com/chicagoland", "https://example.com/?q=chicago"])
def test_a_part_of_a_word_is_no_word(url: str) -> None:
    assert host_evidence(url) == ()


def test_the_words_of_an_ending_are_no_words_beside_what_the_ending_says() -> None:
    assert said(host_evidence("https://photos.bc.ca/")) == {"province_domain": {"CA-BC"}}
    assert said(host_evidence("https://example.paris/")) == {"province_domain": {"FR"}}
    assert said(host_evidence("https://chicago.bc.ca/")) == {"province_domain": {"CA-BC"}, "url_words": {"US-IL"}}


def test_a_name_under_which_somebody_gives_away_names_is_a_word_like_another() -> None:
    assert said(host_evidence("https://photos.in-berlin.de/")) == {"country_domain": {"DE"}, "url_words": {"DE"}}


@pytest.mark.parametrize("country", {"CA": "ab bc mb nb nl ns nt nu on pe qc sk yk", "AU": "act nsw nt qld sa tas vic wa"}.items())
def test_each_province_and_state_has_its_own_domain(country: tuple[str, str]) -> None:
    code, provinces = country
    for name in provinces.split():
        place = "CA-YT" if name == "yk" else f"{code}-{name.upper()}"
        for ending in [".ca"] if code == "CA" else [".au", ".gov.au", ".edu.au"]:
            assert said(host_evidence(f"https://www.{name}{ending}/")) == {"province_domain": {place}}


@pytest.mark.parametrize(
    ("host", "places"),
    [
        ("ny.gov", {"US-NY"}),
        ("www.newyork.gov", {"US-NY"}),
        ("dc.gov", {"US-DC"}),
        ("westvirginia.gov", {"US-WV"}),
        ("example.gov", None),
        ("ny.gov.example.com", None),
    ],
)
def test_a_state_has_its_code_and_its_name_under_gov(host: str, places: set[str] | None) -> None:
    assert said(host_evidence(f"https://{host}/")).get("province_domain") == places


def test_a_url_that_cannot_be_read_is_unreadable() -> None:
    assert said(host_evidence("http://[::1/")) == {"country_domain": {"UNKNOWN"}}
    assert said(host_evidence(f"https://{'xn--a.' * 5_000}ca/")) == {"country_domain": {"UNKNOWN"}}


def test_253_characters_of_a_host_and_2_048_of_a_path_are_read() -> None:
    host = ".".join(["a" * 62] * 3 + ["b" * 61, "ca"])
    assert len(host) == 253
    assert said(host_evidence(f"https://{host}/")) == {"country_domain": {"CA"}}
    assert said(host_evidence(f"https://b{host}/")) == {"country_domain": {"UNKNOWN"}}
    path = "/".join(["", "x" * 2_039, "chicago"])
    assert len(path) == 2_048
    assert said(host_evidence(f"https://example.com{path}")) == {"url_words": {"US-IL"}}
    assert host_evidence(f"https://example.com/{path}") == ()


ON_A_NETWORK = "https://cdn.example.com/9f/1.jpg"


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        pytest.param("https://www.ville.montreal.qc.ca/ada/", {"province_domain": {"CA-QC"}, "url_words": {"CA-QC"}}, id="province"),
        pytest.param("https://blog.example.fr/", {"country_domain": {"FR"}}, id="country"),
        pytest.param("https://blog.example.com/chicago/", {"url_words": {"US-IL"}}, id="words"),
        pytest.param("https://[blog.example.fr/", {"country_domain": {"UNKNOWN"}}, id="unreadable"),
        pytest.param("https://blog.example.com/", {}, id="silent"),
        pytest.param(None, {}, id="none"),
    ],
)
def test_a_picture_on_a_content_network_is_published_where_its_page_is(page: str | None, wanted: dict[str, set[str]]) -> None:
    assert said(publication_evidence(ON_A_NETWORK, page_url=page)) == wanted
    assert said(publication_evidence(None, page_url=page)) == wanted


def test_what_picture_and_page_both_say_is_said_once_and_what_one_says_alone_is_kept() -> None:
    of_picture = host_evidence("https://ada.example.ca/chicago/1.jpg")
    assert publication_evidence("https://ada.example.ca/chicago/1.jpg", page_url="https://ada.example.ca/chicago/") == of_picture
    told = publication_evidence("https://ada.example.ca/chicago/1.jpg", page_url="https://ada.example.ca/vancouver-canada/")
    assert told[: len(of_picture)] == of_picture
    assert [item.kind.value for item in told] == ["country_domain", "url_words", "url_words"]
    elsewhere = publication_evidence("https://photos.ab.ca/1.jpg", page_url="https://club.bc.ca/")
    assert [sorted(item.jurisdictions) for item in elsewhere] == [["CA-AB"], ["CA-BC"]]


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    said(host_evidence(text))
    said(host_evidence(f"https://{text}"))
    said(host_evidence(f"https://example.com/{text}"))
