"""The fields of XMP that speak of places, one by one: whose they are, how they are written, and where reading ends."""

from __future__ import annotations

import pytest

from assent.events.evidence import EvidenceKind
from assent.geofence.xmp_fields import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_PLACES,
    MAX_VALUES,
    MAX_XMP_BYTES,
    NAME,
    PlaceFields,
    XmpPlaceError,
    xmp_places,
)
from tests.unit.place_examples import jpeg_xmp, read, said

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "old": "http://iptc.org/std/Iptc4xmpExt/2008-02-19/",
    "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "ps": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "other": "http://example.com/ns/",
}
BANFF = "<ext:City>Banff</ext:City>"
CREATED, SHOWN, PICTURE = EvidenceKind.XMP_LOCATION_CREATED, EvidenceKind.XMP_LOCATION_SHOWN, EvidenceKind.IPTC_PLACE
Places = list[tuple[EvidenceKind, dict[str, list[str]]]]


def described(content: str = "", attributes: str = "") -> str:
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in PREFIXES.items())
    return f"<rdf:RDF {names}><rdf:Description {attributes}>{content}</rdf:Description></rdf:RDF>"


def created(content: str, *, tag: str = "ext:LocationCreated") -> str:
    return f"<{tag}><rdf:Bag><rdf:li>{content}</rdf:li></rdf:Bag></{tag}>"


def places(content: str = "", attributes: str = "") -> Places:
    return [(place.kind, place.texts) for place in xmp_places(described(content, attributes).encode()).places]


POSITION = {
    "exif:GPSLatitude": "latitude",
    "exif:GPSLongitude": "longitude",
    "exif:GPSStatus": "status",
    "exif:GPSHPositioningError": "accuracy",
    "exif:GPSMapDatum": "datum",
}
OF_PICTURE = POSITION | {"core:CountryCode": "country", "ps:Country": "country", "ps:State": "region", "ps:City": "city"}
OF_LISTED = POSITION | {
    f"{prefix}:{name}": field
    for prefix in ("ext", "old")
    for name, field in {"CountryCode": "country", "CountryName": "country", "ProvinceState": "region", "City": "city"}.items()
}


@pytest.mark.parametrize(("tag", "name"), OF_PICTURE.items(), ids=list(OF_PICTURE))
def test_a_field_of_the_picture_is_read_however_it_is_written(tag: str, name: str) -> None:
    expected: Places = [(PICTURE, {name: ["Banff"]})]
    assert places(f"<{tag}>Banff</{tag}>") == expected
    assert places(attributes=f'{tag}="Banff"') == expected
    assert places(f'<{tag} rdf:resource="Banff"/>') == expected
    assert places(f'<{tag}><other:inner rdf:value=" Banff "/></{tag}>') == expected


@pytest.mark.parametrize(("tag", "name"), OF_LISTED.items(), ids=list(OF_LISTED))
@pytest.mark.parametrize(("list_tag", "kind"), [("LocationCreated", CREATED), ("LocationShown", SHOWN)])
def test_a_field_of_a_listed_place_is_read_however_it_is_written(tag: str, name: str, list_tag: str, kind: EvidenceKind) -> None:
    expected: Places = [(kind, {name: ["Banff"]})]
    assert places(created(f"<{tag}>Banff</{tag}>", tag=f"ext:{list_tag}")) == expected
    assert places(created(f"<{tag}>Banff</{tag}>", tag=f"old:{list_tag}")) == expected
    assert places(f'<ext:{list_tag}><rdf:Bag><rdf:li {tag}="Banff"/></rdf:Bag></ext:{list_tag}>') == expected
    assert places(f'<ext:{list_tag} {tag}="Banff"/>') == expected


CAPTIONS = ("ps:Headline", "dc:description", "dc:title", "dc:subject", "core:AltTextAccessibility", "core:ExtDescrAccessibility")


@pytest.mark.parametrize("tag", CAPTIONS)
def test_a_caption_is_read_in_every_field_that_holds_one(tag: str) -> None:
    several = f'<{tag}><rdf:Alt><rdf:li xml:lang="en">Calgary</rdf:li><rdf:li xml:lang="fr">Chicago</rdf:li></rdf:Alt></{tag}>'
    assert said(read(jpeg_xmp(described(several).encode()))) == {"caption": {"CA-AB", "US-IL"}}
    assert said(read(jpeg_xmp(described(attributes=f'{tag}="Calgary"').encode()))) == {"caption": {"CA-AB"}}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", []),
        ("Banff", []),
        ("<ps:City> \n </ps:City>", []),
        ("<ps:City> Red\n Deer </ps:City>", [(PICTURE, {"city": ["Red\n Deer"]})]),
        ("<ps:City>Red<!-- --> D&#101;er</ps:City>", [(PICTURE, {"city": ["Red Deer"]})]),
        ("<ps:City>Banff</ps:City>Calgary", [(PICTURE, {"city": ["Banff"]})]),
        ("<ps:City/>Calgary<ps:State>AB</ps:State>", [(PICTURE, {"region": ["AB"]})]),
        ("<ps:City>a<other:b>b<other:c/>c</other:b>d</ps:City>e", [(PICTURE, {"city": ["a", "b", "c", "d"]})]),
        ("<ps:State>a<ps:City>b</ps:City>c</ps:State><ps:City>d</ps:City>", [(PICTURE, {"region": ["a", "b", "c"], "city": ["d"]})]),
        ('<other:City rdf:value="Banff"/><ext:City>Banff</ext:City><ps:city>Banff</ps:city>', []),
        ('<ps:City other:value="Banff" value="Banff" rdf:about="Banff"/>', []),
    ],
)
def test_the_text_of_a_field_is_all_that_stands_inside_it_and_nothing_else(content: str, expected: Places) -> None:
    assert places(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (created("<ps:City>Banff</ps:City>"), []),
        (created(BANFF) + "<ps:City>Paris</ps:City>", [(CREATED, {"city": ["Banff"]}), (PICTURE, {"city": ["Paris"]})]),
        ("<ps:City>Paris</ps:City>" + created(BANFF), [(CREATED, {"city": ["Banff"]}), (PICTURE, {"city": ["Paris"]})]),
        (
            created("<ext:City>a</ext:City></rdf:li><rdf:li><ext:City>b</ext:City>"),
            [(CREATED, {"city": ["a"]}), (CREATED, {"city": ["b"]})],
        ),
        (
            created("<ext:City>a</ext:City>") + created("<ext:City>b</ext:City>", tag="ext:LocationShown"),
            [(CREATED, {"city": ["a"]}), (SHOWN, {"city": ["b"]})],
        ),
        (
            created("<ext:City><rdf:Alt><rdf:li>a</rdf:li><rdf:li>b</rdf:li></rdf:Alt></ext:City><ext:ProvinceState>c</ext:ProvinceState>"),
            [(CREATED, {"city": ["a", "b"], "region": ["c"]})],
        ),
        (
            created("<ext:LocationShown><rdf:Bag><rdf:li><ext:City>a</ext:City></rdf:li></rdf:Bag></ext:LocationShown>"),
            [(CREATED, {"city": ["a"]})],
        ),
        (
            "<ext:LocationShown><rdf:Description><ext:City>a</ext:City><ext:ProvinceState>b</ext:ProvinceState></rdf:Description>"
            "</ext:LocationShown>",
            [(SHOWN, {"city": ["a"], "region": ["b"]})],
        ),
        ("<rdf:Bag><rdf:li><ext:City>a</ext:City></rdf:li></rdf:Bag>", []),
    ],
)
def test_a_field_belongs_to_the_place_in_whose_list_it_stands(content: str, expected: Places) -> None:
    assert places(content) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-8-sig", "utf-8"])
def test_a_packet_is_read_in_every_encoding_of_xmp(encoding: str) -> None:
    mark = {"utf-16-be": b"\xfe\xff", "utf-16-le": b"\xff\xfe"}.get(encoding, b"")
    text = described("<ps:City>Montréal</ps:City>")
    assert xmp_places(mark + text.encode(encoding)).places[0].of("city") == ["Montréal"]


@pytest.mark.parametrize("padding", [b"\0" * 9, b" \r\n\t" * 9])
def test_what_writers_fill_a_packet_up_with_is_no_part_of_it(padding: bytes) -> None:
    packet = b'<?xml version="1.0" encoding="utf-8"?>' + described("<ps:City>Banff</ps:City>").encode()
    assert xmp_places(padding + packet + padding).places[0].of("city") == ["Banff"]


@pytest.mark.parametrize(
    "packet",
    [b"", b"\0\0", b"text", b"<a/>-", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>\xff</a>", b"<a>&b;</a>", b"<!DOCTYPE a><a/>",
     b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
     b'<?xml version="1.0" encoding="nobody-knows"?><a/>', b'<?xml version="1.0" encoding="utf-7"?><a/>', b"\xff\xfe<\0a\0"],
)  # fmt: skip
def test_what_is_no_xml_without_entities_is_refused(packet: bytes) -> None:
    with pytest.raises(XmpPlaceError, match="no XML without entities"):
        xmp_places(packet)


def test_a_packet_of_the_most_bytes_is_read_and_one_more_is_not() -> None:
    packet = described("<ps:City>Banff</ps:City>").encode().ljust(MAX_XMP_BYTES)
    assert MAX_XMP_BYTES == 8_388_608
    assert len(xmp_places(packet).places) == 1
    with pytest.raises(XmpPlaceError, match="8388609 bytes, at most 8388608"):
        xmp_places(packet + b" ")


def refused(inner: str) -> bool:
    try:
        xmp_places(described(inner).encode())
    except XmpPlaceError:
        return True
    return False


@pytest.mark.parametrize(
    ("most", "more"),
    [
        ("<a/>" * (MAX_ELEMENTS - 2), "<a/>" * (MAX_ELEMENTS - 1)),
        ("<a>" * (MAX_DEPTH - 2) + "</a>" * (MAX_DEPTH - 2), "<a>" * (MAX_DEPTH - 1) + "</a>" * (MAX_DEPTH - 1)),
        ("<ext:LocationShown/>" * MAX_PLACES * 2, "<ext:LocationShown/>" * (MAX_PLACES * 2 + 1)),
        ("<ps:City>a</ps:City>" * MAX_VALUES, "<ps:City>a</ps:City>" * (MAX_VALUES + 1)),
    ],
    ids=["elements", "depth", "places", "values"],
)
def test_as_much_of_a_packet_is_read_as_is_said_and_no_more(most: str, more: str) -> None:
    assert (MAX_ELEMENTS, MAX_DEPTH, MAX_PLACES, MAX_VALUES) == (20_000, 64, 16, 64)
    assert (refused(most), refused(more)) == (False, True)


def test_every_item_of_a_list_counts_towards_the_places_and_ended_elements_not_towards_the_depth() -> None:
    items = "<rdf:li><ext:City>a</ext:City></rdf:li>"
    assert not refused(f"<ext:LocationShown><rdf:Bag>{items * 31}</rdf:Bag></ext:LocationShown>")
    assert refused(f"<ext:LocationShown><rdf:Bag>{items * 32}</rdf:Bag></ext:LocationShown>")
    assert not refused("<a><b/></a>" * 200)


def test_a_long_text_is_cut_and_a_blank_one_takes_no_room() -> None:
    assert places(f"<ps:City> {'x' * 129} </ps:City>") == [(PICTURE, {"city": ["x" * 128]})]
    assert not refused("<ps:City> </ps:City>" * 500)


def test_a_text_is_kept_without_blanks_round_it_and_cut_unless_it_is_a_name() -> None:
    place = PlaceFields(EvidenceKind.IPTC_PLACE)
    for name, text in (("country", " Canada\n"), ("city", "c" * 2_000), (NAME, f" {'n' * 1_000} ")):
        place.add(name, text)
    assert place.texts == {"country": ["Canada"], "city": ["c" * 128], NAME: ["n" * 1_000]}
