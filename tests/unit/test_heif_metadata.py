"""EXIF, XMP and C2PA of a HEIC: every item counts, whichever picture it is of; what cannot be cut out is an error, never passed over."""

from __future__ import annotations

import struct

import pytest

from assent.heif.boxes import HeifError
from assent.heif.file import HeifMovingError
from assent.heif.metadata import HeifMetadata, heif_metadata
from tests.unit.heif_examples import Layout, Part, box, single, small, with_box, with_c2pa, with_metadata, written

XMP_NAME, C2PA_NAME = "be7acfcb97a942e89c71999491e3afac", "d8fec3d61b0e483c92975828877ec481"
RDF = b"application/rdf+xml"
TIFF = b"II*\0 and so on"


def of(*parts: Part) -> HeifMetadata:
    """What is read of a file with these items beside the picture."""
    return heif_metadata(written(Layout({**single(small()).parts, **dict(enumerate(parts, 2))})))


def exif(content: bytes, *, skipped: int = 0) -> Part:
    return Part(b"Exif", struct.pack(">I", skipped) + content)


def test_a_picture_without_metadata_has_none() -> None:
    assert heif_metadata(with_metadata()) == HeifMetadata()


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (exif(TIFF), TIFF),
        (exif(b"Exif\0\0" + TIFF), TIFF),
        (exif(b"Exif\0\0" + TIFF, skipped=6), TIFF),
        (exif(b"anything" + TIFF, skipped=8), TIFF),
        (exif(b"Exif\0\0" * 2 + TIFF), b"Exif\0\0" + TIFF),
        (exif(b"", skipped=0), b""),
        (exif(b"all of it", skipped=9), b""),
    ],
)
def test_the_block_begins_where_the_item_says(part: Part, block: bytes) -> None:
    assert of(part) == HeifMetadata(exif=[block])


@pytest.mark.parametrize("content", [b"", b"\0\0\0", struct.pack(">I", 5) + b"four", b"\xff" * 40])
def test_a_block_that_begins_behind_its_end_is_an_error(content: bytes) -> None:
    with pytest.raises(HeifError, match="ends inside a field"):
        of(Part(b"Exif", content))


def test_every_item_counts_in_the_order_of_the_list() -> None:
    found = of(exif(b"one"), Part(b"mime", b"two", content_type=RDF), exif(b"three"), Part(b"mime", b"four", content_type=RDF))
    assert found == HeifMetadata(exif=[b"one", b"three"], xmp=[b"two", b"four"])


@pytest.mark.parametrize("name", [RDF, b"application/xmp+xml", b"Application/RDF+XML; charset=utf-8"])
def test_a_packet_is_known_by_its_type(name: bytes) -> None:
    assert of(Part(b"mime", b"<packet/>", content_type=name)) == HeifMetadata(xmp=[b"<packet/>"])


@pytest.mark.parametrize(
    "part",
    [
        Part(b"mime", b"<other/>", content_type=b"application/xml"),
        Part(b"mime", b"<other/>", content_type=b"application/xml", protection=1),
        Part(b"mime", b"<other/>", content_type=b"application/xml", encoding=b"gzip"),
        Part(b"mimf", b"<other/>"),
        Part(b"uri ", b"<other/>"),
    ],
)
def test_other_items_are_left_alone(part: Part) -> None:
    assert of(part) == HeifMetadata()


@pytest.mark.parametrize(
    "part",
    [
        Part(b"Exif", bytes(4) + TIFF, protection=1),
        Part(b"mime", b"<packet/>", content_type=RDF, protection=1),
        Part(b"mime", b"<packet/>", content_type=RDF, encoding=b"gzip"),
        Part(b"mime", b"<packet/>", content_type=RDF, encoding=b"deflate"),
    ],
)
def test_what_is_encrypted_or_packed_is_an_error_and_not_nothing(part: Part) -> None:
    with pytest.raises(HeifError, match="encrypted or packed"):
        of(part)


MEGABYTE = 1 << 20


def claiming(*lengths: int) -> bytes:
    """As many items of metadata, all of which claim the same bytes."""
    parts = single(small()).parts | {number: Part(b"mime", b"", content_type=RDF) for number in range(2, 2 + len(lengths))}
    free = box(b"free", bytes(MEGABYTE))
    start = len(written(Layout(parts, places=dict.fromkeys(range(2, 2 + len(lengths)), (0, 0, 0)), after=free))) - MEGABYTE
    return written(Layout(parts, places={number: (0, start, length) for number, length in enumerate(lengths, 2)}, after=free))


def test_all_metadata_of_a_file_is_16_mebibytes_at_most() -> None:
    assert sum(map(len, heif_metadata(claiming(*[MEGABYTE] * 16)).xmp)) == 16 * MEGABYTE
    for lengths in ([*[MEGABYTE] * 16, 1], [MEGABYTE] * 2_000):
        with pytest.raises(HeifError, match="more metadata than a picture has"):
            heif_metadata(claiming(*lengths))


def test_what_other_items_hold_does_not_count_as_metadata() -> None:
    layout = Layout({**single(small()).parts, 2: Part(b"Exif", bytes(4) + TIFF), 3: Part(b"data", b"")}, places={3: (0, 0, 1 << 30)})
    assert heif_metadata(written(layout)) == HeifMetadata(exif=[TIFF])


def test_a_packet_may_stand_in_a_box_with_a_name() -> None:
    assert heif_metadata(with_box(XMP_NAME, b"<packet/>")) == HeifMetadata(xmp=[b"<packet/>"])
    assert heif_metadata(with_box("00" * 16, b"<packet/>")) == HeifMetadata()
    both = with_metadata(xmp=b"<item/>", after=box(b"uuid", bytes.fromhex(XMP_NAME) + b"<box/>"))
    assert heif_metadata(both).xmp == [b"<item/>", b"<box/>"]


def test_a_store_is_cut_out_and_where_its_box_lies_is_told() -> None:
    whole, without = with_c2pa(b"the store"), len(with_metadata())
    assert heif_metadata(whole) == HeifMetadata(c2pa=[b"the store"], c2pa_spans=[(without, len(whole))])


def test_a_box_of_hashes_alone_has_no_store() -> None:
    data, without = with_box(C2PA_NAME, bytes(4) + b"merkle\0" + b"hashes"), len(with_metadata())
    assert heif_metadata(data) == HeifMetadata(c2pa_spans=[(without, len(data))])


def test_every_box_of_stores_counts() -> None:
    one = box(b"uuid", bytes.fromhex(C2PA_NAME) + bytes(4) + b"manifest\0" + bytes(8) + b"store")
    other = box(b"uuid", bytes.fromhex(C2PA_NAME) + b"\1\2\3\4" + b"update\0" + b"\xff" * 8 + b"more")
    data, start = with_metadata(after=one + other), len(with_metadata())
    spans = [(start, start + len(one)), (start + len(one), len(data))]
    assert heif_metadata(data) == HeifMetadata(c2pa=[b"store", b"more"], c2pa_spans=spans)


def store_box(purpose: bytes, store: bytes) -> bytes:
    return box(b"uuid", bytes.fromhex(C2PA_NAME) + bytes(4) + purpose + b"\0" + bytes(8) + store)


def read_stores(*stores: tuple[bytes, bytes]) -> list[bytes]:
    return heif_metadata(with_metadata(after=b"".join(store_box(*store) for store in stores))).c2pa


SAYS_WHAT = box(b"jumd", b"a store of manifests")
ORIGINAL, UPDATE = box(b"jumb", SAYS_WHAT + b"one"), box(b"jumb", SAYS_WHAT + b"two and three")
BOTH = SAYS_WHAT + b"onetwo and three"


def test_an_original_and_its_update_are_one_store_with_the_manifests_of_both() -> None:
    assert read_stores((b"original", ORIGINAL), (b"update", UPDATE)) == [struct.pack(">I4sQ", 1, b"jumb", len(BOTH) + 16) + BOTH]
    data, start = with_metadata(after=store_box(b"original", ORIGINAL) + store_box(b"update", UPDATE)), len(with_metadata())
    between = start + len(store_box(b"original", ORIGINAL))
    assert heif_metadata(data).c2pa_spans == [(start, between), (between, len(data))]


def test_boxes_of_hashes_and_others_may_stand_around_such_a_pair() -> None:
    merkle = box(b"uuid", bytes.fromhex(C2PA_NAME) + bytes(4) + b"merkle\0" + b"hashes")
    boxes = merkle + store_box(b"original", ORIGINAL) + box(b"uuid", bytes(16)) + merkle + store_box(b"update", UPDATE) + merkle
    assert len(heif_metadata(with_metadata(after=boxes)).c2pa) == 1


@pytest.mark.parametrize(
    "purposes",
    [
        ("original",), ("update",), ("manifest", "update"), ("original", "manifest"), ("update", "original"), ("original", "original"),
        ("update", "update"), ("original", "update", "update"), ("original", "original", "update"), ("Original", "update"),
    ],
)  # fmt: skip
def test_any_other_stores_stay_by_themselves(purposes: tuple[str, ...]) -> None:
    assert read_stores(*((purpose.encode(), ORIGINAL) for purpose in purposes)) == [ORIGINAL] * len(purposes)


@pytest.mark.parametrize(
    "update",
    [
        b"", b"no box", UPDATE + b"\0", UPDATE * 2, box(b"free", b"") + UPDATE, box(b"jumb", b""), box(b"jumb", b"no box"),
        box(b"abcd", SAYS_WHAT), box(b"jumb", box(b"jumd", b"of something else")), box(b"jumb", SAYS_WHAT[:-1]),
    ],
    ids=[
        "nothing", "no box", "more than a box", "two boxes", "another box before it", "an empty box", "a box of no box", "another kind",
        "of something else", "cut off",
    ],
)  # fmt: skip
def test_an_update_that_is_not_a_store_of_the_same_kind_stays_by_itself(update: bytes) -> None:
    assert read_stores((b"original", ORIGINAL), (b"update", update)) == [ORIGINAL, update]
    assert read_stores((b"original", update), (b"update", UPDATE)) == [update, UPDATE]


def test_a_store_may_be_a_box_with_a_long_length() -> None:
    long = struct.pack(">I4sQ", 1, b"jumb", len(ORIGINAL) + 8) + ORIGINAL[8:]
    assert read_stores((b"original", long), (b"update", UPDATE)) == read_stores((b"original", ORIGINAL), (b"update", UPDATE))


@pytest.mark.parametrize(
    "content",
    [
        bytes.fromhex(C2PA_NAME)[:15],
        bytes.fromhex(C2PA_NAME) + bytes(3),
        bytes.fromhex(C2PA_NAME) + bytes(4) + b"manifest\0" + bytes(7),
        bytes.fromhex(C2PA_NAME) + bytes(4),
    ],
)
def test_a_box_that_ends_too_early_is_an_error(content: bytes) -> None:
    with pytest.raises(HeifError, match="ends inside a field"):
        heif_metadata(with_metadata(after=box(b"uuid", content)))


def test_metadata_of_a_film_is_not_read() -> None:
    with pytest.raises(HeifMovingError):
        heif_metadata(with_metadata(exif=TIFF, after=box(b"moov", b"")))
