"""The items of a HEIF file in every version of its boxes; bounds to the last item; two answers to one question are none."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import pytest

from assent.heif.boxes import Box, HeifError, HeifTruncatedError
from assent.heif.items import Items, Kind, Place, Property, read_items
from tests.unit.heif_examples import box, full

IN_FILE, IN_META, OF_ITEMS = 0, 1, 2
BEFORE = b"before the meta box."


def items(*parts: bytes, after: bytes = b"") -> Items:
    content = bytes(4) + b"".join(parts)
    data = BEFORE + box(b"meta", content) + after
    return read_items(data, Box(b"meta", len(BEFORE), len(BEFORE) + 8, len(BEFORE) + 8 + len(content)))


def kinds(*entries: bytes, count: int | None = None, version: int = 0) -> bytes:
    told = len(entries) if count is None else count
    return full(b"iinf", struct.pack(">I" if version else ">H", told) + b"".join(entries), version=version)


def kind(item: int, content: bytes, *, version: int = 2, protection: int = 0) -> bytes:
    return full(b"infe", struct.pack(">IH" if version == 3 else ">HH", item, protection) + content, version=version)


def places(*entries: bytes, sizes: int = 0x4400, version: int = 1, count: int | None = None) -> bytes:
    told = len(entries) if count is None else count
    return full(b"iloc", struct.pack(">HI" if version == 2 else ">HH", sizes, told) + b"".join(entries), version=version)


def place(item: int, *extents: tuple[int, int], method: int = IN_FILE, source: int = 0) -> bytes:
    """An entry of version 1, with four bytes for an offset and for a length."""
    return struct.pack(">HHHH", item, method, source, len(extents)) + b"".join(struct.pack(">II", *one) for one in extents)


def properties(*parts: bytes, told: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(b"iprp", box(b"ipco", b"".join(parts)) + full(b"ipma", told, version=version, flags=flags))


def references(*entries: bytes, version: int = 0) -> bytes:
    return full(b"iref", b"".join(entries), version=version)


def refers(name: bytes, source: int, *targets: int) -> bytes:
    return box(name, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))


def test_what_is_not_told_is_not_there() -> None:
    found = items()
    assert (found.primary, found.kinds, found.places, found.properties, found.references, found.inner) == (None, {}, {}, {}, {}, None)
    assert items(box(b"free", b""), box(b"free", b""), full(b"iinf", b"\0\0")).kinds == {}


@pytest.mark.parametrize(
    ("told", "primary"),
    [
        (full(b"pitm", b"\1\2"), 0x0102),
        (full(b"pitm", b"\1\2\3\4", version=1), 0x01020304),
        (full(b"pitm", b"\1\2\3\4", version=0), 0x0102),
    ],
)
def test_which_picture_is_meant_has_two_bytes_or_four(told: bytes, primary: int) -> None:
    assert items(told).primary == primary


KINDS: dict[str, tuple[bytes, int, Kind]] = {
    "a picture": (kind(0x0102, b"hvc1name\0"), 0x0102, Kind(b"hvc1")),
    "a picture with a long number": (kind(0x01020304, b"hvc1name\0", version=3), 0x01020304, Kind(b"hvc1")),
    "a protected one": (kind(1, b"Exif\0", protection=0x0100), 1, Kind(b"Exif", is_protected=True)),
    "a type": (kind(1, b"mimename\0image/x\0"), 1, Kind(b"mime", "image/x")),
    "a type, packed": (kind(1, b"mimename\0image/x\0 gzip \0"), 1, Kind(b"mime", "image/x", "gzip")),
    "a type, protected": (kind(1, b"mimename\0image/x\0", protection=1), 1, Kind(b"mime", "image/x", is_protected=True)),
    "a type with parameters": (kind(1, b"mime\0 Application/RDF+xml ; a=b;c\0"), 1, Kind(b"mime", "application/rdf+xml")),
    "of an old version": (kind(1, b"name\0image/x\0gzip\0", version=1), 1, Kind(b"mime", "image/x", "gzip")),
    "of the oldest version": (kind(1, b"name\0image/x\0", version=0), 1, Kind(b"mime", "image/x")),
    "a link": (kind(1, b"uri name\0urn:x\0"), 1, Kind(b"uri ")),
}


@pytest.mark.parametrize(("told", "item", "expected"), KINDS.values(), ids=list(KINDS))
def test_what_an_item_is_is_read_in_every_version(told: bytes, item: int, expected: Kind) -> None:
    assert items(kinds(told)).kinds == {item: expected}
    assert items(kinds(told, version=1)).kinds == {item: expected}
    assert expected.letters == b"mime" or (expected.content_type, expected.encoding) == ("", "")


def test_other_boxes_among_the_kinds_are_passed_over() -> None:
    listed = kinds(kind(1, b"hvc1\0"), box(b"free", b"\2\0\0\0\0\2\0\0grid\0"), kind(2, b"Exif\0"))
    assert items(listed).kinds == {1: Kind(b"hvc1"), 2: Kind(b"Exif")}


def placed(version: int, sizes: int, entry: bytes) -> dict[int, Place]:
    return items(places(entry, sizes=sizes, version=version)).places


PLACES: dict[str, tuple[int, int, bytes, int, Place]] = {
    "version 0": (0, 0x4400, bytes.fromhex("0102 0000 0001 00000003 00000004"), 0x0102, Place(0, False, ((3, 4),))),
    "version 1": (1, 0x4400, bytes.fromhex("0102 0001 0000 0001 00000003 00000004"), 0x0102, Place(1, False, ((3, 4),))),
    "version 2": (2, 0x4400, bytes.fromhex("01020304 0002 0000 0001 00000003 00000004"), 0x01020304, Place(2, False, ((3, 4),))),
    "reserved bits of the method": (1, 0x4400, bytes.fromhex("0001 fff0 0000 0001 00000003 00000004"), 1, Place(0, False, ((3, 4),))),
    "a method of 15": (1, 0x4400, bytes.fromhex("0001 000f 0000 0001 00000003 00000004"), 1, Place(15, False, ((3, 4),))),
    "another file": (1, 0x4400, bytes.fromhex("0001 0000 0001 0001 00000003 00000004"), 1, Place(0, True, ((3, 4),))),
    "another file, version 0": (0, 0x4400, bytes.fromhex("0001 0100 0001 00000003 00000004"), 1, Place(0, True, ((3, 4),))),
    "sizes of eight": (1, 0x8800, bytes.fromhex("0001 0000 0000 0001 0000000100000003 0000000200000004"), 1,
                       Place(0, False, (((1 << 32) + 3, (2 << 32) + 4),))),
    "a length alone": (1, 0x0400, bytes.fromhex("0001 0000 0000 0001 00000004"), 1, Place(0, False, ((0, 4),))),
    "an offset alone": (1, 0x4000, bytes.fromhex("0001 0000 0000 0001 00000003"), 1, Place(0, False, ((3, 0),))),
    "a base": (1, 0x4440, bytes.fromhex("0001 0000 0000 00000100 0001 00000003 00000004"), 1, Place(0, False, ((0x103, 4),))),
    "a base of eight": (1, 0x4480, bytes.fromhex("0001 0000 0000 0000000000000100 0002 00000003 00000004 00000005 00000006"), 1,
                        Place(0, False, ((0x103, 4), (0x105, 6)))),
    "an index": (1, 0x4404, bytes.fromhex("0001 0002 0000 0001 00000009 00000003 00000004"), 1, Place(2, False, ((3, 4),))),
    "an index of eight": (2, 0x4408, bytes.fromhex("00000001 0002 0000 0001 0000000000000009 00000003 00000004"), 1,
                          Place(2, False, ((3, 4),))),
    "no index in version 0": (0, 0x4404, bytes.fromhex("0001 0000 0001 00000003 00000004"), 1, Place(0, False, ((3, 4),))),
    "reserved bits of version 0": (0, 0x440F, bytes.fromhex("0001 0000 0001 00000003 00000004"), 1, Place(0, False, ((3, 4),))),
    "no extent": (1, 0x4400, bytes.fromhex("0001 0000 0000 0000"), 1, Place(0, False, ())),
}  # fmt: skip


@pytest.mark.parametrize(("version", "sizes", "entry", "item", "expected"), PLACES.values(), ids=list(PLACES))
def test_where_an_item_lies_is_read_in_every_version(version: int, sizes: int, entry: bytes, item: int, expected: Place) -> None:
    assert placed(version, sizes, entry) == {item: expected}


@pytest.mark.parametrize("sizes", [0x3400, 0x4300, 0x4410, 0x4403, 0x5400, 0x4700, 0x44C0, 0x440F, 0x2400])
def test_sizes_that_the_standard_does_not_have_are_an_error(sizes: int) -> None:
    with pytest.raises(HeifError, match="a form that does not exist"):
        placed(1, sizes, bytes(60))


def test_a_version_of_places_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(HeifError, match="a form that does not exist"):
        placed(3, 0x4400, bytes.fromhex("0001 0000 0000 0001 00000003 00000004"))


ISPE, HVCC, IROT = box(b"ispe", b"1"), box(b"hvcC", b"22"), box(b"irot", b"333")
PROPERTIES: dict[str, tuple[bytes, int, int, int, list[tuple[bytes, bool]]]] = {
    "one byte": (bytes.fromhex("0102 02 82 01"), 0, 0, 0x0102, [(b"hvcC", True), (b"ispe", False)]),
    "two bytes": (bytes.fromhex("0102 02 8002 0001"), 0, 1, 0x0102, [(b"hvcC", True), (b"ispe", False)]),
    "a long number": (bytes.fromhex("01020304 02 82 01"), 1, 0, 0x01020304, [(b"hvcC", True), (b"ispe", False)]),
    "other flags": (bytes.fromhex("0001 01 83"), 0, 2, 1, [(b"irot", True)]),
    "the last, and the number 0 for none": (bytes.fromhex("0001 04 00 80 03 83"), 0, 0, 1, [(b"irot", False), (b"irot", True)]),
    "none": (bytes.fromhex("0001 00"), 0, 0, 1, []),
}


@pytest.mark.parametrize(("entry", "version", "flags", "item", "expected"), PROPERTIES.values(), ids=list(PROPERTIES))
def test_the_properties_of_an_item_are_read_in_every_form(
    entry: bytes, version: int, flags: int, item: int, expected: list[tuple[bytes, bool]]
) -> None:
    found = items(properties(ISPE, HVCC, IROT, told=struct.pack(">I", 1) + entry, version=version, flags=flags))
    assert list(found.properties) == [item]
    assert [(one.box.kind, one.is_essential) for one in found.properties[item]] == expected
    contents = {b"ispe": b"1", b"hvcC": b"22", b"irot": b"333"}
    assert all(found.data[one.box.start : one.box.end] == contents[one.box.kind] for one in found.properties[item])


def test_several_lists_of_properties_add_up() -> None:
    two = [full(b"ipma", struct.pack(">IHBB", 1, item, 1, item)) for item in (1, 2)]
    found = items(box(b"iprp", two[0] + box(b"ipco", ISPE + HVCC) + box(b"free", b"\0" * 8) + two[1]))
    assert {item: [one.box.kind for one in told] for item, told in found.properties.items()} == {1: [b"ispe"], 2: [b"hvcC"]}
    assert all(isinstance(one, Property) for told in found.properties.values() for one in told)


def test_references_are_read_in_both_versions_by_kind_and_source() -> None:
    short = items(references(refers(b"dimg", 0x0102, 3, 0x0405), refers(b"dimg", 1), refers(b"auxl", 0x0102, 7)))
    assert short.references == {(b"dimg", 0x0102): (3, 0x0405), (b"dimg", 1): (), (b"auxl", 0x0102): (7,)}
    long = items(references(box(b"dimg", struct.pack(">IHII", 0x01020304, 2, 3, 0x05060708)), version=1))
    assert long.references == {(b"dimg", 0x01020304): (3, 0x05060708)}


TWICE: dict[str, bytes] = {
    "an item of two kinds": kinds(kind(1, b"hvc1\0"), kind(1, b"Exif\0")),
    "an item in two places": places(place(1, (0, 1)), place(1, (0, 1))),
    "an item with two lists of properties": properties(ISPE, told=bytes.fromhex("00000002 0001 01 01 0001 01 01")),
    "an item with two lists of the same kind": references(refers(b"dimg", 1, 2), refers(b"dimg", 1, 3)),
    "two boxes of properties": box(b"iprp", box(b"ipco", ISPE) * 2 + full(b"ipma", bytes.fromhex("00000001 0001 01 01"))),
    "no box of properties": box(b"iprp", full(b"ipma", bytes(4))),
    "a property behind the last": properties(ISPE, HVCC, IROT, told=bytes.fromhex("00000001 0001 01 04")),
    "an essential one behind the last": properties(ISPE, HVCC, IROT, told=bytes.fromhex("00000001 0001 01 84")),
    "one of two bytes behind the last": properties(ISPE, told=bytes.fromhex("00000001 0001 01 0102"), flags=1),
    "two that are meant": full(b"pitm", b"\0\1") * 2,
    "two lists of kinds": kinds() * 2,
    "two lists of places": places() * 2,
    "two boxes of references": references() * 2,
    "two boxes of what lies inside": box(b"idat", b"x") * 2,
    "two boxes of all properties": properties(told=bytes(4)) * 2,
}


@pytest.mark.parametrize("told", TWICE.values(), ids=list(TWICE))
def test_what_is_told_twice_or_is_not_there_is_an_error(told: bytes) -> None:
    with pytest.raises(HeifError):
        items(told)


def many(count: int, one: Callable[[int], bytes]) -> bytes:
    return b"".join(one(number) for number in range(1, count + 1))


BOUNDS: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "items that are listed": (2_048, lambda count: kinds(*(kind(one, b"Exif\0") for one in range(count)), count=1)),
    "items that are said to be listed": (2_048, lambda count: kinds(count=count)),
    "items that have places": (2_048, lambda count: places(*(place(one) for one in range(count)))),
    "items that have properties": (
        2_048,
        lambda count: properties(told=struct.pack(">I", count) + many(count, lambda one: struct.pack(">HB", one, 0))),
    ),
    "items that have properties in several lists": (
        2_048,
        lambda count: box(
            b"iprp",
            box(b"ipco", b"")
            + full(b"ipma", struct.pack(">I", 2_000) + many(2_000, lambda one: struct.pack(">HB", one, 0)))
            + full(b"ipma", struct.pack(">I", count - 2_000) + many(count - 2_000, lambda one: struct.pack(">HB", 2_000 + one, 0))),
        ),
    ),
    "extents of one item": (8_192, lambda count: places(place(1, *[(0, 0)] * count))),
    "extents of two items": (8_192, lambda count: places(place(1, *[(0, 0)] * 8_000), place(2, *[(0, 0)] * (count - 8_000)))),
    "properties of all items": (
        32_768,
        lambda count: properties(
            ISPE,
            told=struct.pack(">I", 129)
            + many(128, lambda one: struct.pack(">HB", one, 255) + b"\1" * 255)
            + struct.pack(">HB", 129, count - 128 * 255)
            + b"\1" * (count - 128 * 255),
        ),
    ),
    "properties in several lists": (
        32_768,
        lambda count: box(
            b"iprp",
            box(b"ipco", ISPE)
            + full(b"ipma", struct.pack(">I", 128) + many(128, lambda one: struct.pack(">HB", one, 255) + b"\1" * 255))
            + full(b"ipma", struct.pack(">IHB", 1, 129, count - 128 * 255) + b"\1" * (count - 128 * 255)),
        ),
    ),
    "references of one item": (16_384, lambda count: references(refers(b"dimg", 1, *[2] * count))),
    "references of two items": (
        16_384,
        lambda count: references(refers(b"dimg", 1, *[2] * 16_000), refers(b"dimg", 2, *[2] * (count - 16_000))),
    ),
    "boxes in the meta box": (8_192, lambda count: box(b"free", b"") * count),
}


@pytest.mark.parametrize(("most", "told"), BOUNDS.values(), ids=list(BOUNDS))
def test_a_list_is_read_up_to_its_bound_and_not_beyond(most: int, told: Callable[[int], bytes]) -> None:
    began = time.process_time()
    items(told(most))
    with pytest.raises(HeifError, match=r"more than a picture has|too many boxes"):
        items(told(most + 1))
    assert time.process_time() - began < 2


def test_a_bound_holds_before_what_it_bounds_is_read() -> None:
    """A number alone costs nothing: what it announces is not waited for."""
    announced = (places(count=2_049), kinds(count=2_049), places(struct.pack(">HHHH", 1, 0, 0, 8_193)))
    for told in (*announced, references(box(b"dimg", struct.pack(">HH", 1, 16_385)))):
        with pytest.raises(HeifError, match="more than a picture has"):
            items(told)


def test_the_bytes_of_an_item_are_put_together_from_the_file_or_the_meta_box() -> None:
    found = items(
        box(b"idat", b"inside"),
        places(
            place(1, (0, 6), (7, 3)),
            place(2, (0, 6), method=IN_META),
            place(3, (4, 2), (1, 0), (0, 1), method=IN_META),
        ),
    )
    assert [found.bytes_of(item) for item in (1, 2, 3)] == [b"beforethe", b"inside", b"dei"]
    assert [found.size_of(item) for item in (1, 2, 3)] == [9, 6, 3]
    end = len(found.data)
    last = items(places(place(1, (end - 3, 7))), after=b"last")
    with pytest.raises(HeifTruncatedError):
        last.bytes_of(1)


def test_what_lies_outside_the_meta_box_is_told_part_by_part_wherever_it_ends() -> None:
    found = items(
        box(b"idat", b"inside"),
        places(
            place(1, (0, 6), (7, 3)),
            place(2, (0, 6), method=IN_META),
            place(3, (1, 5), method=OF_ITEMS),
            place(4),
            place(5, (9, 0), (4_000, 7), source=1),
        ),
    )
    assert found.extents_in_file() == [(0, 6), (7, 10), (9, 9), (4_000, 4_007)]
    assert items(places()).extents_in_file() == []


def test_the_parts_of_an_item_are_no_more_than_the_file() -> None:
    def in_parts(of: int) -> Items:
        parts = [(0, of), *[(0, 10)] * 99]
        return items(places(place(1, *parts)), after=bytes(1_000))

    size = len(in_parts(0).data)
    assert len(in_parts(size - 990).bytes_of(1)) == size
    assert in_parts(size).size_of(1) == size + 990
    with pytest.raises(HeifError, match="more than the file"):
        in_parts(size - 989).bytes_of(1)


def test_an_item_may_end_where_the_file_ends_and_not_behind_it() -> None:
    size = len(items(places(place(1, (0, 0))), after=b"last").data)
    assert items(places(place(1, (size - 4, 4))), after=b"last").bytes_of(1) == b"last"
    with pytest.raises(HeifTruncatedError):
        items(places(place(1, (size - 4, 5))), after=b"last").bytes_of(1)


NOWHERE: dict[str, bytes] = {
    "no place": places(place(2, (0, 1))),
    "another file": places(place(1, (0, 1), source=1)),
    "made of other items": places(place(1, (0, 1), method=OF_ITEMS)),
    "no extent": places(place(1)),
}


@pytest.mark.parametrize("told", NOWHERE.values(), ids=list(NOWHERE))
def test_an_item_without_bytes_in_this_file_has_neither_size_nor_content(told: bytes) -> None:
    found = items(told)
    for ask in (found.size_of, found.bytes_of):
        with pytest.raises(HeifError, match="no place in this file"):
            ask(1)


def test_what_lies_in_the_meta_box_is_never_read_beside_it() -> None:
    inside = box(b"idat", b"inside")
    assert items(inside, places(place(1, (6, 0), method=IN_META))).bytes_of(1) == b""
    for extent in ((0, 7), (6, 1), (7, 0), (5, 2)):
        with pytest.raises(HeifTruncatedError):
            items(inside, places(place(1, extent, method=IN_META))).bytes_of(1)
    missing = items(places(place(1, (0, 1), method=IN_META)))
    assert missing.size_of(1) == 1
    with pytest.raises(HeifError, match="a box that is not there"):
        missing.bytes_of(1)
