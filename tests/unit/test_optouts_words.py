"""Each word that a standard of opt-outs knows, what it comes to, and what comes of a word that it does not know."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from assent.optouts.access import challenge_header, status_optouts
from assent.optouts.bounded_json import MAX_JSON_CHARS, JsonUnreadableError, parse_json
from assent.optouts.c2pa_training import c2pa_signals, training_mining
from assent.optouts.content_signal import content_signal
from assent.optouts.content_usage import content_usage
from assent.optouts.fetched_file import FetchedFile, FileState, text_of
from assent.optouts.gpc import has_privacy_signal
from assent.optouts.image import image_optouts, xmp_optouts
from assent.optouts.licence import is_open_licence, json_ld_licence, licence_link, xmp_licence
from assent.optouts.plus import plus_signals
from assent.optouts.rsl import rsl_line
from assent.optouts.signal import OptOutSignal, SignalSource
from assent.optouts.structured_dictionary import StructuredFieldError, parse_dictionary
from assent.optouts.xmp import XmpProperty

SOURCE = SignalSource.HEADER


def words(signals: Iterable[OptOutSignal]) -> list[str]:
    return [f"{signal.kind.value} {signal.verdict.value} {signal.source.value} {signal.token}" for signal in signals]


def test_a_licence_line_of_robots_txt() -> None:
    assert words([rsl_line("https://h.example/t.xml"), rsl_line("")]) == [
        "rsl deny robots.txt license",
        "rsl unknown robots.txt empty_license",
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("search=yes", ["none header search=yes"]),
        ("use=full", ["none header use=full"]),
        (" AI-Train = No ; x=maybe ,, ,", ["deny header ai-train=no", "unknown header x=maybe"]),
        ("ai-train", ["unknown header malformed"]),
        ("a b=no", ["unknown header malformed"]),
        ("=no", ["unknown header malformed"]),
        ("a=", ["unknown header a="]),
        ("", []),
    ],
)
def test_content_signal(value: str, told: list[str]) -> None:
    assert words(content_signal(value, source=SOURCE)) == [f"content_signal {line}" for line in told]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("train-ai=n", ["deny header train-ai=n"]),
        ("a=y, a=n", ["none header a=y", "deny header a=n"]),
        ("a=maybe, b, c=1", ["unknown header a=maybe", "unknown header b=other", "unknown header c=other"]),
        ("A=n", ["unknown header malformed"]),
        ("a=n,", ["unknown header malformed"]),
        ("", []),
    ],
)
def test_content_usage(value: str, told: list[str]) -> None:
    assert words(content_usage(value, source=SOURCE)) == [f"content_usage {line}" for line in told]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", []),
        ("  a=n ", [("a", "n")]),
        ("a", [("a", None)]),
        ("a=n\t, \tb=y", [("a", "n"), ("b", "y")]),
        ("a=1", [("a", None)]),
        ("a=123456789012345", [("a", None)]),
        ("a=-1.25", [("a", None)]),
        ('a="n"', [("a", None)]),
        ('a="\\"\\\\"', [("a", None)]),
        ("a=:bg==:", [("a", None)]),
        ("a=?1", [("a", None)]),
        ("a=@1659578233", [("a", None)]),
        ('a=%"n%c3"', [("a", None)]),
        ("a=(n y;q=1  z)", [("a", None)]),
        ("a=( )", [("a", None)]),
        ("a=n-", [("a", "n-")]),
        ("a=n;q;r=1; s=t", [("a", "n")]),
        ("*a_b.c-d*=n/x:y", [("*a_b.c-d*", "n/x:y")]),
    ],
)
def test_a_dictionary_of_structured_fields(text: str, members: list[tuple[str, str | None]]) -> None:
    assert [(member.key, member.token) for member in parse_dictionary(text)] == members


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("A=n", "member at character 0"),
        ("a=n,", "further member at character 3"),
        ("a=n, ", "further member at character 3"),
        ("a=n b=y", "further member at character 3"),
        ("a=n,B=y", "member at character 4"),
        ("a=", "further member at character 1"),
        ("a=1234567890123456", "further member at character 1"),
        ("a=1.2345", "further member at character 1"),
        ("a=?2", "further member at character 1"),
        ('a="x', "further member at character 1"),
        ("a=(n y", "further member at character 1"),
        ("\ta=n", "member at character 0"),
    ],
)
def test_a_dictionary_with_one_fault_is_refused_whole(text: str, at: str) -> None:
    with pytest.raises(StructuredFieldError, match=at):
        parse_dictionary(text)


@pytest.mark.parametrize("status", [401, 402, 403, 407, 429, 451])
def test_a_wall_is_a_no(status: int) -> None:
    assert words(status_optouts(status)) == [f"access deny status status={status}"]
    assert status_optouts(status + 3) == ()


def test_a_challenge_is_a_no_under_any_status() -> None:
    for name in ("www-authenticate", "cf-mitigated"):
        assert words(challenge_header(name)) == [f"access deny header {name}"]
    assert challenge_header("server") == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (FetchedFile(404, b"a"), FileState.ABSENT),
        (FetchedFile(410, b"a"), FileState.ABSENT),
        (FetchedFile(201, b"a"), FileState.UNREADABLE),
        (FetchedFile(200, None), FileState.UNREADABLE),
        (FetchedFile(200, b"a" * 9), FileState.UNREADABLE),
        (FetchedFile(200, b"a" * 8), "a" * 8),
        (FetchedFile(200, b"\xef\xbb\xbfab"), "ab"),
        (FetchedFile(200, b"a\0"), FileState.UNREADABLE),
        (FetchedFile(200, b"\xff"), FileState.UNREADABLE),
        (FetchedFile(200, b"<html\0\xff>"), FileState.ABSENT),
    ],
)
def test_a_file_has_a_text_or_a_reason_why_not(file: FetchedFile, text: str | FileState) -> None:
    assert text_of(file, max_bytes=8) == text


def test_a_page_in_place_of_a_file_is_looked_for_at_its_beginning() -> None:
    for page in (b"<!DOCTYPE HTML>", b"<!-- in\nlines -->\n<Head>"):
        assert text_of(FetchedFile(200, page), max_bytes=100) is FileState.ABSENT
    for before, found in ((8192 - len("<html"), FileState.ABSENT), (8193 - len("<html"), " " * (8193 - len("<html")) + "<html>")):
        assert text_of(FetchedFile(200, b" " * before + b"<html>"), max_bytes=10_000) == found


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", True),
        (" http://WWW.CreativeCommons.org/licenses/by-sa/3.0 ", True),
        ("https://creativecommons.org/licenses/by/4.0/deed.fr", True),
        ("https://creativecommons.org/publicdomain/mark/1.0", True),
        ("https://creativecommons.org/publicdomain/zero/1.0/legalcode", True),
        ("https://creativecommons.org/publicdomain/zero/1.01", False),
        ("https://creativecommons.org/licenses/by-nc/4.0/", False),
        ("https://creativecommons.org/licenses/by/4.01/", False),
        ("https://creativecommons.org.evil.example/licenses/by/4.0/", False),
        ("ftp://creativecommons.org/licenses/by/4.0/", False),
        ("//creativecommons.org/licenses/by/4.0/", False),
        ("https://h.example/https://creativecommons.org/licenses/by/4.0/", False),
        ("https://[x/", False),
        ("", False),
    ],
)
def test_an_open_licence_is_known_by_its_address(address: str, is_open: bool) -> None:
    assert is_open_licence(address) is is_open
    assert words([licence_link(address, "Field", source=SOURCE)]) == [f"licence {'none' if is_open else 'deny'} header field"]


def test_licence_fields_of_an_image() -> None:
    fields = [
        XmpProperty("any", "WebStatement", "https://h.example/l"),
        XmpProperty("any", "LicensorURL", "https://creativecommons.org/licenses/by/4.0/"),
        XmpProperty("http://creativecommons.org/ns#", "license", "https://creativecommons.org/publicdomain/zero/1.0/"),
        XmpProperty("http://h.example/ns#", "license", "https://h.example/l"),
        XmpProperty("any", "WebStatement", ""),
        XmpProperty("http://creativecommons.org/ns#", "morePermissions", "x"),
    ]
    assert words(xmp_licence(fields)) == [
        "licence deny image webstatement",
        "licence none image licensorurl",
        "licence none image license",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"@type": "Photograph", "license": {"url": "https://creativecommons.org/licenses/by/4.0/"}}', ["none page json_ld_license"]),
        ('{"@type": "schema:ImageObjectSnapshot", "https://schema.org/license": ["x", null]}', ["deny page json_ld_license"]),
        ('{"@type": "IMAGEOBJECT", "license": {"@id": 1, "url": "x"}}', ["deny page json_ld_license"]),
        ('{"@type": ["x", 1, "ImageObject"], "acquireLicensePage": "x"}', ["deny page acquire_license_page"]),
        ('[{"a": {"@type": "ImageObject", "license": 1}}]', ["deny page json_ld_license"]),
        ('{"@type": "ImageObject", "license": []}', []),
        ('{"@type": "ImageObjects", "license": "x"}', []),
        ('{"@type": "ImageObject", "usageInfo": "x", "acquireLicensePage": ""}', []),
        ('{"licence": ', ["unknown page malformed_json_ld"]),
        ('{"LICENSE": ', ["unknown page malformed_json_ld"]),
        ('{"a": ', []),
    ],
)
def test_licences_of_json_ld(text: str, told: list[str]) -> None:
    assert words(json_ld_licence(text)) == [f"licence {line}" for line in told]


def test_a_block_of_as_many_values_as_are_read_is_read() -> None:
    image = '{"@type": "ImageObject", "license": "x"}'
    # The list, the object with its two values, and as many numbers beside it.
    for numbers, told in ((20_000 - 4, "licence deny page json_ld_license"), (20_000 - 3, "licence unknown page malformed_json_ld")):
        assert words(json_ld_licence(f"[{image}{', 1' * numbers}]")) == [told]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DataMining", "http://ns.useplus.org/ldf/vocab/DMI-ALLOWED", ["plus_data_mining none image dmi-allowed"]),
        ("DataMining", "DMI-UNSPECIFIED", ["plus_data_mining none image dmi-unspecified"]),
        ("DataMining", " allowed ", ["plus_data_mining none image allowed"]),
        ("DataMining", "DMI-PROHIBITED-AIMLTRAINING", ["plus_data_mining deny image dmi-prohibited-aimltraining"]),
        ("DataMining", "DMI-ALLOWED-EXCEPT", ["plus_data_mining deny image dmi-allowed-except"]),
        ("DataMining", "", ["plus_data_mining unknown image empty"]),
        ("ModelReleaseStatus", "x#MR-NON", ["plus_model_release deny image mr-non"]),
        ("ModelReleaseStatus", "x # MR-NON", ["plus_model_release deny image mr-non"]),
        ("ModelReleaseStatus", "MR-NAP", ["plus_model_release none image mr-nap"]),
        ("ModelReleaseStatus", "MR-UMR", ["plus_model_release none image mr-umr"]),
        ("ModelReleaseStatus", "mr-lmr", ["plus_model_release none image mr-lmr"]),
        ("ModelReleaseStatus", "", ["plus_model_release unknown image empty"]),
        ("MinorModelAgeDisclosure", "AG-A18", ["plus_minor_model none image ag-a18"]),
        ("MinorModelAgeDisclosure", "AG-A25", ["plus_minor_model none image ag-a25"]),
        ("MinorModelAgeDisclosure", "AG-A17", ["plus_minor_model deny image ag-a17"]),
        ("MinorModelAgeDisclosure", "AG-U14", ["plus_minor_model deny image ag-u14"]),
        ("MinorModelAgeDisclosure", "AG-UNK", ["plus_minor_model unknown image ag-unk"]),
        ("MinorModelAgeDisclosure", "", ["plus_minor_model unknown image empty"]),
        ("Other", "AG-A17", []),
    ],
)
def test_plus_fields(name: str, value: str, told: list[str]) -> None:
    assert words(plus_signals([XmpProperty("any", name, value)])) == told


@pytest.mark.parametrize(
    ("assertion", "told"),
    [
        ({"entries": {"c2pa.ai_training": {"use": "notAllowed"}}}, ["deny image c2pa.ai_training"]),
        ({"entries": {"a": {"use": " Constrained "}, "b": {"use": "allowed"}}}, ["deny image a", "none image b"]),
        ({"entries": {"a": {"use": "perhaps"}}}, ["unknown image a"]),
        ({"entries": {"a": {"use": 1}}}, ["unknown image a"]),
        ({"entries": {"a": "allowed"}}, ["unknown image a"]),
        ({"entries": {1: {"use": "allowed"}}}, ["none image 1"]),
        ({"entries": {}}, ["unknown image no_entries"]),
        ({"entries": ["a"]}, ["unknown image no_entries"]),
        ({}, ["unknown image no_entries"]),
        ([], ["unknown image no_entries"]),
    ],
)
def test_training_and_mining(assertion: object, told: list[str]) -> None:
    assert words(training_mining(assertion)) == [f"c2pa_training {line}" for line in told]


def test_an_assertion_that_is_named_and_not_read_is_unknown() -> None:
    for label in (b"c2pa.training-mining", b"cawg.training-mining"):
        assert words(c2pa_signals((), data=b"x" + label)) == ["c2pa_training unknown image unread_assertion"]
    assert c2pa_signals((), data=b"c2pa.training") == ()
    assert words(c2pa_signals((b"\0\0\0\x05jumb",), data=b"")) == ["c2pa_training unknown image unreadable_store"]


def test_metadata_that_cannot_be_read_refuses_with_its_word() -> None:
    assert words(xmp_optouts(b"<")) == ["image_metadata unknown image xmp"]
    assert words(image_optouts(b"\xff\xd8\xff\xe1\xff"))[:1] == ["image_metadata unknown image broken_file"]


@pytest.mark.parametrize(("name", "value", "is_asked"), [("Sec-GPC", "1", True), ("Sec-GPC", "0", False), ("GPC", "1", False)])
def test_privacy_control(name: str, value: str, is_asked: bool) -> None:
    assert has_privacy_signal([("Accept", "1"), (name, value)]) is is_asked


def test_json_is_read_in_one_way_only_and_up_to_its_bound() -> None:
    assert parse_json(" " * (MAX_JSON_CHARS - 1) + "1") == 1
    with pytest.raises(JsonUnreadableError, match="at most 1048576 are read"):
        parse_json(" " * MAX_JSON_CHARS + "1")
    for text in ("", "[" * 100_000, '{"a": 1, "a": 1}', '[{"a": 1, "a": 2}]', "9" * 10_000):
        with pytest.raises(JsonUnreadableError):
            parse_json(text)


def test_a_reservation_in_an_image_is_that_of_its_own_standard() -> None:
    fields = 'xmlns:t="http://www.w3.org/ns/tdmrep/" t:reservation="1" xmlns:o="http://o.example/" o:reservation="0"'
    description = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description {fields}/></rdf:RDF>'
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{description}</x:xmpmeta>'
    assert words(xmp_optouts(packet.encode())) == ["tdmrep deny image tdm-reservation=1"]


def test_terms_of_rsl_in_an_image_are_told_as_such() -> None:
    assert words(xmp_optouts(b'<a xmlns:r="https://rslstandard.org/rsl"><r:content/></a>')) == ["rsl deny image xmp"]
