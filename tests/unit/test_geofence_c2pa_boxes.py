"""What the hash of a HEIC holds together: each box and where it lies; a binding that leaves out more than the store binds no picture."""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.geofence.c2pa_manifest import manifests_of
from assent.geofence.c2pa_seal import Seal, seal_of
from assent.geofence.extract import image_evidence
from assent.heif.boxes import boxes
from assent.optouts.image import image_optouts
from assent.optouts.image_metadata import read_image_metadata
from assent.optouts.reading_budget import ReadingBudget
from tests.unit.c2pa_examples import LABEL, Camera, Picture, box, key, left_out, signed, signed_heic, signers, superbox, type_of
from tests.unit.heif_examples import Layout, Part, single, small, with_c2pa, with_metadata, written
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said

SIGNED = {"signed_gps": {"CA-AB"}}
STATED = {"exif_gps": {"CA-AB"}}
BROKEN = {"signed_gps": UNREADABLE}
FREE = box(b"free", bytes(40))
C2PA_NAME = "d8fec3d61b0e483c92975828877ec481"


def read(data: bytes) -> dict[str, frozenset[str]]:
    return said(image_evidence(data, areas=areas(), location=LOCATION, signers=signers()))


def store_box(store: bytes) -> bytes:
    (*_, found) = boxes(with_c2pa(store), 0, len(with_c2pa(store)))
    return with_c2pa(store)[found.head :]


def between(before: bytes = b"", after: bytes = b"", **layout: Any) -> Callable[[bytes], bytes]:
    """The small picture with its store between its brands and its list of items, as cameras put it, and boxes on both sides of that."""
    return lambda store: written(Layout(single(small()).parts, before=before + store_box(store) + after, **layout))


def without(*paths: str, **store: Any) -> dict[str, Any]:
    """A binding that leaves out the store and these paths alone. What it hashes is what a reader hashes that knows only whole boxes."""
    kinds = (b"uuid", *(path[1:].encode() for path in paths))
    return {"exclusions": lambda length: left_out(*paths, **store), "kept_out": kinds}


def bound(**values: Any) -> dict[str, Any]:
    return {"edit_binding": lambda binding: binding.update(values)}


def excluding(exclusions: Any) -> dict[str, Any]:
    return {"exclusions": lambda length: exclusions}


def whole_hash(kind: Callable[[bytes], Any]) -> bytes:
    """Of the small picture with its store at the end, which is left out as its brands are."""
    data = with_metadata()
    kept = [one for one in boxes(data, 0, len(data)) if one.kind != b"ftyp"]
    return bytes(kind(b"".join(struct.pack(">Q", one.head) + data[one.head : one.end] for one in kept)).digest())


HOLDS: dict[str, dict[str, Any]] = {
    "as the reference does it today": {},
    "as it was done in the second edition": {
        "binding": "c2pa.hash.bmff.v2",
        **without("/ftyp", "/mfra", length=None, subset=None, version=None, flags=None, exact=None),
    },
    "with a number": {"binding": "c2pa.hash.bmff.v3__1"},
    "nothing but the store left out": without(),
    "whether flags must be the same, where none are named": without(exact=True),
    "no boxes hashed by themselves": bound(merkle=None),
    "no kind of hash named": {"edit_binding": lambda binding: binding.pop("alg")},
    "with SHA-512": {"edit_binding": lambda binding: binding.update(alg="sha512", hash=whole_hash(hashlib.sha512))},
    "a path named twice": without("/ftyp", "/free", "/free"),
    "the store before the list of items": {"place": between()},
    "boxes left out on both sides of the store": {"place": between(FREE, box(b"skip", b"anything") + FREE)},
    "boxes that are hashed on both sides of the store": {"place": between(box(b"abcd", b"x") + FREE, box(b"uuid", bytes(16)))},
}


@pytest.mark.parametrize("name", HOLDS)
def test_a_hash_of_boxes_binds_in_every_way_to_write_it(name: str) -> None:
    assert read(signed_heic(**HOLDS[name])) == SIGNED


@pytest.mark.parametrize("name", ["c2pa.hash.bmff", "c2pa.hash.bmff.v1", "c2pa.hash.bmff.v4", "c2pa.hash.bmff.v3__x", "c2pa.hash.boxes"])
def test_a_hash_of_another_edition_binds_nothing(name: str) -> None:
    """The first edition lets boxes move, and with them what an item points at."""
    assert read(signed_heic(binding=name)) == STATED


LOOSE: dict[str, dict[str, Any]] = {
    "the picture": without("/mdat"),
    "the list of items": without("/meta"),
    "a part of the list of items": without("/meta/iloc"),
    "the first of the boxes alone": without("/free[1]"),
    "a path without its start": without("free"),
    "every box with a name": excluding([{"xpath": "/uuid"}]),
    "every box with a name, said with null": excluding(left_out(data=None)),
    "boxes with another name": excluding(left_out(data=[{"offset": 8, "value": bytes(16)}])),
    "boxes with half the name": excluding(left_out(data=[{"offset": 8, "value": bytes.fromhex(C2PA_NAME)[:8]}])),
    "boxes with the name elsewhere": excluding(left_out(data=[{"offset": 9, "value": bytes.fromhex(C2PA_NAME)}])),
    "boxes with the name and more": excluding(
        left_out(data=[{"offset": 8, "value": bytes.fromhex(C2PA_NAME)}, {"offset": 0, "value": b""}])
    ),
    "a part of the store": without(subset=[{"offset": 24, "length": 0}]),
    "a store of one length": without(length=500),
    "a store of one version": without(version=0),
    "a store with flags": without(flags=bytes(3), exact=False),
    "a store as nobody writes it": without(more=1),
    "no path": excluding([*left_out(), {"length": 8}]),
    "nothing at all": excluding([*left_out(), {}]),
    "a text": excluding([*left_out(), "/free"]),
    "a null": excluding([*left_out(), None]),
    "parts hashed by themselves": bound(merkle=[]),
}


@pytest.mark.parametrize("name", LOOSE)
def test_a_hash_that_may_leave_out_more_binds_nothing(name: str) -> None:
    assert read(signed_heic(**LOOSE[name])) == STATED


BREAKS: dict[str, dict[str, Any]] = {
    "a hash of other bytes": bound(hash=bytes(32)),
    "no hash": bound(hash=None),
    "a hash of a weak kind": bound(alg="md5"),
    "the store not left out": excluding([{"xpath": "/ftyp"}]),
    "nothing left out": excluding([]),
    "exclusions that are a number": bound(exclusions=5),
    "65 exclusions": excluding([*left_out(), *({"xpath": "/free"} for _ in range(64))]),
    "brands that are hashed in the file alone": {**without(), **excluding(left_out("/ftyp"))},
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_hash_of_something_else_is_broken(name: str) -> None:
    assert read(signed_heic(**BREAKS[name])) == BROKEN


def test_64_exclusions_are_few_enough() -> None:
    assert (
        read(signed_heic(exclusions=lambda length: [*left_out("/ftyp", "/free", "/skip"), *({"xpath": "/mfra"} for _ in range(60))]))
        == SIGNED
    )


GOOD = signed_heic(place=between(FREE, FREE))
PARTS = {one.kind: one for one in boxes(GOOD, 0, len(GOOD))}


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_of_a_hashed_box_may_change(place: int, change: int) -> None:
    """Nothing that is changed makes a position signed that was not, nor another than the one that was."""
    changed = GOOD[:place] + bytes([GOOD[place] ^ change]) + GOOD[place + 1 :]
    hashed = [PARTS[b"meta"], PARTS[b"mdat"]]
    found = read(changed)
    if any(box.head <= place < box.end for box in hashed):
        assert "CA-AB" not in found.get("signed_gps", frozenset())
    assert found.get("signed_gps", UNREADABLE) in ({"CA-AB"}, UNREADABLE)


@pytest.mark.parametrize("kind", [b"meta", b"mdat"])
def test_the_first_and_the_last_byte_of_a_box_are_hashed(kind: bytes) -> None:
    part = PARTS[kind]
    for place in (part.start, part.end - 1):
        assert read(GOOD[:place] + bytes([GOOD[place] ^ 1]) + GOOD[place + 1 :]).get("signed_gps") in (None, UNREADABLE)


def test_what_is_left_out_may_change() -> None:
    free, brands = PARTS[b"free"], PARTS[b"ftyp"]
    assert read(GOOD[: free.start] + bytes([7]) + GOOD[free.start + 1 :]) == SIGNED
    assert read(GOOD[: brands.end - 4] + b"mif1" + GOOD[brands.end :]) == SIGNED
    assert read(GOOD + box(b"free", b"more") + box(b"skip", b"")) == SIGNED


@pytest.mark.parametrize("more", [box(b"abcd", b""), box(b"uuid", bytes(16)), box(b"uuid", bytes.fromhex(C2PA_NAME)[:15] + b"x")])
def test_a_box_that_nobody_signed_breaks_the_seal(more: bytes) -> None:
    assert read(GOOD + more) == BROKEN


def test_a_box_may_not_move() -> None:
    """The list of items is as it was signed, and points at what now lies there."""
    picture = PARTS[b"mdat"]
    assert read(GOOD[: picture.head] + box(b"free", b"") + GOOD[picture.head :]) == BROKEN
    assert read(GOOD.replace(FREE, FREE[:8] + bytes(39), 1).replace(struct.pack(">I", 48), struct.pack(">I", 47), 1)) == BROKEN


def listed(kind: bytes, offset_in_free: int, length: int) -> dict[str, Any]:
    """A picture with one item more, whose bytes lie at a place counted from the start of a box that is left out."""
    start = 8 + len(Layout({}).brands)
    parts = {**single(small()).parts, 2: Part(b"abcd", b"")}
    places = {2: (0, start + offset_in_free, length)}
    return {"place": lambda store: written(Layout(parts, before=box(kind, bytes(40)) + store_box(store), places=places))}


@pytest.mark.parametrize("kind", [b"free", b"skip", b"mfra"])
@pytest.mark.parametrize(
    ("offset", "length", "is_bound"),
    [(10, 4, False), (0, 48, False), (-4, 4, True), (-4, 5, False), (47, 1, False), (-8, 56, False)],
    ids=["inside", "all of it", "before it", "its first byte", "its last byte", "more than it"],
)
def test_an_item_in_a_box_that_is_left_out_is_not_bound(kind: bytes, offset: int, length: int, is_bound: bool) -> None:
    """The brands of the file are left out in none of these."""
    paths = {"exclusions": lambda length: left_out(f"/{kind.decode()}"), "kept_out": (b"uuid", kind)}
    assert read(signed_heic(**listed(kind, offset, length), **paths)) == (SIGNED if is_bound else STATED)
    assert read(signed_heic(**listed(kind, offset, length), **without())) == SIGNED


def test_an_item_in_the_store_or_the_brands_is_not_bound() -> None:
    assert read(signed_heic(**listed(b"free", 48 + 30, 4))) == STATED
    assert read(signed_heic(**listed(b"abcd", -4, 4))) == STATED


def test_an_item_within_the_list_of_items_counts_from_there() -> None:
    parts = {**single(small()).parts, 2: Part(b"abcd", bytes(60), is_inside=True)}
    assert read(signed_heic(place=lambda store: written(Layout(parts, after=store_box(store))))) == SIGNED


@pytest.mark.parametrize("place", [0, 12, 24 + 20, 24 + 48 + 40], ids=["the file", "the brands", "a box left out", "the store"])
def test_an_item_without_a_length_lies_nowhere(place: int) -> None:
    assert len(Layout({}).brands) + 8 == 24
    parts = {**single(small()).parts, 2: Part(b"abcd", b"")}
    data = signed_heic(place=lambda store: written(Layout(parts, before=FREE + store_box(store), places={2: (0, place, 0)})))
    assert read(data) == SIGNED


def test_a_hash_of_bytes_in_a_file_of_boxes_binds_nothing_and_may_be_broken() -> None:
    """What the list of items points at may lie in the store, which is left out of the hash."""
    without = hashlib.sha256(with_metadata()).digest()
    start = len(with_metadata())

    def of(digest: bytes) -> dict[str, frozenset[str]]:
        def edit(binding: dict[str, Any]) -> None:
            binding.update(hash=digest, exclusions=[{"start": start, "length": length}])

        length = 0
        for _ in range(3):
            data = signed_heic(binding="c2pa.hash.data", edit_binding=edit)
            length = len(data) - start
        return read(data)

    assert of(without) == STATED
    assert of(bytes(32)) == BROKEN


UPDATE = Picture(places={}, binding=None).manifest()


def named(purpose: bytes, store: bytes) -> bytes:
    return box(b"uuid", bytes.fromhex(C2PA_NAME) + bytes(4) + purpose + b"\0" + bytes(8) + store)


def updated(*updates: bytes, purposes: tuple[bytes, bytes] = (b"original", b"update"), **parts: Any) -> bytes:
    """A signed HEIC and, in a box behind its own, manifests of the type that updates others."""
    kind = type_of(LABEL)
    later = superbox("c2pa", *(one.replace(kind, b"c2um" + kind[4:]) for one in updates))
    return signed_heic(place=lambda store: with_metadata(after=named(purposes[0], store) + named(purposes[1], later)), **parts)


def test_a_picture_that_was_updated_after_it_was_signed_states_what_it_did() -> None:
    """As in a JPEG, where both manifests lie in one store."""
    assert read(updated(UPDATE)) == read(signed(before=(Picture().manifest(),), places={}, binding=None)) == STATED
    assert read(updated(UPDATE, UPDATE)) == STATED


def test_an_update_says_what_it_says_and_signs_nothing() -> None:
    other = {"exif:GPSLatitude": "48,51.4N", "exif:GPSLongitude": "2,21.1E"}
    said_later = Picture(places={"stds.exif": other}, binding=None).manifest()
    assert read(updated(said_later)) == {"exif_gps": {"CA-AB", "FR"}}
    assert read(updated(said_later, places={})) == {"exif_gps": {"FR"}}
    assert read(updated(Picture(binding=None, camera=Camera(key=key(4))).manifest())) == STATED | BROKEN


@pytest.mark.parametrize(
    "purposes",
    [(b"manifest", b"update"), (b"original", b"manifest"), (b"update", b"original"), (b"manifest", b"manifest")],
    ids=lambda pair: " and ".join(one.decode() for one in pair),
)
def test_two_stores_that_are_no_original_and_its_update_are_unreadable(purposes: tuple[bytes, bytes]) -> None:
    assert read(updated(UPDATE, purposes=purposes)) == BROKEN


def test_opt_outs_of_an_original_and_of_its_update_count() -> None:
    denial = {"entries": {"cawg.ai_inference": {"use": "notAllowed"}}}
    label = "cawg.training-mining"
    for data in (updated(UPDATE, places={label: denial}), updated(Picture(places={label: denial}, binding=None).manifest())):
        assert [signal.verdict.value for signal in image_optouts(data)] == ["deny"]


def test_a_hash_of_boxes_in_a_file_without_boxes_is_broken() -> None:
    for exclusions in (left_out(), left_out("/ftyp", "/free")):
        assert read(signed(binding="c2pa.hash.bmff.v3", exclusions=lambda length: [], **bound(exclusions=exclusions))) == BROKEN


def test_a_hash_of_boxes_in_a_film_is_broken() -> None:
    found = read_image_metadata(GOOD)
    (manifest,) = manifests_of(tuple(found.c2pa), may_be_others=False, budget=ReadingBudget())
    film = GOOD + box(b"moov", b"")
    assert seal_of(manifest, data=film, spans=found.c2pa_spans, signers=signers()) == Seal(is_broken=True)


def test_thousands_of_boxes_and_items_cost_little() -> None:
    parts = {**single(small()).parts, **{number: Part(b"abcd", b"") for number in range(2, 1_900)}}
    many = box(b"free", b"") * 8_000
    data = signed_heic(place=lambda store: written(Layout(parts, before=many + store_box(store))))
    before = time.process_time()
    assert read(data) == SIGNED
    assert time.process_time() - before < 2.0
