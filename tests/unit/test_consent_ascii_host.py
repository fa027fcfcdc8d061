"""A host in ASCII is the one that browsers go to; no name becomes the host of somebody else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from assent.consent.ascii_host import AsciiHostError, ascii_host
from assent.consent.asset import Asset, safe_url
from assent.consent.source_rules import SourceRuleError, checked_rule, matching_rule
from assent.events.grants import SourceKindRule, SourceRule
from assent.events.images import SourceKind

WRITTEN: dict[str, tuple[str, str]] = {
    "a sharp s": ("stra\u00dfe.de", "xn--strae-oqa.de"),
    "a great sharp s": ("STRA\u1e9eE.DE", "xn--strae-oqa.de"),
    "a sharp s at the end": ("fa\u00df.de", "xn--fa-hia.de"),
    "a final sigma": ("\u03b2\u03cc\u03bb\u03bf\u03c2.com", "xn--nxasmm1c.com"),
    "a sigma within": ("\u03b2\u03cc\u03bb\u03bf\u03c3.com", "xn--nxasmq6b.com"),
    "a joiner where one may stand": ("\u0915\u094d\u200d\u0937.com", "xn--11b2ezcw70k.com"),
    "a non-joiner where one may stand": ("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com", "xn--mgba3gch31f060k.com"),
    "letters of two scripts": ("\u0430pple.com", "xn--pple-43d.com"),
    "fullwidth dots": ("ex\uff0eample\u3002com\uff61", "ex.ample.com"),
    "upper case": ("B\u00dcCHER.EXAMPLE", "xn--bcher-kva.example"),
    "upper case of ASCII": ("EXAMPLE.COM.", "example.com"),
    "fullwidth letters": ("\uff45\uff58.com", "ex.com"),
    "a ligature": ("\ufb00.com", "ff.com"),
    "a hyphen that nobody sees": ("a\u00adb.com", "ab.com"),
    "a composed letter": ("e\u0301.com", "xn--9ca.com"),
    "punycode": ("xn--strae-oqa.de", "xn--strae-oqa.de"),
    "an underscore beside other letters": ("_h.b\u00fccher.example", "_h.xn--bcher-kva.example"),
    "hyphens that a registry gives to nobody": ("r3---sn-a.b\u00fccher.example", "r3---sn-a.xn--bcher-kva.example"),
    "the longest label": ("h" * 63 + ".example", "h" * 63 + ".example"),
    "from right to left": ("\u05d0\u05d1.com", "xn--4dbc.com"),
}
LONG, SPELLING = "a label is empty", "the one spelling of its letters"
REFUSED: dict[str, tuple[str, str]] = {
    "a joiner": ("a\u200db.com", "a joiner or a middle dot"),
    "a non-joiner": ("a\u200cb.com", "a joiner or a middle dot"),
    "a middle dot": ("a\u00b7b.com", "a joiner or a middle dot"),
    "a long label": ("h" * 64 + ".example", "empty or too long"),
    "a label that is long in punycode": ("\u00e9" * 60 + ".com", LONG),
    "an empty label": ("a..b.com", "empty or too long"),
    "an empty label between fullwidth dots": ("a\uff0e\uff0eb.com", "empty or too long"),
    "nothing but a dot": ("\u3002", "empty or too long"),
    "three dots in one sign": ("h\u2026h.example", "a sign that no host name may hold"),
    "a dot that is a leader": ("h\u2024h.example", "a sign that no host name may hold"),
    "a picture": ("\U0001f4a9.la", "a sign that no host name may hold"),
    "a picture in punycode": ("xn--ls8h.la", "a sign that no host name may hold"),
    "punycode of plain letters": ("xn--strasse-.de", SPELLING),
    "punycode of nothing": ("xn--.de", SPELLING),
    "punycode of what is written otherwise": ("xn--abc-.de", SPELLING),
    "punycode within letters": ("xn--\u00e9.de", SPELLING),
    "a hyphen before a letter": ("-\u00e9.com", SPELLING),
    "both directions in one label": ("\u05d0a.com", "to the right and to the left"),
}


@pytest.mark.parametrize(("name", "written"), WRITTEN.values(), ids=WRITTEN.keys())
def test_a_name_is_written_as_browsers_write_it(name: str, written: str) -> None:
    assert ascii_host(name) == written
    assert ascii_host(written) == written


@pytest.mark.parametrize(("name", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_host_name_is_refused_with_its_reason(name: str, why: str) -> None:
    with pytest.raises(AsciiHostError, match=why) as told:
        ascii_host(name)
    assert name not in str(told.value)


@pytest.mark.parametrize(("name", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_no_grant_names_it_and_nothing_that_came_from_there_is_covered(name: str, why: str) -> None:
    for kind in (SourceKindRule.URL_PREFIX, SourceKindRule.IMAGE_URL):
        with pytest.raises(SourceRuleError):
            checked_rule(SourceRule(kind=kind, value=f"https://{name}/ada/"))
    assert safe_url(f"https://{name}/ada/1.jpg") is None


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("stra\u00dfe.de", "strasse.de"),
        ("\u03b2\u03cc\u03bb\u03bf\u03c2.com", "\u03b2\u03cc\u03bb\u03bf\u03c3.com"),
        ("\u0915\u094d\u200d\u0937.com", "\u0915\u094d\u0937.com"),
        ("\u0430pple.com", "apple.com"),
    ],
    ids=["a sharp s and two", "a final sigma and another", "with a joiner and without", "two scripts and one"],
)
def test_a_folder_on_one_host_names_nothing_on_another_that_looks_alike(mine: str, other: str) -> None:
    for one, two in ((mine, other), (other, mine)):
        rule = checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value=f"https://{one}/ada/"))
        for host, matches in ((one, True), (two, False)):
            asset = Asset(SourceKind.WEB_PAGE, final_url=safe_url(f"https://{host}/ada/1.jpg"))
            assert asset.final_url is not None
            assert (matching_rule([rule], asset) is not None) is matches


@pytest.mark.parametrize("name", [name for name, _ in WRITTEN.values()], ids=WRITTEN.keys())
def test_the_crawler_goes_to_the_host_that_the_grant_names(name: str) -> None:
    """What is fetched is the spelling that was matched, and the fetching library changes nothing of its host."""
    url = safe_url(f"https://{name}/ada/1.jpg")
    assert url is not None
    assert URL(url).raw_host == urlsplit(url).hostname


@given(st.text())
def test_no_name_has_two_spellings(name: str) -> None:
    try:
        written = ascii_host(name)
    except AsciiHostError:
        return
    assert written.isascii()
    assert ascii_host(written) == written
