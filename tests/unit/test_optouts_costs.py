"""What strangers write costs no more than its size: joins, names and lists that would be copied again and again are not."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import pytest

from assent.geofence.xmp_fields import XmpPlaceError, xmp_places
from assent.optouts.combination import combine
from assent.optouts.image import image_optouts
from assent.optouts.image_metadata import read_image_metadata
from assent.optouts.page import page_optouts
from assent.optouts.robots_lines import parse_robots
from assent.optouts.xmp import XmpUnreadableError, xmp_properties
from services.crawler.page import read_page
from tests.unit.place_examples import JPEG, jpeg_with

AGENT = "AssentBot"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
PARTS, PART_BYTES = 19_990, 920
MEGABYTE = 1 << 20


def seconds(work: Callable[[], object]) -> float:
    """Of a processor; the quickest of three, since a collection of what other tests left may fall into one of them."""

    def once() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return min(once() for _ in range(3))


def extended(order: int = 1) -> bytes:
    offsets = range(0, PARTS * PART_BYTES, PART_BYTES)[::order]
    heads = (EXTENDED + b"A" * 32 + struct.pack(">II", PARTS * PART_BYTES, offset) for offset in offsets)
    return jpeg_with(*((0xE1, head + b"a" * PART_BYTES) for head in heads))


@pytest.mark.parametrize("order", [1, -1], ids=["in their order", "the last part first"])
def test_twenty_megabytes_of_extended_xmp_in_as_many_parts_as_are_read_are_joined_once(order: int) -> None:
    data = extended(order)
    found = read_image_metadata(data)
    assert (found.is_broken, found.xmp) == (False, [b"a" * (PARTS * PART_BYTES)])
    assert seconds(lambda: read_image_metadata(data)) < 1


def test_fill_bytes_before_a_marker_are_passed_in_one_step() -> None:
    data = JPEG[:2] + b"\xff" * (20 * MEGABYTE) + JPEG[2:]
    assert not combine(image_optouts(data)).is_denied
    assert seconds(lambda: read_image_metadata(data)) < 0.5


def with_long_namespace(chars: int, elements: int) -> bytes:
    name = "x" * chars
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:a="{name}">{"<a:b/>" * elements}</x:xmpmeta>'.encode()


def test_a_long_namespace_is_not_written_out_for_each_of_many_elements() -> None:
    packet = with_long_namespace(MEGABYTE, 19_000)

    def read() -> None:
        with pytest.raises(XmpUnreadableError):
            xmp_properties(packet)
        with pytest.raises(XmpPlaceError):
            xmp_places(packet)

    assert seconds(read) < 1


@pytest.mark.parametrize("name", ['<a:b xmlns:a="{}"/>', '<b xmlns:a="{}" a:b="c"/>'], ids=["of an element", "of an attribute"])
def test_a_name_has_at_most_512_characters_with_its_namespace(name: str) -> None:
    # The parser puts the namespace between braces, before the local name.
    read, refused = (f"<x>{name.format('x' * count)}</x>".encode() for count in (509, 510))
    assert xmp_properties(read) == ()
    assert xmp_places(read).places == ()
    with pytest.raises(XmpUnreadableError):
        xmp_properties(refused)
    with pytest.raises(XmpPlaceError):
        xmp_places(refused)


def test_thousands_of_names_before_thousands_of_rules_are_not_multiplied() -> None:
    """A file has room for forty thousand names and as many rules: kept for each name, they would fill any memory."""
    text = "User-agent: " + ",".join(map(str, range(1_000))) + f"\nUser-agent: {AGENT}\n" + "Disallow: /b\n" * 1_000
    robots = parse_robots(text)
    assert sum(len(group.lines) for group in robots.groups) == len(robots.addressed_to(AGENT)) == 1_000


PAGES = {
    "robots in commas": b'<meta name=robots content="' + b"a," * 2_000 + b'">',
    "robots in colons": b'<meta name=robots content="' + b"a:" * 2_000 + b'">',
    "reservations": b'<meta name=tdm-reservation content="' + b"0," * 2_000 + b'">',
    "pictures": b'<img srcset="' + b"a," * 2_000 + b'">',
}


@pytest.mark.parametrize("part", PAGES.values(), ids=list(PAGES))
def test_a_page_of_two_megabytes_of_one_thing_costs_little(part: bytes) -> None:
    page = part * min(2_000_000 // len(part), 24_000 // part.count(b"<"))
    assert seconds(lambda: page_optouts(page, agent=AGENT)) < 2
    assert seconds(lambda: read_page(page, url="https://site.example/")) < 2


def test_one_statement_of_two_megabytes_costs_little() -> None:
    page = b'<meta name=robots content="' + b"a," * 1_000_000 + b'">'
    assert combine(page_optouts(page, agent=AGENT).signals).is_denied
    assert seconds(lambda: page_optouts(page, agent=AGENT)) < 1
