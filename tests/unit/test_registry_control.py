"""Which place a proof of control is of, which answer shows it, and which rules it covers; nothing is fetched here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from assent.consent.source_rules import checked_rule
from assent.consent.source_url import without_scheme
from assent.events.grants import SourceKindRule, SourceRule
from assent.fetching.fetcher import Fetched, FetchFailure
from assent.fetching.txt_records import LookupFailure, TxtAnswer, name_servers
from services.registry.control_place import (
    CONTROL_FILE,
    ControlPlace,
    ControlPlaceError,
    Showing,
    control_line,
    control_place,
    record_name,
    showing,
    showing_in_records,
    with_control,
)
from services.registry.settings import RegistrySettings

END = datetime(2026, 9, 1, tzinfo=UTC)
DEMO = frozenset({("127.0.0.1", 4711)})
TOKEN, OTHERS = "ab" * 32, "cd" * 32

PLACES = {
    "https://site.example": ("site.example/", "https://site.example"),
    "https://site.example/": ("site.example/", "https://site.example"),
    "https://Site.Example.:443/Photos": ("site.example/Photos/", "https://site.example"),
    "https://site.example/a/../b/": ("site.example/b/", "https://site.example"),
    "https://site.example:8443/a/": ("site.example:8443/a/", "https://site.example:8443"),
    "https://bücher.example/": ("xn--bcher-kva.example/", "https://xn--bcher-kva.example"),
    "https://straße.example/": ("xn--strae-oqa.example/", "https://xn--strae-oqa.example"),
    "http://127.0.0.1:4711/": ("127.0.0.1:4711/", "http://127.0.0.1:4711"),
}


@pytest.mark.parametrize("url", PLACES)
def test_the_file_lies_at_the_root_of_the_very_host(url: str) -> None:
    name, origin = PLACES[url]
    assert control_place(url, allowed_sockets=DEMO) == ControlPlace(name, f"{origin}{CONTROL_FILE}")


NO_PLACE = {
    "over http": "http://site.example/",
    "http on the port of https": "http://site.example:443/",
    "loopback on another port": "http://127.0.0.1:4712/",
    "loopback by name": "http://localhost:4711/",
    "loopback over https": "https://127.0.0.1/",
    "a public address": "https://203.0.113.7/",
    "an IPv6 address": "https://[2606:4700::1111]/",
    "a number": "https://0x7f000001/",
    "a wildcard": "https://*.site.example/",
    "an encoded wildcard": "https://site.example/a/%2A/",
    "a host that is none": "https://a\u200db.example/",
    "a query": "https://site.example/?folder=a",
    "a fragment": "https://site.example/#a",
    "user information": "https://site.example@evil.example/",
    "an encoded slash": "https://site.example/a%2f..%2fb/",
    "an encoded dot segment twice": "https://site.example/%252e%252e/",
    "a backslash": "https://site.example\\@evil.example/",
    "another scheme": "ftp://site.example/",
    "no scheme": "site.example",
}


@pytest.mark.parametrize("what", NO_PLACE)
def test_what_names_no_place_or_could_be_answered_by_somebody_else_is_refused(what: str) -> None:
    with pytest.raises(ControlPlaceError):
        control_place(NO_PLACE[what], allowed_sockets=DEMO)


def test_the_socket_of_the_demonstration_is_an_exception_nowhere_else() -> None:
    with pytest.raises(ControlPlaceError, match="https only"):
        control_place("http://127.0.0.1:4711/", allowed_sockets=frozenset())


def answer(body: str, *, status: int = 200, kind: str | None = "text/plain; charset=utf-8", **headers: str) -> Fetched:
    told = {} if kind is None else {"Content-Type": kind}
    return Fetched("https://site.example/x", status, tuple((told | headers).items()), body.encode())


LINE = control_line(TOKEN)
ANSWERS: dict[str, tuple[Fetched | FetchFailure, Showing]] = {
    "the line": (answer(LINE), Showing.SHOWN),
    "the line among others, with spaces and CRLF": (answer(f"# ours\r\n{control_line(OTHERS)}\r\n  {LINE} \r\n"), Showing.SHOWN),
    "the line of another": (answer(control_line(OTHERS)), Showing.OTHER_LINES),
    "the token without its name": (answer(TOKEN), Showing.OTHER_LINES),
    "the line within a longer one": (answer(f"{LINE}0"), Showing.OTHER_LINES),
    "the line in a sentence": (answer(f"put {LINE} here"), Showing.OTHER_LINES),
    "the line in capitals": (answer(LINE.upper()), Showing.OTHER_LINES),
    "an empty file": (answer(""), Showing.OTHER_LINES),
    "a page that holds the line": (answer(f"<p>\n{LINE}\n</p>", kind="text/html"), Showing.NOT_TEXT),
    "no type": (answer(LINE, kind=None), Showing.NOT_TEXT),
    "another kind of text": (answer(LINE, kind="text/plainer"), Showing.NOT_TEXT),
    "a redirect on the same host": (answer(LINE, status=302, Location="/other.txt"), Showing.MOVED),
    "a redirect to another host": (answer(LINE, status=308, Location="https://evil.example/"), Showing.MOVED),
    "not found, with the line": (answer(LINE, status=404), Showing.NO_FILE),
    "gone": (answer("", status=410), Showing.NO_FILE),
    "a block": (answer(LINE, status=403), Showing.NO_ANSWER),
    "a fault of the host": (answer(LINE, status=503), Showing.NO_ANSWER),
    "partial content": (answer(LINE, status=206), Showing.NO_ANSWER),
    "no connection": (FetchFailure.CONNECTION, Showing.NO_ANSWER),
    "too large": (FetchFailure.TOO_LARGE, Showing.NO_ANSWER),
    "a private address": (FetchFailure.ADDRESS, Showing.CLOSED_ADDRESS),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_only_the_line_in_a_text_file_shows_control(what: str) -> None:
    found, expected = ANSWERS[what]
    assert showing(found, TOKEN) is expected


def test_an_outage_is_no_denial() -> None:
    of_the_file = {Showing.NO_FILE, Showing.NOT_TEXT, Showing.OTHER_LINES}
    assert {found for found in Showing if found.is_denial} == of_the_file | {Showing.NO_RECORD, Showing.OTHER_RECORDS}


RECORD_NAMES = {
    "site.example/": "_assent-control.site.example",
    "site.example/a/b/": "_assent-control.site.example",
    "site.example:8443/a/": "_assent-control.site.example",
    "xn--bcher-kva.example/": "_assent-control.xn--bcher-kva.example",
    "127.0.0.1:4711/": None,
    "[2606:4700::1111]/": None,
    f"{'a.' * 119}example/": None,
    f"{'a' * 64}.example/": None,
}


@pytest.mark.parametrize("number", range(len(RECORD_NAMES)))
def test_the_record_stands_below_the_very_host(number: int) -> None:
    place, name = list(RECORD_NAMES.items())[number]
    assert record_name(place) == name


RAW = LINE.encode()
RECORDS: dict[str, tuple[TxtAnswer | LookupFailure, Showing]] = {
    "the line": (TxtAnswer((RAW,)), Showing.SHOWN),
    "the line among others": (TxtAnswer((b"v=spf1 -all", b" " + RAW + b" ")), Showing.SHOWN),
    "the line of another": (TxtAnswer((control_line(OTHERS).encode(),)), Showing.OTHER_RECORDS),
    "the line in a longer one": (TxtAnswer((RAW + b"0",)), Showing.OTHER_RECORDS),
    "the line in two records": (TxtAnswer((RAW[:9], RAW[9:])), Showing.OTHER_RECORDS),
    "the line in capitals": (TxtAnswer((RAW.upper(),)), Showing.OTHER_RECORDS),
    "what is no text": (TxtAnswer((b"\xff\xfe",)), Showing.OTHER_RECORDS),
    "an alias to the line": (TxtAnswer((RAW,), is_alias=True), Showing.MOVED),
    "none, says the zone": (TxtAnswer(is_denied=True), Showing.NO_RECORD),
    "none, says nobody": (TxtAnswer(), Showing.UNFOUNDED),
    "no time": (LookupFailure.TIMEOUT, Showing.NO_ANSWER),
    "a fault": (LookupFailure.BROKEN, Showing.NO_ANSWER),
    "too much": (LookupFailure.TOO_LARGE, Showing.NO_ANSWER),
    "nobody to ask": (LookupFailure.NO_SERVER, Showing.NO_ANSWER),
}


@pytest.mark.parametrize("what", RECORDS)
def test_only_the_line_in_a_record_of_its_own_shows_control(what: str) -> None:
    found, expected = RECORDS[what]
    assert showing_in_records(found, TOKEN) is expected


SERVERS: dict[str, tuple[tuple[str, int], ...]] = {
    "": (),
    "192.0.2.53": (("192.0.2.53", 53),),
    "192.0.2.53:5353, 2001:db8::53": (("192.0.2.53", 5353), ("2001:db8::53", 53)),
    "[2001:db8::53]:5353": (("2001:db8::53", 5353),),
    "[2001:db8::53]": (("2001:db8::53", 53),),
}


@pytest.mark.parametrize("text", SERVERS)
def test_name_servers_are_addresses_with_or_without_a_port(text: str) -> None:
    assert name_servers(text) == SERVERS[text]
    assert RegistrySettings(name_servers=text).name_servers == text


@pytest.mark.parametrize(
    "text", ["ns.example", "192.0.2.53:", "192.0.2.53:70000", "192.0.2.53:-1", "[::1", "::1:x", ",".join(["192.0.2.1"] * 9)]
)
def test_what_is_no_name_server_is_refused_at_start(text: str) -> None:
    with pytest.raises(ValidationError, match=r"name server|port"):
        RegistrySettings(name_servers=text)


def named(value: str, kind: SourceKindRule = SourceKindRule.URL_PREFIX) -> SourceRule:
    return checked_rule(SourceRule(kind=kind, value=value))


# What is proven, what the grant names, whether it is covered.
COVER = {
    "the folder itself": ("https://site.example/a/", "https://site.example/a/", True),
    "a folder in it": ("https://site.example/a/", "https://site.example/a/b/", True),
    "any folder of a proven host": ("https://site.example/", "https://site.example/a/", True),
    "the same over http": ("https://site.example/a/", "http://site.example/a/", True),
    "the folder around it": ("https://site.example/a/b/", "https://site.example/a/", False),
    "a sibling that begins alike": ("https://site.example/a/", "https://site.example/ab/", False),
    "out of it and back": ("https://site.example/a/", "https://site.example/a/../b/", False),
    "a subdomain": ("https://site.example/", "https://www.site.example/a/", False),
    "the host around a subdomain": ("https://www.site.example/", "https://site.example/a/", False),
    "a host that begins alike": ("https://site.example/", "https://site.example.evil.example/a/", False),
    "a host that ends alike": ("https://site.example/", "https://mysite.example/a/", False),
    "another port": ("https://site.example/", "https://site.example:8443/a/", False),
    "the default port of the other scheme": ("https://site.example/", "http://site.example:443/a/", False),
    "other capitals in the folder": ("https://site.example/a/", "https://site.example/A/", False),
}


@pytest.mark.parametrize("what", COVER)
def test_a_proof_covers_its_folder_on_its_host_and_nothing_beside(what: str) -> None:
    proven, wanted, is_covered = COVER[what]
    place = control_place(proven, allowed_sockets=DEMO)
    (rule,) = with_control([named(wanted)], [(place.name, END)])
    assert rule.control_until == (END if is_covered else None)


def test_the_longest_proof_counts_and_one_that_is_gone_is_taken_off() -> None:
    rule = named("https://site.example/a/").model_copy(update={"control_until": END})
    longer = END + timedelta(days=9)
    assert with_control([rule], [("site.example/", END), ("site.example/a/", longer)])[0].control_until == longer
    assert with_control([rule], [])[0].control_until is None


@pytest.mark.parametrize("kind", [kind for kind in SourceKindRule if kind is not SourceKindRule.URL_PREFIX])
def test_only_folders_are_proven_by_a_file(kind: SourceKindRule) -> None:
    """An account is proven by a login, for which there is no way yet; what names one photograph needs no proof."""
    values = {SourceKindRule.ACCOUNT: "ada@site.example", SourceKindRule.ASSET_SHA256: "a" * 64, SourceKindRule.UPLOAD: "g-1"}
    rule = named(values.get(kind, "https://site.example/a/1.jpg"), kind)
    assert with_control([rule], [("site.example/", END)]) == (rule,)


_NAMES = some.lists(some.sampled_from(["a", "b", "ab", "A", "%61", "..", "."]), max_size=4)


@given(_NAMES, _NAMES.filter(bool))
def test_whatever_the_spelling_a_covered_folder_lies_in_the_proven_one(proven: list[str], wanted: list[str]) -> None:
    place = control_place("https://site.example/" + "/".join(proven), allowed_sockets=DEMO)
    try:
        rule = named("https://site.example/" + "/".join(wanted))
    except ValueError:
        return  # A whole site is no target.
    parts, inner = place.name.strip("/").split("/"), without_scheme(rule.value).strip("/").split("/")
    (found,) = with_control([rule], [(place.name, END)])
    assert (found.control_until is not None) == (inner[: len(parts)] == parts)
