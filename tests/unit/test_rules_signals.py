"""Each kind of opt-out, by the way a site or a picture says it: a no refuses, a yes grants nothing, what cannot be read refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from assent.consent.content_rights import SetAside, optout_rules
from assent.optouts.access import status_optouts
from assent.optouts.agent import AGENT_NAME
from assent.optouts.c2pa_training import training_mining
from assent.optouts.combination import combine
from assent.optouts.fetched_file import FetchedFile
from assent.optouts.gpc import has_privacy_signal
from assent.optouts.headers import header_optouts
from assent.optouts.image import image_optouts, xmp_optouts
from assent.optouts.page import page_optouts
from assent.optouts.robots import robots_policy
from assent.optouts.signal import ContentRight, OptOutSignal, SignalKind, SignalScope, SignalSource, SignalVerdict
from assent.optouts.site import site_optouts
from tests.unit.place_examples import JPEG, jpeg_xmp

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DENY, NONE, UNKNOWN = "deny", "none", "unknown"
NOTHING = FetchedFile(404, b"")
OPEN_LICENCE, OTHER_LICENCE = "https://creativecommons.org/licenses/by/4.0/", "https://agency.example/terms"


def said(signals: Iterable[OptOutSignal], kind: SignalKind) -> str:
    """What they come to; every signal that refuses is of this kind, so that no other one hides that it is gone."""
    found = combine(signals)
    assert {signal.kind for signal in (*found.denies, *found.unknown)} <= {kind}
    assert found.is_denied is bool(found.denies or found.unknown)
    return DENY if found.denies else UNKNOWN if found.unknown else NONE


def robots(status: int | None, text: str, kind: SignalKind = SignalKind.ROBOTS_TXT, path: str = "/photos/a.jpg") -> str:
    return said(robots_policy(status, text.encode(), agent=AGENT_NAME).signals(path), kind)


def header(name: str, value: str, kind: SignalKind) -> str:
    return said(header_optouts([("Date", "x"), (name, value)], AGENT_NAME, now=NOW), kind)


def page(html: str, kind: SignalKind) -> str:
    return said(page_optouts(html.encode(), agent=AGENT_NAME, now=NOW).signals, kind)


def xmp(attribute: str, kind: SignalKind) -> str:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:tdm="http://www.w3.org/ns/tdmrep/" xmlns:rsl="https://rslstandard.org/rsl" '
        f'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" {attribute}/></rdf:RDF></x:xmpmeta>'
    ).encode()
    assert said(image_optouts(jpeg_xmp(packet)), kind) == said(xmp_optouts(packet), kind)
    return said(xmp_optouts(packet), kind)


def site(kind: SignalKind, *, tdmrep: FetchedFile = NOTHING, ai_txt: FetchedFile = NOTHING, path: str = "/photos/a.jpg") -> str:
    return said(site_optouts(path, tdmrep, ai_txt, agent=AGENT_NAME), kind)


def reserved(value: object) -> FetchedFile:
    return FetchedFile(200, json.dumps([{"location": "/photos/", "tdm-reservation": value}]).encode())


def test_signal_01_robots_txt() -> None:
    assert robots(200, "User-agent: *\nDisallow: /photos/\n") == DENY
    assert robots(200, f"User-agent: *\nAllow: /\n\nUser-agent: {AGENT_NAME}\nDisallow: /photos/\n") == DENY
    assert robots(200, "User-agent: *\nDisallow: /photos/\nAllow: /photos/a\n") == NONE
    assert robots(404, "") == robots(200, "<!doctype html><p>Not found</p>") == NONE
    for status in (None, 401, 403, 429, 500, 503):
        assert robots(status, "") == UNKNOWN, status


def test_signal_02_content_usage() -> None:
    kind = SignalKind.CONTENT_USAGE
    for no in ("train-ai=n", "search=n", "train-genai=n", "bots=n", "train-ai=y, search=n"):
        assert header("Content-Usage", no, kind) == DENY, no
        assert robots(200, f"User-agent: *\nAllow: /\nContent-Usage: /photos/ {no}\n", kind) == DENY, no
    assert header("Content-Usage", "train-ai=y, search=y", kind) == NONE
    assert header("Content-Usage", "train-ai=", kind) == UNKNOWN


def test_signal_03_content_signal() -> None:
    kind = SignalKind.CONTENT_SIGNAL
    for no in ("search=no", "ai-input=no", "ai-train=no", "search=yes, ai-train=no"):
        assert robots(200, f"User-agent: *\nAllow: /\nContent-Signal: {no}\n", kind) == DENY, no
        assert header("Content-Signal", no, kind) == DENY, no
    assert robots(200, "User-agent: *\nContent-Signal: search=yes, ai-train=yes\nAllow: /\n", kind) == NONE
    assert robots(200, "User-agent: *\nContent-Signal: search=perhaps\nAllow: /\n", kind) == UNKNOWN


def test_signal_04_rsl() -> None:
    kind = SignalKind.RSL
    assert robots(200, "License: https://site.example/terms.xml\nUser-agent: nobody\nAllow: /\n", kind) == DENY
    assert header("Link", '<https://site.example/t.xml>; rel="license"; type="application/rsl+xml"', kind) == DENY
    assert header("Content-Type", "application/rsl+xml", kind) == DENY
    assert page('<link rel="license" type="application/rsl+xml" href="/t.xml">', kind) == DENY
    assert page('<script type="application/rsl+xml"><rsl></rsl></script>', kind) == DENY
    assert xmp('rsl:content="x"', kind) == DENY
    assert header("Content-Type", "text/html", kind) == header("Link", '<https://site.example/>; rel="next"', kind) == NONE
    assert header("Link", "license of https://site.example/t.xml", kind) == UNKNOWN


@pytest.mark.parametrize("word", ["noindex", "none", "noimageindex", "noai", "noimageai", "noml", "NoAI", "max-snippet:3, noimageai"])
def test_signal_05_x_robots_tag(word: str) -> None:
    kind = SignalKind.ROBOTS_TAG
    assert header("x-robots-tag", word, kind) == DENY
    assert header("X-Robots-Tag", f"{AGENT_NAME}: nofollow, {word}", kind) == DENY
    assert said(header_optouts([("X-Robots-Tag", "all"), ("X-Robots-Tag", word)], AGENT_NAME, now=NOW), kind) == DENY
    assert header("X-Robots-Tag", f"otherbot: {word.partition(', ')[2] or word}", kind) == NONE


def test_signal_05_x_robots_tag_with_a_date_and_without_effect() -> None:
    kind = SignalKind.ROBOTS_TAG
    assert header("X-Robots-Tag", "unavailable_after: 31 May 2026 00:00:00 GMT", kind) == DENY
    assert header("X-Robots-Tag", "unavailable_after: 2 Jun 2026 00:00:00 GMT", kind) == NONE
    assert header("X-Robots-Tag", "unavailable_after: someday", kind) != NONE
    assert header("X-Robots-Tag", "all, nofollow, nosnippet, noarchive", kind) == NONE


@pytest.mark.parametrize("word", ["noindex", "none", "noimageindex", "noai", "noimageai", "noml"])
@pytest.mark.parametrize("name", ["robots", AGENT_NAME])
def test_signal_06_meta_robots_holds_for_every_image_of_the_page(name: str, word: str) -> None:
    kind = SignalKind.ROBOTS_TAG
    assert page(f'<meta name="{name}" content="nofollow, {word}"><img src="1.jpg">', kind) == DENY
    assert page(f'<meta name="otherbot" content="{word}"><meta name="{name}" content="all"><img src="1.jpg">', kind) == NONE


def test_signal_07_tdm_reservation() -> None:
    kind = SignalKind.TDMREP
    assert site(kind, tdmrep=reserved(1)) == DENY
    assert header("TDM-Reservation", "1", kind) == DENY
    assert page('<meta name="tdm-reservation" content="1">', kind) == DENY
    assert xmp('tdm:reservation="1"', kind) == DENY
    assert site(kind, tdmrep=reserved(0)) == header("tdm-reservation", "0", kind) == xmp('tdm:reservation="0"', kind) == NONE
    assert site(kind, tdmrep=reserved(1), path="/other.jpg") == NONE
    for broken in (FetchedFile(200, b"{"), FetchedFile(503, b""), FetchedFile(None, None), reserved(2)):
        assert site(kind, tdmrep=broken) == UNKNOWN


@pytest.mark.parametrize("limit", ["", "-AIMLTRAINING", "-GENAIMLTRAINING", "-EXCEPTSEARCHENGINEINDEXING", "-SEECONSTRAINT", "-NEWER"])
def test_signal_08_plus_data_mining(limit: str) -> None:
    kind = SignalKind.PLUS_DATA_MINING
    assert xmp(f'plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED{limit}"', kind) == DENY
    assert xmp('plus:DataMining="DMI-ALLOWED"', kind) == xmp('plus:DataMining="DMI-UNSPECIFIED"', kind) == NONE
    assert xmp('plus:DataMining="DMI-SOMETHING"', kind) == DENY
    assert xmp('plus:DataMining=""', kind) == UNKNOWN


def test_signal_09_plus_model_release_and_minors() -> None:
    release, minor = SignalKind.PLUS_MODEL_RELEASE, SignalKind.PLUS_MINOR_MODEL
    assert xmp('plus:ModelReleaseStatus="MR-NON"', release) == DENY
    for without_effect in ("MR-UMR", "MR-LMR", "MR-NAP"):
        assert xmp(f'plus:ModelReleaseStatus="{without_effect}"', release) == NONE
    assert xmp('plus:ModelReleaseStatus="MR-NEW"', release) == UNKNOWN
    for age in ("AG-U14", "AG-A14", "AG-A17"):
        assert xmp(f'plus:MinorModelAgeDisclosure="{age}"', minor) == DENY
    assert xmp('plus:MinorModelAgeDisclosure="AG-A18"', minor) == NONE
    assert xmp('plus:MinorModelAgeDisclosure="AG-UNK"', minor) == UNKNOWN


@pytest.mark.parametrize("entry", ["ai_inference", "ai_training", "ai_generative_training", "data_mining", "something_newer"])
@pytest.mark.parametrize("prefix", ["c2pa", "cawg"])
def test_signal_10_c2pa_training_and_mining(prefix: str, entry: str) -> None:
    kind = SignalKind.C2PA_TRAINING
    name = f"{prefix}.{entry}"
    for use in ("notAllowed", "constrained"):
        assert said(training_mining({"entries": {name: {"use": use}, "c2pa.other": {"use": "allowed"}}}), kind) == DENY
    assert said(training_mining({"entries": {name: {"use": "allowed"}}}), kind) == NONE
    broken: tuple[object, ...] = ({"entries": {name: {"use": "sometimes"}}}, {"entries": {name: {}}}, {"entries": {}}, {}, None)
    for unread in broken:
        assert said(training_mining(unread), kind) == UNKNOWN
    assert said(image_optouts(JPEG + f"{prefix}.training-mining".encode()), kind) == UNKNOWN


def test_signal_11_ai_txt() -> None:
    kind = SignalKind.AI_TXT
    assert site(kind, ai_txt=FetchedFile(200, b"User-Agent: *\nDisallow: *.jpg\n")) == DENY
    assert site(kind, ai_txt=FetchedFile(200, b"User-Agent: *\nDisallow: *.jpg\n"), path="/photos/a.png") == NONE
    assert site(kind, ai_txt=FetchedFile(200, b"User-Agent: *\nAllow: /\n")) == NONE
    assert site(kind, ai_txt=FetchedFile(500, b"")) == UNKNOWN


def test_signal_12_privacy_control_is_a_persons_and_says_nothing_of_a_site() -> None:
    assert has_privacy_signal([("Sec-GPC", "1")])
    assert not has_privacy_signal([("Sec-GPC", "0"), ("DNT", "1")])
    assert header_optouts([("Sec-GPC", "1")], AGENT_NAME, now=NOW) == ()


def test_signal_13_licence() -> None:
    kind = SignalKind.LICENCE
    block = '<script type="application/ld+json">{{"@type": "ImageObject", {}}}</script>'
    assert page(block.format(f'"license": "{OTHER_LICENCE}"'), kind) == DENY
    assert page(block.format(f'"license": "{OPEN_LICENCE}", "acquireLicensePage": "{OTHER_LICENCE}"'), kind) == DENY
    assert page(block.format(f'"license": "{OPEN_LICENCE}"'), kind) == NONE
    assert page(f'<script type="application/ld+json">{{"license": "{OPEN_LICENCE}"', kind) == UNKNOWN
    assert page(f'<a rel="license" href="{OTHER_LICENCE}">terms</a>', kind) == DENY
    assert header("Link", f"<{OTHER_LICENCE}>; rel=license", kind) == DENY
    assert xmp(f'xmpRights:WebStatement="{OTHER_LICENCE}"', kind) == xmp('plus:LicensorURL="https://agency.example/"', kind) == DENY
    assert xmp(f'xmpRights:WebStatement="{OPEN_LICENCE}"', kind) == NONE


def test_signal_14_a_wall_is_a_no() -> None:
    kind = SignalKind.ACCESS
    for status in (401, 402, 403, 407, 429, 451):
        assert said(status_optouts(status), kind) == DENY
    assert said(status_optouts(200), kind) == NONE
    assert header("WWW-Authenticate", "Basic", kind) == header("cf-mitigated", "challenge", kind) == DENY


@pytest.mark.parametrize("kind", list(SignalKind))
def test_only_rights_in_the_picture_can_be_set_aside(kind: SignalKind) -> None:
    """Robots rules, walls, what a picture holds under a signature and what is said of the person shown never are."""
    rights = {SignalKind.CONTENT_USAGE, SignalKind.RSL, SignalKind.TDMREP, SignalKind.LICENCE, SignalKind.PLUS_DATA_MINING}
    everything = SetAside(frozenset(ContentRight), frozenset(ContentRight))
    for source in SignalSource:
        denial = combine([OptOutSignal(kind, SignalVerdict.DENY, source, "x")])
        doubt = combine([OptOutSignal(kind, SignalVerdict.UNKNOWN, source, "x")])
        assert denial.is_denied
        assert (list(optout_rules(denial.seen(), everything)) == []) is (kind in rights)
        assert len(list(optout_rules(doubt.seen(), everything))) == 1
        assert (denial.denies[0].scope is SignalScope.CONTENT_RIGHTS) is (kind in rights)
