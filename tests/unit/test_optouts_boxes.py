"""CBOR and the boxes of C2PA stores: each form that is read, and each bound, which holds where it is passed by one."""

from __future__ import annotations

import struct
import time
from typing import Any

import pytest

from assent.optouts.bounded_cbor import MAX_DEPTH, MAX_ITEMS, CborUnreadableError, parse_cbor
from assent.optouts.c2pa_assertion import AssertionUnreadableError, assertion_value
from assent.optouts.c2pa_training import c2pa_signals
from assent.optouts.jumbf import (
    MAX_LABEL_BYTES,
    JumbfUnreadableError,
    LabelledContent,
    Superbox,
    content_of,
    labelled_contents,
    superboxes,
)
from assent.optouts.reading_budget import MAX_BOXES, MAX_FILE_BYTES, MAX_FILE_ITEMS, ReadingBudget
from tests.unit.c2pa_examples import box, cbor, superbox

DENIAL = box(b"cbor", cbor({"entries": {"a": {"use": "notAllowed"}}}))
DENIED = ["deny a"]


def told(store: bytes) -> list[str]:
    return [f"{signal.verdict.value} {signal.token}" for signal in c2pa_signals((store,), data=store)]


def contents(store: bytes) -> list[LabelledContent]:
    return list(labelled_contents(store, ReadingBudget()))


def within(payload: bytes) -> list[Superbox]:
    return list(superboxes(payload, ReadingBudget()))


def content(found: Superbox) -> tuple[bytes, bytes]:
    return content_of(found, ReadingBudget())


def described(toggles: int, label: bytes, *boxes: bytes) -> bytes:
    """A superbox whose description is written as it is here."""
    return box(b"jumb", box(b"jumd", bytes(16) + bytes([toggles]) + label) + b"".join(boxes))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("17", 23),
        ("1818", 24),
        ("1a00010000", 65_536),
        ("1b0000000100000000", 4_294_967_296),
        ("20", -1),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("f7", None),
        ("f93e00", 1.5),
        ("fa3fc00000", 1.5),
        ("fb3ff8000000000000", 1.5),
        ("42ff00", b"\xff\0"),
        ("5fff", b""),
        ("7fff", ""),
        ("bfff", {}),
        ("a1f560", {True: ""}),
    ],
)
def test_each_form_of_cbor_is_read(data: str, value: Any) -> None:
    found = parse_cbor(bytes.fromhex(data))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "data",
    ["1c" + "00" * 16, "1d" + "00" * 32, "1e" + "00" * 64, "3f00", "df00", "f0", "f800", "f820", "5f6161ff", "7f4161ff", "5f01ff", "bf00ff",
     "a2000000ff", "8200ff", "9f00", "6261", "a100"],
)  # fmt: skip
def test_cbor_that_has_no_one_meaning_is_refused(data: str) -> None:
    with pytest.raises(CborUnreadableError):
        parse_cbor(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("81", ""), ("a100", ""), ("c0", ""), ("9f", "ff"), ("bf00", "ff")],
    ids=["array", "map", "tag", "open array", "open map"],
)
def test_cbor_is_read_sixteen_deep(opening: str, closing: str) -> None:
    assert MAX_DEPTH == 16
    parse_cbor(bytes.fromhex(opening * 16 + "00" + closing * 16))
    with pytest.raises(CborUnreadableError, match="inside each other"):
        parse_cbor(bytes.fromhex(opening * 17 + "00" + closing * 17))


def test_cbor_of_twenty_thousand_items_is_read() -> None:
    assert MAX_ITEMS == 20_000
    # The array is one of them.
    assert parse_cbor(cbor([0] * 19_999)) == [0] * 19_999
    with pytest.raises(CborUnreadableError, match="too many items"):
        parse_cbor(cbor([0] * 20_000))


STATED = {
    "in a long box": struct.pack(">I4sQ", 1, b"jumb", 16 + len(superbox("cawg.training-mining", DENIAL)) - 8)
    + superbox("cawg.training-mining", DENIAL)[8:],
    "in a box that goes on to the end": box(b"free", b"") + b"\0\0\0\0" + superbox("cawg.training-mining", DENIAL)[4:],
    "beside an empty box": superbox("cawg.training-mining", DENIAL) + box(b"free", b""),
    "beside a long empty box": superbox("cawg.training-mining", DENIAL) + struct.pack(">I4sQ", 1, b"free", 16),
    "by a label after other toggles": described(0b1111, b"cawg.training-mining\0\0\0\0\1", DENIAL),
    "under a later number": superbox("c2pa.training-mining.v2__12", DENIAL),
    "beside a box without a label": described(0, b"", box(b"cbor", b"\xff")) + superbox("cawg.training-mining", DENIAL),
    "beside a label in no known letters": described(0b10, b"\xff\xfe\0", box(b"cbor", b"\xff")) + superbox("cawg.training-mining", DENIAL),
    "with its key a number": superbox("cawg.training-mining", box(b"cbor", cbor({"entries": {"a": {"use": "notAllowed", 1: 2}}}))),
}


@pytest.mark.parametrize("store", STATED.values(), ids=list(STATED))
def test_a_denial_is_read_in_every_form_of_box(store: bytes) -> None:
    assert told(store) == DENIED


UNREADABLE = ["unknown unreadable_store"]
DAMAGED = {
    "a box of seven bytes": (b"\0\0\0\7jum", UNREADABLE),
    "a long box without its length": (box(b"free", bytes(8)) + struct.pack(">I4s", 1, b"jumb") + bytes(7), UNREADABLE),
    "a long box of no length": (struct.pack(">I4sQ", 1, b"jumb", 0), UNREADABLE),
    "a long box shorter than its head": (struct.pack(">I4sQ", 1, b"jumb", 15), UNREADABLE),
    "a box shorter than its head": (struct.pack(">I4s", 7, b"jumb"), UNREADABLE),
    "a box of four bytes before a good one": (struct.pack(">I", 4) + superbox("cawg.training-mining", DENIAL), UNREADABLE),
    "a box longer than its store": (struct.pack(">I4s", 9, b"jumb"), UNREADABLE),
    "a box longer than what holds it": (
        superbox("cawg.training-mining", struct.pack(">I4s", len(DENIAL) + 1, b"cbor") + DENIAL[8:]),
        UNREADABLE,
    ),
    "a description of sixteen bytes": (box(b"jumb", box(b"jumd", bytes(16))), UNREADABLE),
    "a label without its end": (described(0b10, b"cawg.training-mining", DENIAL), UNREADABLE),
    "a label that its toggles deny": (described(0b01, b"cawg.training-mining\0", DENIAL), ["unknown unread_assertion"]),
    "an assertion before its label": (
        box(b"jumb", DENIAL + box(b"jumd", bytes(16) + b"\2cawg.training-mining\0")),
        ["unknown unread_assertion"],
    ),
    "a text that is none": (superbox("cawg.training-mining", box(b"json", b"\xff")), ["unknown unreadable_assertion"]),
    "a packed store": (box(b"brob", b"x"), UNREADABLE),
}


@pytest.mark.parametrize(("store", "expected"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_store_that_does_not_fit_is_in_doubt(store: bytes, expected: list[str]) -> None:
    assert told(store) == expected


def test_the_content_of_a_box_is_that_of_the_label_around_it() -> None:
    store = superbox("outer", superbox("inner", box(b"json", b"1")), box(b"cbor", b"2"))
    assert set(contents(store)) == {LabelledContent("outer", b"cbor", b"2"), LabelledContent("inner", b"json", b"1")}
    for without in (box(b"json", b"1"), superbox("x", box(b"jumb", box(b"json", b"1"))), described(0, b"x\0", box(b"json", b"1"))):
        assert contents(without) == [LabelledContent("", b"json", b"1")]


def test_superboxes_are_found_by_their_description_and_hold_one_content() -> None:
    found = within(superbox("a", box(b"json", b"1")) + box(b"free", b"x") + superbox("b"))
    assert [one.label for one in found] == ["a", "b"]
    assert content(found[0]) == (b"json", b"1")
    assert content(Superbox("a", found[0].payload + box(b"free", b"x") + superbox("c", box(b"cbor", b"2")), bytes(16))) == (b"json", b"1")
    for payload in (b"", found[0].payload * 2):
        with pytest.raises(JumbfUnreadableError, match="none, or several"):
            content(Superbox("a", payload, bytes(16)))
    for payload in (b"", box(b"free", b"") + box(b"jumd", bytes(17))):
        with pytest.raises(JumbfUnreadableError, match="does not begin with its description"):
            within(box(b"jumb", payload))
    with pytest.raises(JumbfUnreadableError, match="Brotli"):
        within(box(b"brob", b"x"))


def test_twenty_thousand_boxes_are_read_and_no_more() -> None:
    assert MAX_BOXES == 20_000
    most = box(b"free", b"") * 20_000
    assert len(contents(most)) == 20_000
    assert within(most) == []
    for read in (contents, within):
        with pytest.raises(JumbfUnreadableError, match="more than 20000 boxes"):
            read(most + box(b"free", b""))


def test_a_superbox_is_of_the_type_in_its_description() -> None:
    kind = bytes(range(16))
    (found,) = within(box(b"jumb", box(b"jumd", kind + b"\2x\0") + box(b"json", b"1")))
    assert (found.label, found.type_id, found.payload[-9:]) == ("x", kind, box(b"json", b"1"))


def test_a_label_has_a_kibibyte_at_most() -> None:
    assert MAX_LABEL_BYTES == 1_024
    (found,) = within(superbox("x" * 1_024))
    assert found.label == "x" * 1_024
    for read in (contents, within):
        with pytest.raises(JumbfUnreadableError, match="no end within 1024 bytes"):
            read(superbox("x" * 1_025))


def test_the_boxes_of_all_stores_of_a_file_count_together() -> None:
    denial = superbox("cawg.training-mining", DENIAL)
    budget = ReadingBudget(boxes=8)
    assert len(list(superboxes(denial, budget))) == 1
    (found,) = superboxes(denial, budget)
    assert content_of(found, budget)[0] == b"cbor"
    assert budget.boxes == 4
    assert len(list(labelled_contents(denial, budget))) == 1
    for read in (labelled_contents, superboxes):
        budget.boxes = 0
        with pytest.raises(JumbfUnreadableError):
            list(read(denial, budget))
    half = box(b"free", b"") * 10_000
    assert c2pa_signals((half, half, denial), data=b"") == c2pa_signals((box(b"jumb", b"x"),), data=b"")


def test_the_items_of_all_assertions_of_a_file_count_together() -> None:
    assert MAX_FILE_ITEMS == 100_000
    budget = ReadingBudget(items=5)
    assert parse_cbor(cbor([0, 0]), budget) == [0, 0]
    assert budget.items == 2
    with pytest.raises(CborUnreadableError, match="too many items"):
        parse_cbor(cbor([0, 0]), budget)
    assert budget.items == -1
    broken = ReadingBudget(items=5)
    with pytest.raises(CborUnreadableError):
        parse_cbor(b"\x82\x00\xf0", broken)
    assert broken.items == 2
    with pytest.raises(CborUnreadableError, match="too many items"):
        parse_cbor(cbor([0] * 20_000), ReadingBudget())


def assertion(kind: bytes, value: bytes) -> bytes:
    return superbox("cawg.training-mining", box(kind, value))


# Nine items beside those of the list.
LONG = cbor({"entries": {"a": {"use": "notAllowed", "x": [0] * 19_991}}})


def test_a_hundred_thousand_items_of_a_file_are_read_and_no_more() -> None:
    assert told(assertion(b"cbor", LONG) * 5) == DENIED * 5
    # The last is read first.
    assert told(assertion(b"cbor", b"\x00") + assertion(b"cbor", LONG) * 5) == [*DENIED * 5, "unknown unreadable_assertion"]


def test_two_mebibytes_of_assertions_of_a_file_are_read_and_no_more() -> None:
    assert MAX_FILE_BYTES == 2 << 20
    text = b'{"entries": {"a": {"use": "notAllowed"}}}'
    whole = assertion(b"json", text.ljust(1 << 20))
    assert told(whole * 2) == DENIED * 2
    assert told(assertion(b"cbor", b"\x00") + whole * 2) == [*DENIED * 2, "unknown unreadable_assertion"]
    assert told(assertion(b"bidb", bytes(5 << 20)) + whole).count("deny a") == 1
    assert told(assertion(b"cbor", cbor({"entries": {"a": {"use": "notAllowed", "x": bytes((2 << 20) - 42)}}}))) == DENIED
    assert told(assertion(b"cbor", bytes((2 << 20) + 1))) == ["unknown unreadable_assertion"]


PARTS = b"\x7f" + b"\x60" * 19_960 + b"\xff"
HOSTILE = {
    "texts in many empty parts": assertion(b"cbor", cbor({"entries": {"a": {"use": "allowed"}}})[:-8] + b"\x67allowed") * 9
    + assertion(b"cbor", b"\xa1\x67entries" + PARTS) * 980,
    "empty lists in JSON": assertion(b"json", b"[" + b"{}," * 340_000 + b"{}]") * 19,
    "boxes of nothing": box(b"free", b"") * 2_400_000,
    "labels of megabytes": superbox("x" * 2_000_000) * 9,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_store_of_twenty_megabytes_costs_little_and_is_in_doubt(name: str) -> None:
    before = time.process_time()
    found = told(HOSTILE[name])
    assert time.process_time() - before < 2.0
    assert found[-1].startswith("unknown")


def test_an_assertion_is_cbor_or_json_whatever_else_its_bytes_could_be_read_as() -> None:
    assert assertion_value(b"json", b"{}", ReadingBudget()) == assertion_value(b"cbor", cbor({}), ReadingBudget()) == {}
    with pytest.raises(AssertionUnreadableError, match="neither CBOR nor JSON"):
        assertion_value(b"jumb", b"{}", ReadingBudget())
