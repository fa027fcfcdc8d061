"""Opt-outs inside real JPEG, PNG, WebP and HEIC files, and C2PA stores cut out of them."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assent.optouts.bounded_cbor import CborUnreadableError, parse_cbor
from assent.optouts.c2pa_training import training_mining
from assent.optouts.combination import combine
from assent.optouts.image import image_optouts
from assent.optouts.image_metadata import read_image_metadata
from assent.optouts.signal import OptOutSignal
from tests.unit.heif_examples import Layout, Part, single, small, with_box, with_c2pa, with_metadata, written

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="{}"/></rdf:RDF></x:xmpmeta>'
)
PROHIBITED, ALLOWED = XMP.format("DMI-PROHIBITED").encode(), XMP.format("DMI-ALLOWED").encode()


def verdict(data: bytes) -> str:
    return word(image_optouts(data))


def word(signals: tuple[OptOutSignal, ...]) -> str:
    found = combine(signals)
    return "deny" if found.denies else "unknown" if found.unknown else "none"


def picture(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (24, 16), (90, 120, 40)).save(stream, kind, **options)
    return stream.getvalue()


JPEG, PNG, WEBP = picture("JPEG"), picture("PNG"), picture("WEBP", lossless=True)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg_with(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def png_with(kind: bytes, content: bytes) -> bytes:
    chunk = struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))
    return PNG[:33] + chunk + PNG[33:]


def webp_with(kind: bytes, content: bytes) -> bytes:
    chunk = struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)
    return WEBP[:4] + struct.pack("<I", len(WEBP) - 8 + len(chunk)) + WEBP[8:] + chunk


def plain_jpeg(xmp: bytes) -> bytes:
    return jpeg_with(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp))


def extended_jpeg(xmp: bytes) -> bytes:
    half = len(xmp) // 2
    parts = [(half, xmp[half:]), (0, xmp[:half])]
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32
    return jpeg_with(*(segment(0xE1, head + struct.pack(">II", len(xmp), offset) + part) for offset, part in parts))


def heic_xmp(packet: bytes, **more: object) -> bytes:
    item = Part(b"mime", packet, content_type=b"application/rdf+xml; charset=utf-8", **more)  # type: ignore[arg-type]
    return written(Layout({**single(small()).parts, 2: item}))


def raw_profile(xmp: bytes) -> bytes:
    return b"\nxmp\n" + str(len(xmp)).encode() + b"\n" + xmp.hex().encode() + b"\n"


XMP_CARRIERS: dict[str, Callable[[bytes], bytes]] = {
    "jpeg": plain_jpeg,
    "jpeg, extended, out of order": extended_jpeg,
    "jpeg by pillow": lambda xmp: picture("JPEG", xmp=xmp),
    "webp by pillow": lambda xmp: picture("WEBP", xmp=xmp),
    "webp": lambda xmp: webp_with(b"XMP ", xmp),
    "png": lambda xmp: png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
    "png, packed": lambda xmp: png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0t\0" + zlib.compress(xmp)),
    "png, raw profile": lambda xmp: png_with(b"tEXt", b"Raw profile type xmp\0" + raw_profile(xmp)),
    "png, packed raw profile": lambda xmp: png_with(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(raw_profile(xmp))),
    "heic": lambda xmp: with_metadata(xmp=xmp),
    "heic, beside its items": lambda xmp: with_box("be7acfcb97a942e89c71999491e3afac", xmp),
    "another format": lambda xmp: b"GIF89a..." + xmp + b"\0" * 20 + ALLOWED,
}


@pytest.mark.parametrize("carry", XMP_CARRIERS.values(), ids=list(XMP_CARRIERS))
def test_xmp_is_found_in_every_carrier(carry: Callable[[bytes], bytes]) -> None:
    assert verdict(carry(PROHIBITED)) == "deny"
    assert verdict(carry(ALLOWED)) == "none"
    assert verdict(carry(PROHIBITED[:-20])) == "unknown"


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP, picture("JPEG", progressive=True), with_metadata(), b"", b"text"])
def test_an_image_without_metadata_says_nothing(data: bytes) -> None:
    assert verdict(data) == "none"


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:12],
        jpeg_with(b"\xff\xe1\xff\xff"),
        jpeg_with(b"junk"),
        jpeg_with(segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">II", 900, 0) + b"<a/>")),
        jpeg_with(segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0short")),
        jpeg_with(*[segment(0xE0, b"")] * 20_001),
        PNG[:40],
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + b"not deflate"),
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 20_000_000)),
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(ALLOWED)[:-4]),
        png_with(b"tEXt", b"Raw profile type xmp\0\nxmp\n4\nzz\n"),
        webp_with(b"XMP ", PROHIBITED)[:-30],
        with_metadata(xmp=ALLOWED)[:-30],
        heic_xmp(ALLOWED, encoding=b"deflate"),
        heic_xmp(ALLOWED, protection=1),
        with_metadata(xmp=b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]><x>" + b"&a;" * 9_000 + b"</x>"),
        with_metadata(xmp=b"<a>" * 3_000 + b"</a>" * 3_000),
        with_metadata(xmp=b"<a>" + b" " * 17_000_000 + b"</a>"),
        with_box("d8fec3d61b0e483c92975828877ec481", b"\0\0"),
        b"II*\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
    ],
)
def test_a_broken_carrier_is_unknown(data: bytes) -> None:
    assert verdict(data) == "unknown"


# --- C2PA


def encode(value: Any) -> bytes:
    """CBOR of the few types that assertions use."""
    match value:
        case str():
            raw = value.encode()
            return head(3, len(raw)) + raw
        case bytes():
            return head(2, len(value)) + value
        case dict():
            return head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
        case int():
            return head(0, value)
    raise TypeError(value)


def head(major: int, length: int) -> bytes:
    if length < 24:
        return bytes([major * 32 + length])
    return bytes([major * 32 + 25]) + struct.pack(">H", length)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def superbox(label: str, *boxes: bytes) -> bytes:
    return box(b"jumb", box(b"jumd", b"\0" * 16 + b"\x03" + label.encode() + b"\0") + b"".join(boxes))


def store(*assertions: bytes) -> bytes:
    claim = superbox("c2pa.claim", box(b"cbor", encode({"assertions": [{"url": "self#jumbf=c2pa.assertions/c2pa.training-mining"}]})))
    return superbox("c2pa", superbox("urn:uuid:1", superbox("c2pa.assertions", *assertions), claim))


def entries(**uses: str) -> dict[str, Any]:
    return {"entries": {f"cawg.{name}": {"use": use} for name, use in uses.items()}}


def assertion(value: Any, label: str = "cawg.training-mining") -> bytes:
    return superbox(label, box(b"cbor", encode(value)))


def segmented(jumbf: bytes) -> bytes:
    """APP11 segments: the first holds the whole head, each further one repeats it."""
    size = len(jumbf) // 2
    parts = [jumbf[:size], jumbf[:8] + jumbf[size:]]
    return jpeg_with(*(segment(0xEB, struct.pack(">2sHI", b"JP", 1, number) + part) for number, part in enumerate(parts, 1)))


C2PA_CARRIERS: dict[str, Callable[[bytes], bytes]] = {
    "jpeg": lambda jumbf: jpeg_with(segment(0xEB, struct.pack(">2sHI", b"JP", 1, 1) + jumbf)),
    "jpeg in two segments": segmented,
    "png": lambda jumbf: png_with(b"caBX", jumbf),
    "webp": lambda jumbf: webp_with(b"C2PA", jumbf),
    "heic": with_c2pa,
}


@pytest.mark.parametrize("carry", C2PA_CARRIERS.values(), ids=list(C2PA_CARRIERS))
@pytest.mark.parametrize(
    ("assertions", "expected"),
    [
        ([assertion(entries(ai_inference="notAllowed"))], "deny"),
        ([assertion(entries(data_mining="constrained"))], "deny"),
        ([assertion(entries(ai_training="notAllowed", ai_inference="allowed"))], "deny"),
        ([assertion(entries(ai_generative_training="NOTALLOWED"))], "deny"),
        ([assertion(entries(ai_inference="notAllowed"), "c2pa.training-mining")], "deny"),
        ([assertion(entries(ai_inference="notAllowed"), "c2pa.training-mining__2")], "deny"),
        ([assertion(entries(ai_inference="allowed")), assertion(entries(ai_inference="notAllowed"), "c2pa.training-mining")], "deny"),
        ([superbox("c2pa.training-mining", box(b"json", json.dumps(entries(data_mining="notAllowed")).encode()))], "deny"),
        ([assertion(entries(ai_inference="allowed", data_mining="allowed"))], "none"),
        ([superbox("cawg.training-mining", box(b"json", json.dumps(entries(data_mining="allowed")).encode()))], "none"),
        ([assertion(entries(ai_inference="sometimes"))], "unknown"),
        ([assertion({"entries": {}})], "unknown"),
        ([assertion({"entries": {"cawg.ai_inference": "allowed"}})], "unknown"),
        ([assertion(["entries"])], "unknown"),
        ([superbox("c2pa.training-mining", box(b"cbor", b"\xff"))], "unknown"),
        ([superbox("c2pa.training-mining", box(b"json", b"{"))], "unknown"),
        ([superbox("c2pa.training-mining", box(b"bidb", b"x"))], "unknown"),
        ([superbox("c2pa.training-mining")], "unknown"),
        ([box(b"brob", b"x")], "unknown"),
        ([b"\0\0\0\3jumb"], "unknown"),
        ([], "unknown"),
    ],
)
def test_c2pa_training_mining(carry: Callable[[bytes], bytes], assertions: list[bytes], expected: str) -> None:
    assert verdict(carry(store(*assertions))) == expected


@pytest.mark.parametrize("carry", C2PA_CARRIERS.values(), ids=list(C2PA_CARRIERS))
def test_a_manifest_without_the_assertion_says_nothing(carry: Callable[[bytes], bytes]) -> None:
    other = superbox("c2pa", superbox("c2pa.actions", box(b"cbor", encode({"actions": [1]}))))
    assert verdict(carry(other)) == "none"


def test_a_denial_before_the_damage_is_kept() -> None:
    damaged = superbox("cawg.training-mining", box(b"cbor", encode(entries(ai_inference="notAllowed"))), b"\0\0")
    assert verdict(C2PA_CARRIERS["png"](damaged)) == "deny"


def test_a_compressed_store_is_unknown_though_it_names_nothing() -> None:
    assert verdict(C2PA_CARRIERS["png"](superbox("c2pa", box(b"brob", b"\x0b\x02\x80x\x03")))) == "unknown"


def test_a_long_box_head_is_repeated_whole_in_each_segment() -> None:
    plain = store(assertion(entries(ai_inference="allowed")))
    long = struct.pack(">I4sQ", 1, b"jumb", len(plain) + 8) + plain[8:]
    parts = (long[:90], long[:16] + long[90:])
    data = jpeg_with(*(segment(0xEB, struct.pack(">2sHI", b"JP", 1, number) + part) for number, part in enumerate(parts, 1)))
    assert verdict(data) == "none"


@pytest.mark.parametrize("label", [b"c2pa.training-mining", b"cawg.training-mining"])
def test_the_bare_label_anywhere_in_the_file_is_unknown(label: bytes) -> None:
    assert verdict(JPEG + label) == "unknown"


@pytest.mark.parametrize("value", [None, [], "x", {}, {"entries": None}, {"entries": {"a": {"use": 1}}}])
def test_an_assertion_of_another_shape_is_unknown(value: Any) -> None:
    assert word(training_mining(value)) == "unknown"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("3863", -100),
        ("1903e8", 1000),
        ("fb3ff8000000000000", 1.5),
        ("f6", None),
        ("f5", True),
        ("a161616162", {"a": "b"}),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("7f61616162ff", "ab"),
        ("5f41004101ff", b"\0\1"),
        ("d8406161", "a"),
    ],
)
def test_cbor(data: str, value: Any) -> None:
    assert parse_cbor(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        "",
        "ff",
        "0000",
        "61",
        "61ff",
        "1c",
        "9f",
        "9b7fffffffffffffff",
        "a2616101616102",
        "a18001",
        "bf6161ff",
        "7f00ff",
        "81ff",
        "c0ff",
        "c074",
        "f8",
        "1f",
        "81" * 40 + "00",
        "9a00ffffff" + "00" * 30_000,
    ],
)
def test_broken_or_hostile_cbor_is_refused(data: str) -> None:
    with pytest.raises(CborUnreadableError):
        parse_cbor(bytes.fromhex(data))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", PNG[:33], WEBP[:12], with_metadata()[:40], with_metadata()]))
def test_no_file_breaks_the_reader(data: bytes, start: bytes) -> None:
    read_image_metadata(start + data)
    image_optouts(start + data)


@given(st.binary(max_size=120))
def test_no_store_breaks_the_reader(data: bytes) -> None:
    for carry in C2PA_CARRIERS.values():
        verdict(carry(box(b"jumb", data)))
