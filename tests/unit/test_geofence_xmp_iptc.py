"""Places written by people and agencies: XMP (IPTC Extension, Photoshop, EXIF in XMP) and the older IPTC form."""

from __future__ import annotations

import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.heif_examples import with_box, with_metadata
from tests.unit.place_examples import PNG, UNREADABLE, jpeg_with, jpeg_xmp, png_with, read, said, webp_with

NAMESPACES = (
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:q="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:old="http://iptc.org/std/Iptc4xmpExt/2008-02-19/" xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
)
CREATED = "Iptc4xmpExt:LocationCreated"
BRITISH_COLUMBIA = {"CountryCode": "CAN", "CountryName": "Canada", "ProvinceState": "British Columbia", "City": "Vancouver"}


def packet(attributes: str = "", content: str = "") -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {NAMESPACES} {attributes}>{content}</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
    ).encode()


def elements(fields: dict[str, str], prefix: str = "Iptc4xmpExt") -> str:
    return "".join(f"<{prefix}:{name}>{value}</{prefix}:{name}>" for name, value in fields.items())


def listed(*places: dict[str, str], tag: str = CREATED) -> str:
    items = "".join(f'<rdf:li rdf:parseType="Resource">{elements(place)}</rdf:li>' for place in places)
    return f"<{tag}><rdf:Bag>{items}</rdf:Bag></{tag}>"


def item(content: str, *, tag: str = CREATED, bag: str = "Bag") -> str:
    """A list of one location whose item is written by hand."""
    return f"<{tag}><rdf:{bag}>{content}</rdf:{bag}></{tag}>"


PLAIN = elements(BRITISH_COLUMBIA)
NAMES = '<rdf:Alt><rdf:li xml:lang="en">{0}</rdf:li><rdf:li xml:lang="fr">{1}</rdf:li></rdf:Alt>'
FORMS = {
    "resource": listed(BRITISH_COLUMBIA),
    "inner description": item(f"<rdf:li><rdf:Description>{PLAIN}</rdf:Description></rdf:li>"),
    "attributes of the item": item('<rdf:li Iptc4xmpExt:CountryCode="CA" Iptc4xmpExt:ProvinceState="BC"/>'),
    "another prefix": item(f"<rdf:li>{elements(BRITISH_COLUMBIA, 'q')}</rdf:li>", tag="q:LocationCreated", bag="Seq"),
    "the misprinted namespace": item(f"<rdf:li>{elements(BRITISH_COLUMBIA, 'old')}</rdf:li>", tag="old:LocationCreated"),
    "without a bag": f'<{CREATED} rdf:parseType="Resource">{PLAIN}</{CREATED}>',
    "a name in two languages in between": listed(
        {"CountryCode": "CAN", "LocationName": NAMES.format("Pier", "Quai"), "ProvinceState": "BC"},
    ),
    "values in two languages": listed(
        {"CountryName": NAMES.format("Canada", "Canada"), "ProvinceState": NAMES.format("British Columbia", "Colombie-Britannique")}
    ),
    "a value node": listed({"CountryCode": '<rdf:Description rdf:value="CA"/>', "ProvinceState": "BC"}),
    "a comment inside": listed({"CountryCode": "<!-- x -->CAN", "ProvinceState": "B&#67;"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_place_is_read_in_every_form_that_editors_write(form: str) -> None:
    assert said(read(jpeg_xmp(packet(content=FORMS[form])))) == {"xmp_location_created": {"CA-BC"}}


def test_every_container_is_read() -> None:
    xmp = packet(content=listed(BRITISH_COLUMBIA))
    for data in (
        jpeg_xmp(xmp),
        png_with((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)),
        png_with((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp))),
        webp_with(b"XMP ", xmp),
        with_metadata(xmp=xmp),
        with_box("be7acfcb97a942e89c71999491e3afac", xmp),
    ):
        assert said(read(data)) == {"xmp_location_created": {"CA-BC"}}


def test_what_is_shown_is_told_from_where_it_was_made() -> None:
    content = listed(BRITISH_COLUMBIA) + listed({"CountryCode": "FR", "ProvinceState": "Bretagne"}, tag="Iptc4xmpExt:LocationShown")
    assert said(read(jpeg_xmp(packet(content=content)))) == {"xmp_location_created": {"CA-BC"}, "xmp_location_shown": {"FR"}}


def test_every_place_of_a_list_counts() -> None:
    content = listed(BRITISH_COLUMBIA, {"CountryCode": "US", "ProvinceState": "Illinois"}, tag="Iptc4xmpExt:LocationShown")
    assert said(read(jpeg_xmp(packet(content=content)))) == {"xmp_location_shown": {"CA-BC", "US-IL"}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"CountryCode": "CAN", "ProvinceState": "Québec"}, {"CA-QC"}),
        ({"CountryCode": "ca", "ProvinceState": "Quebec"}, {"CA-QC"}),
        ({"CountryName": "Canada", "ProvinceState": "P.Q."}, {"CA-QC"}),
        ({"CountryName": "Canada", "ProvinceState": "CA-QC"}, {"CA-QC"}),
        ({"ProvinceState": "Colombie-Britannique"}, {"CA-BC"}),
        ({"CountryCode": "AUS", "ProvinceState": "VIC"}, {"AU-VIC"}),
        ({"CountryCode": "GBR", "ProvinceState": "Scotland"}, {"GB"}),
        ({"ProvinceState": "Scotland"}, {"GB"}),
        ({"CountryCode": "UK"}, {"GB"}),
        ({"CountryCode": "CA"}, {"CA"}),
        ({"CountryCode": "CA", "ProvinceState": "Golden Horseshoe"}, {"CA"}),
        ({"CountryCode": "DEU", "ProvinceState": "Bayern"}, {"DE"}),
        ({"CountryCode": "FR", "ProvinceState": "BC"}, {"FR"}),
        ({"CountryCode": "TH", "CountryName": "Thailand"}, {"TH"}),
        ({"ProvinceState": "Victoria"}, {"AU-VIC"}),
        ({"ProvinceState": "Georgia"}, {"US-GA", "GE"}),
        ({"City": "Chicago"}, {"US-IL"}),
        ({"City": "London"}, {"GB", "CA-ON"}),
        ({"City": "London", "CountryCode": "CA"}, {"CA"}),
        ({"City": "Vancouver", "ProvinceState": "BC", "CountryCode": "CA"}, {"CA-BC"}),
    ],
)
def test_names_and_codes_become_jurisdictions(fields: dict[str, str], expected: set[str]) -> None:
    assert said(read(jpeg_xmp(packet(content=listed(fields))))) == {"xmp_location_created": expected}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"CountryCode": "CAN", "CountryName": "United States"}, {"CA", "US"}),
        ({"CountryCode": "US", "ProvinceState": "British Columbia"}, {"US", "CA-BC"}),
        ({"CountryCode": "FR", "ProvinceState": "Alberta"}, {"FR", "CA-AB"}),
        ({"CountryCode": "US", "ProvinceState": "Texas", "City": "Chicago"}, {"US-TX", "US-IL"}),
    ],
)
def test_a_contradiction_names_both(fields: dict[str, str], expected: set[str]) -> None:
    assert said(read(jpeg_xmp(packet(content=listed(fields))))) == {"xmp_location_created": expected}


@pytest.mark.parametrize(
    "fields",
    [
        {"CountryCode": "ZZ"},
        {"CountryCode": "Atlantis", "ProvinceState": "Alberta"},
        {"ProvinceState": "Middle Earth"},
        {"ProvinceState": "BC"},
        {"City": "Nowhereville"},
        {"CountryCode": "&#x1F600;"},
    ],
)
def test_a_text_that_names_no_known_place_is_unreadable(fields: dict[str, str]) -> None:
    assert said(read(jpeg_xmp(packet(content=listed(fields))))) == {"xmp_location_created": UNREADABLE}


@pytest.mark.parametrize("content", ["", listed({"CountryCode": "  "}), f"<{CREATED}><rdf:Bag/></{CREATED}>"])
def test_an_empty_place_says_nothing(content: str) -> None:
    assert read(jpeg_xmp(packet(content=content))) == ()


def test_the_picture_s_own_fields_are_of_the_ambiguous_kind() -> None:
    xmp = packet('photoshop:Country="Canada" photoshop:State="Alberta" photoshop:City="Banff"')
    assert said(read(jpeg_xmp(xmp))) == {"iptc_place": {"CA-AB"}}
    assert said(read(jpeg_xmp(packet('Iptc4xmpCore:CountryCode="CAN"')))) == {"iptc_place": {"CA"}}


def position(latitude: str, longitude: str, more: str = "") -> bytes:
    return packet(f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}" {more}')


@pytest.mark.parametrize(
    ("latitude", "longitude"), [("51,2.682N", "114,4.314W"), ("51,2,40N", "114,4,18W"), ("51,2.68200000000000001N", "114,4W")]
)
def test_exif_in_xmp_is_read(latitude: str, longitude: str) -> None:
    assert said(read(jpeg_xmp(position(latitude, longitude)))) == {"exif_gps": {"CA-AB"}}


@pytest.mark.parametrize(
    "xmp",
    [
        position("51,2.682N", ""),
        position("51.04", "-114.07"),
        position("51,2.682W", "114,4.314N"),
        position("95,0N", "10,0E"),
        position("51,70N", "114,4.3W"),
        position("0,0N", "0,0E"),
        position("51,2.682N", "114,4.314W", 'exif:GPSStatus="V"'),
        position("51,2.682N", "114,4.314W", 'exif:GPSHPositioningError="0/0"'),
        position("51,2.682N", "114,4.314W", 'exif:GPSHPositioningError="near"'),
        position("NaN", "NaN"),
        packet('exif:GPSLatitude="51,2.6N" exif:GPSLongitude="114,4W"', "<exif:GPSLatitude>49,15N</exif:GPSLatitude>"),
    ],
)
def test_a_position_in_xmp_that_cannot_be_believed_is_unreadable(xmp: bytes) -> None:
    assert said(read(jpeg_xmp(xmp))) == {"exif_gps": UNREADABLE}


def test_accuracy_and_datum_in_xmp_are_honoured() -> None:
    hammond = ("41,36N", "87,20.4W")
    assert said(read(jpeg_xmp(position(*hammond)))) == {"exif_gps": {"US-IN"}}
    assert said(read(jpeg_xmp(position(*hammond, 'exif:GPSHPositioningError="40000/2"')))) == {"exif_gps": {"US-IN", "US-IL"}}
    assert said(read(jpeg_xmp(position("49,3.12N", "121,0W", 'exif:GPSMapDatum="NAD27"')))) == {"exif_gps": {"CA-BC", "US-WA"}}


def test_a_position_inside_a_list_belongs_to_the_place_there() -> None:
    content = item("<rdf:li><exif:GPSLatitude>49,15.6N</exif:GPSLatitude><exif:GPSLongitude>123,6W</exif:GPSLongitude></rdf:li>")
    assert said(read(jpeg_xmp(packet(content=content)))) == {"xmp_location_created": {"CA-BC"}}


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'


@pytest.mark.parametrize(
    "xmp",
    [b"", b"<x", b"\xff\xfe\0", ENTITY, packet(content="<q:x>"), b"<a>" * 65 + b"</a>" * 65, b"<a>" + b"<b/>" * 20_001 + b"</a>",
     packet(content=listed(*[BRITISH_COLUMBIA] * 40)), packet(content=listed(BRITISH_COLUMBIA)).replace(b"utf-8", b"ebcdic") + b"<"],
)  # fmt: skip
def test_a_packet_that_cannot_be_read_is_unreadable(xmp: bytes) -> None:
    assert said(read(webp_with(b"XMP ", xmp))) == {"xmp_location_created": UNREADABLE}


def test_packed_packets_that_unpack_to_too_much_cost_little_and_are_unreadable() -> None:
    packed = zlib.compress(b" " * 8_000_000, 9)
    data = png_with(*[(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)] * 500)
    before = time.process_time()
    assert "UNKNOWN" in said(read(data))["xmp_location_created"]
    assert time.process_time() - before < 2.0


def resource(content: bytes, number: int = 0x0404, name: bytes = b"\0\0") -> bytes:
    return b"8BIM" + struct.pack(">H", number) + name + struct.pack(">I", len(content)) + content + b"\0" * (len(content) % 2)


def dataset(number: int, value: bytes, record: int = 2) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value


def iptc(*parts: bytes) -> bytes:
    return jpeg_with((0xED, b"Photoshop 3.0\0" + b"".join(parts)))


def fields(**values: str) -> bytes:
    numbers = {"city": 90, "state": 95, "code": 100, "name": 101}
    return resource(b"".join(dataset(numbers[key], value.encode()) for key, value in values.items()))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (fields(code="CAN", state="British Columbia"), {"CA-BC"}),
        (fields(name="Canada", state="Québec", city="Montréal"), {"CA-QC"}),
        (fields(code="USA", state="IL"), {"US-IL"}),
        (fields(code="CAN", name="United States"), {"CA", "US"}),
        (fields(code="AUS"), {"AU"}),
        (fields(city="Chicago"), {"US-IL"}),
        (resource(dataset(90, b"\x1b%G", 1) + dataset(101, "Québec".encode("latin-1"))), UNREADABLE),
        (resource(dataset(95, "Québec".encode("latin-1"))), {"CA-QC"}),
        (resource(b"x" * 7, 0x03ED, b"\4name\0") + fields(code="FRA") + resource(b"", 0x0425), {"FR"}),
        (fields(code="FRA") + b"\0\0\0", {"FR"}),
        (resource(dataset(100, b"FRA") + b"\0" * 9), {"FR"}),
        (b"MeSa" + fields(code="FRA")[4:] + fields(code="DEU"), {"FR", "DE"}),
        (fields(city="Nowhereville"), UNREADABLE),
        (fields(code="XXX"), UNREADABLE),
        (b"nonsense of some length", UNREADABLE),
        (resource(b"\x1c\2\x64\0"), UNREADABLE),
        (resource(dataset(100, b"CAN")[:-1]), UNREADABLE),
        (resource(b"\x1c\2\x64\x80\4\0\0\0\3CAN"), UNREADABLE),
        (fields(code="CAN")[:-3], UNREADABLE),
    ],
)
def test_the_older_form_is_read(block: bytes, expected: set[str]) -> None:
    assert said(read(iptc(block))) == {"iptc_place": expected}


@pytest.mark.parametrize("block", [b"", fields(city=""), resource(dataset(80, b"Chicago")), resource(b"x", 0x03ED)])
def test_the_older_form_without_a_place_says_nothing(block: bytes) -> None:
    assert read(iptc(block)) == ()


def test_a_block_over_two_segments_is_one() -> None:
    block = resource(b"\0" * 60_000, 0x040C) + fields(code="CAN", state="Alberta")
    data = jpeg_with((0xED, b"Photoshop 3.0\0" + block[:60_030]), (0xED, b"Photoshop 3.0\0" + block[60_030:]))
    assert said(read(data)) == {"iptc_place": {"CA-AB"}}


def test_a_profile_in_png_is_read() -> None:
    block = fields(code="CAN", state="Alberta")
    hexed = b"\niptc\n%8d\n" % len(block) + block.hex().encode()
    assert said(read(png_with((b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(hexed))))) == {"iptc_place": {"CA-AB"}}


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 900))
def test_bytes_spliced_into_metadata_never_raise(noise: bytes, place: int) -> None:
    xmp = packet(content=listed(BRITISH_COLUMBIA))
    block = fields(code="CAN", state="Alberta", city="Calgary")
    for data in (
        jpeg_xmp(xmp[:place] + noise + xmp[place:]),
        jpeg_xmp(xmp[:place] + noise + xmp[place + len(noise) :]),
        iptc(block[: place % len(block)] + noise + block[place % len(block) :]),
        png_with((b"iTXt", b"XML:com.adobe.xmp\0" + noise)),
        png_with((b"zTXt", b"Raw profile type iptc\0\0" + noise)),
        PNG[: 33 + place] + noise + PNG[33 + place :],
        webp_with(b"XMP ", noise),
    ):
        assert all(item.jurisdictions for item in read(data))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_in_a_field_raises(country: str, region: str, city: str) -> None:
    assert all(item.jurisdictions for item in read(iptc(fields(name=country, state=region, city=city))))
