"""The older IPTC form by itself: its resources and data sets to the byte, words in its captions, and where reading ends."""

from __future__ import annotations

import struct

import pytest

from assent.geofence.captions import MAX_CAPTION_CHARS
from assent.geofence.iptc_place import MAX_DATASETS, MAX_RESOURCES, iptc_place_evidence
from tests.unit.place_examples import UNREADABLE, said

CITY, STATE, CODE, NAME = 90, 95, 100, 101
TITLE, KEYWORD, HEADLINE, CAPTION = 5, 25, 105, 120


def resource(content: bytes, *, number: int = 0x0404, signature: bytes = b"8BIM", name: bytes = b"") -> bytes:
    label = bytes([len(name)]) + name
    return (
        signature + struct.pack(">H", number) + label + b"\0" * (len(label) % 2) + struct.pack(">I", len(content)) + content
        + b"\0" * (len(content) % 2)
    )  # fmt: skip


def dataset(number: int, value: bytes, *, record: int = 2) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value


CANADA = dataset(CODE, b"CAN")


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (resource(CANADA), {"iptc_place": {"CA"}}),
        (resource(dataset(CODE, b"CAN") + dataset(STATE, b"Alberta")), {"iptc_place": {"CA-AB"}}),
        (resource(dataset(CODE, b"CAN") + dataset(NAME, b"United States")), {"iptc_place": {"CA", "US"}}),
        (resource(dataset(CODE, b"CAN") + dataset(CODE, b"FRA")), {"iptc_place": {"CA", "FR"}}),
        (resource(dataset(CITY, b"Chicago")), {"iptc_place": {"US-IL"}}),
        (resource(CANADA, signature=b"MeSa") + resource(CANADA, number=0x0425), {"iptc_place": {"CA"}}),
        (resource(CANADA, signature=b"AgHg"), {"iptc_place": {"CA"}}),
        (resource(CANADA, signature=b"PHUT"), {"iptc_place": {"CA"}}),
        (resource(CANADA, signature=b"DCSR"), {"iptc_place": {"CA"}}),
        (resource(b"x", number=0x0405) + resource(CANADA, name=b"a"), {"iptc_place": {"CA"}}),
        (resource(b"xy", number=0x0403, name=b"ab") + resource(CANADA, name=b"abc"), {"iptc_place": {"CA"}}),
        (resource(CANADA[:4]) + resource(CANADA[4:]), {"iptc_place": {"CA"}}),
        (resource(CANADA) + resource(CANADA.replace(b"CAN", b"FRA")), {"iptc_place": {"CA", "FR"}}),
        (resource(dataset(CODE, b"\0 CAN\r\n\t\0")), {"iptc_place": {"CA"}}),
        (resource(dataset(CODE, b"CAN") + dataset(CODE, b" \0")), {"iptc_place": {"CA"}}),
        (resource(dataset(STATE, "Québec ".encode("latin-1"))), {"iptc_place": {"CA-QC"}}),
        (resource(dataset(STATE, "\0Québec\0".encode())), {"iptc_place": {"CA-QC"}}),
        (resource(CANADA) + b"\0", {"iptc_place": {"CA"}}),
        (resource(CANADA + b"\0"), {"iptc_place": {"CA"}}),
        (resource(dataset(CODE, b"CAN", record=1) + dataset(CODE, b"CAN", record=3)), {}),
        (resource(dataset(91, b"Chicago") + dataset(26, b"CAN") + dataset(103, b"Chicago")), {}),
        (resource(CANADA, number=0x0403), {}),
        (b"", {}),
        (b"\0" * 9, {}),
    ],
)
def test_a_segment_says_what_its_data_sets_say(segment: bytes, expected: dict[str, set[str]]) -> None:
    assert said(iptc_place_evidence(segment)) == expected


@pytest.mark.parametrize("number", [TITLE, KEYWORD, HEADLINE, CAPTION])
def test_words_for_places_in_captions_are_a_hint_beside_the_place(number: int) -> None:
    words = dataset(number, "On holiday in Montréal".encode()) + dataset(number, "Québec!".encode("latin-1"))
    assert said(iptc_place_evidence(resource(words))) == {"caption": {"CA-QC"}}
    assert said(iptc_place_evidence(resource(words + CANADA))) == {"iptc_place": {"CA"}, "caption": {"CA-QC"}}
    assert iptc_place_evidence(resource(dataset(number, b"On holiday"))) == ()


def test_captions_are_counted_together() -> None:
    longest = dataset(CAPTION, b"x" * 0x7FFF) * (MAX_CAPTION_CHARS // 0x7FFF) + dataset(TITLE, b"xy")
    assert iptc_place_evidence(resource(longest)) == ()
    assert said(iptc_place_evidence(resource(longest + dataset(TITLE, b"!")))) == {"caption": UNREADABLE}


@pytest.mark.parametrize(
    "segment",
    [
        b"8BIM",
        resource(CANADA)[:11],
        resource(CANADA)[:-2],
        resource(CANADA, signature=b"8BPS"),
        resource(CANADA, signature=b"8bim"),
        resource(CANADA) + b"-",
        b"\0" + resource(CANADA),
        resource(CANADA, name=b"a" * 255)[:40],
        b"8BIM\x04\x04\0\0\xff\xff\xff\xff" + CANADA,
        resource(CANADA[:3]),
        resource(CANADA[:-1]),
        resource(CANADA + b"\x1c"),
        resource(CANADA + b"-"),
        resource(dataset(CODE, b"-")),
        resource(b"\x1d" + CANADA[1:]),
        resource(b"\0" + CANADA),
        resource(CANADA + struct.pack(">BBBH", 0x1C, 2, 202, 0x8000) + b"x" * 0x8000),
    ],
)
def test_a_segment_whose_parts_do_not_fit_is_unreadable(segment: bytes) -> None:
    assert said(iptc_place_evidence(segment)) == {"iptc_place": UNREADABLE}


def test_the_longest_value_of_the_plain_form_is_read() -> None:
    assert said(iptc_place_evidence(resource(dataset(CAPTION, b"x" * 0x7FFF) + CANADA))) == {"iptc_place": {"CA"}}
    assert said(iptc_place_evidence(resource(dataset(202, b"x" * 0x7FFF) + CANADA))) == {"iptc_place": {"CA"}}


def test_as_many_resources_are_read_as_is_said_and_no_more() -> None:
    """The end is looked for once more after the last of them."""
    assert (MAX_RESOURCES, MAX_DATASETS) == (256, 512)
    others = resource(b"x", number=0x0405)
    assert said(iptc_place_evidence(others * (MAX_RESOURCES - 2) + resource(CANADA))) == {"iptc_place": {"CA"}}
    assert said(iptc_place_evidence(others * (MAX_RESOURCES - 1) + resource(CANADA))) == {"iptc_place": UNREADABLE}


def test_as_many_data_sets_are_read_as_is_said_and_no_more() -> None:
    others = dataset(80, b"x")
    assert said(iptc_place_evidence(resource(others * (MAX_DATASETS - 2) + CANADA))) == {"iptc_place": {"CA"}}
    assert said(iptc_place_evidence(resource(others * (MAX_DATASETS - 1) + CANADA))) == {"iptc_place": UNREADABLE}


def test_a_long_name_is_read_as_far_as_a_name_is_long() -> None:
    assert said(iptc_place_evidence(resource(dataset(CODE, b"Canada".ljust(128) + b"x")))) == {"iptc_place": {"CA"}}
    assert said(iptc_place_evidence(resource(dataset(CODE, b"Canada".ljust(127) + b"x")))) == {"iptc_place": UNREADABLE}
    latin = "Québec".encode("latin-1")
    assert said(iptc_place_evidence(resource(dataset(STATE, latin.ljust(128) + b"x")))) == {"iptc_place": {"CA-QC"}}
    assert said(iptc_place_evidence(resource(dataset(STATE, latin.ljust(127) + b"x")))) == {"iptc_place": UNREADABLE}
