"""Every kind of evidence of place from its real carrier: what is read, where it is silent, and where it is there unread."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from assent.events.evidence import CoarseEvidence, EvidenceKind, PageEvidence
from assent.events.grants import Residence
from assent.geofence.caller import SELF, client_gate
from assent.geofence.evidence import WEIGHTS, Evidence
from assent.geofence.extract import image_evidence, page_evidence
from assent.geofence.host import host_evidence, publication_evidence
from assent.geofence.residence import residence_evidence
from assent.geofence.server import server_statement
from assent.ids import UNKNOWN, Jurisdiction
from services.crawler.page import read_page
from tests.unit.c2pa_examples import CALGARY, Camera, key, signed, signers
from tests.unit.grant_examples import NOW, grant
from tests.unit.place_examples import JPEG, LOCATION, areas, jpeg_exif, jpeg_with, jpeg_xmp
from tests.unit.policy_examples import shipped

K = EvidenceKind
Said = tuple[EvidenceKind, frozenset[str]]


def told(kind: EvidenceKind, *codes: str) -> set[Said]:
    return {(kind, frozenset(codes))}


def of(evidence: tuple[Evidence, ...]) -> set[Said]:
    for item in evidence:
        assert (item.connector, item.deny_weight) == (WEIGHTS[item.kind].connector, WEIGHTS[item.kind].deny)
        assert item.allow_weight == (0 if item.is_invalid else WEIGHTS[item.kind].allow)
    return {(item.kind, frozenset(item.jurisdictions)) for item in evidence}


def picture(data: bytes) -> set[Said]:
    return of(image_evidence(data, areas=areas(), location=LOCATION, signers=signers()))


def page(html: str) -> set[Said]:
    return of(page_evidence(read_page(html.encode(), url="https://example.com/").evidence, areas=areas(), location=LOCATION))


def server(country: str) -> set[Said]:
    return of(page_evidence([server_statement(Jurisdiction(country), "servers-0123456789ab")], areas=areas(), location=LOCATION))


def host(url: str) -> set[Said]:
    return of(host_evidence(url))


def shown_on(page_url: str) -> set[Said]:
    """A picture that lies on a content network, by the page that shows it."""
    return of(publication_evidence("https://cdn.example.com/1.jpg", page_url=page_url))


def lives(*codes: str, is_confirmed: bool = True) -> set[Said]:
    residences = tuple(Residence(jurisdiction=Jurisdiction(code)) for code in codes)
    return of(residence_evidence(grant(residences=residences) if is_confirmed else grant(residences=residences, confirmed_at=None)))


def xmp(content: str) -> bytes:
    return jpeg_xmp(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{content}</rdf:Description></rdf:RDF></x:xmpmeta>".encode()
    )


def location(tag: str, region: str) -> bytes:
    fields = f"<e:ProvinceState>{region}</e:ProvinceState>"
    return xmp(f'<e:{tag}><rdf:Bag><rdf:li rdf:parseType="Resource">{fields}</rdf:li></rdf:Bag></e:{tag}>')


def iptc(number: int, value: bytes) -> bytes:
    dataset = struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(dataset)) + dataset + b"\0" * (len(dataset) % 2)
    return jpeg_with((0xED, b"Photoshop 3.0\0" + resource))


def exif(directory: int, *fields: tuple[int, bytes]) -> bytes:
    """Texts in the directory that a tag of the first one points to, or in the first itself for 0."""
    packed = b""
    start = 8 if directory == 0 else 26
    place = start + 2 + 12 * len(fields) + 4
    for tag, value in fields:
        inline = len(value) <= 4
        packed += struct.pack("<HHI", tag, 2, len(value)) + (value.ljust(4, b"\0") if inline else struct.pack("<I", place))
        place += 0 if inline else len(value)
    held = struct.pack("<H", len(fields)) + packed + bytes(4) + b"".join(value for _, value in fields if len(value) > 4)
    pointer = b"" if directory == 0 else struct.pack("<HHHII", 1, directory, 4, 1, 26) + bytes(4)
    return jpeg_exif(b"II*\0" + struct.pack("<I", 8) + pointer + held)


def gps(latitude: tuple[int, int], *, is_whole: bool = True) -> bytes:
    """North by so many degrees and minutes, in the west of Canada."""
    values = struct.pack("<6I", latitude[0], 1, latitude[1], 1, 0, 1) + struct.pack("<6I", 114, 1, 4, 1, 0, 1 if is_whole else 0)
    entries = struct.pack("<HHI4s", 1, 2, 2, b"N") + struct.pack("<HHII", 2, 5, 3, 80)
    entries += struct.pack("<HHI4s", 3, 2, 2, b"W") + struct.pack("<HHII", 4, 5, 3, 104)
    pointer = struct.pack("<HHHII", 1, 0x8825, 4, 1, 26) + bytes(4)
    return jpeg_exif(b"II*\0" + struct.pack("<I", 8) + pointer + struct.pack("<H", 4) + entries + bytes(4) + values)


def json_ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


@dataclass(frozen=True)
class Row:
    """One kind: three readings, and what the first and the third say. `broken` None: of this kind nothing can be there unread."""

    good: Callable[[], set[Said]]
    says: set[Said]
    silent: Callable[[], set[Said]]
    broken: Callable[[], set[Said]] | None
    unread: set[Said]


def row(
    kind: EvidenceKind,
    place: str,
    good: Callable[[], set[Said]],
    silent: Callable[[], set[Said]],
    broken: Callable[[], set[Said]] | None,
    unread: EvidenceKind | None = None,
) -> Row:
    return Row(good, told(kind, place), silent, broken, told(unread or kind, UNKNOWN))


FORGED = Camera(key=key(4))
LATITUDE, LONGITUDE = (f'<meta property="place:location:{axis}"' for axis in ("latitude", "longitude"))
ROWS: dict[str, Row] = {
    "residence": row(
        K.GRANT_RESIDENCE, "CA-BC", lambda: lives("CA-BC"), lambda: lives("CA-BC", is_confirmed=False), lambda: lives(UNKNOWN)
    ),
    "signed position": row(
        K.SIGNED_GPS,
        "CA-AB",
        lambda: picture(signed()),
        lambda: picture(signed(places={"stds.exif": {"exif:Make": "A camera"}})),
        lambda: picture(signed(camera=FORGED)),
    ),
    "signed position in the newer form": row(
        K.SIGNED_GPS,
        "CA-AB",
        lambda: picture(signed(places={"c2pa.metadata": CALGARY}, is_v2=True)),
        lambda: picture(signed(places={"c2pa.metadata": {}}, is_v2=True)),
        lambda: picture(signed(places={"c2pa.metadata": CALGARY}, is_v2=True).replace(b"51,2", b"49,2")),
    ),
    "position": row(
        K.EXIF_GPS, "CA-AB", lambda: picture(gps((51, 2))), lambda: picture(JPEG), lambda: picture(gps((51, 2), is_whole=False))
    ),
    "XMP created": row(
        K.XMP_LOCATION_CREATED,
        "CA-BC",
        lambda: picture(location("LocationCreated", "British Columbia")),
        lambda: picture(location("LocationCreated", " ")),
        lambda: picture(location("LocationCreated", "Atlantis")),
    ),
    "XMP shown": row(
        K.XMP_LOCATION_SHOWN,
        "CA-BC",
        lambda: picture(location("LocationShown", "British Columbia")),
        lambda: picture(location("LocationShown", " ")),
        lambda: picture(location("LocationShown", "Atlantis")),
    ),
    "older IPTC": row(
        K.IPTC_PLACE,
        "CA-AB",
        lambda: picture(iptc(95, b"Alberta")),
        lambda: picture(iptc(80, b"Alberta")),
        lambda: picture(iptc(95, b"Atlantis")),
    ),
    "schema.org home": row(
        K.SCHEMA_RESIDENCE,
        "CA-QC",
        lambda: page(json_ld('{"@type": "Person", "address": {"addressCountry": "CA", "addressRegion": "QC"}}')),
        lambda: page(json_ld('{"@type": "Person", "name": "x"}')),
        lambda: page(json_ld('{"@type": "Person", "address": {"addressCountry": "ZZ"}}')),
    ),
    "schema.org place": row(
        K.SCHEMA_PLACE,
        "US-IL",
        lambda: page(json_ld('{"contentLocation": {"address": {"addressCountry": "US", "addressRegion": "Illinois"}}}')),
        lambda: page(json_ld('{"contentLocation": null}')),
        lambda: page(json_ld('{"contentLocation": {"address": ')),
    ),
    "Open Graph place": row(
        K.SCHEMA_PLACE,
        "CA-AB",
        lambda: page(
            '<meta property="place:location:latitude" content="51.04"><meta property="place:location:longitude" content="-114.07">'
        ),
        lambda: page(f'{LATITUDE} content="">{LONGITUDE}>'),
        lambda: page(f'{LATITUDE} content="51.04">'),
    ),
    "geo meta": row(
        K.GEO_META,
        "CA-BC",
        lambda: page('<meta name="geo.region" content="CA-BC">'),
        lambda: page('<meta name="geo.region" content="">'),
        lambda: page('<meta name="geo.region" content="zzz">'),
    ),
    "geo place name": row(
        K.GEO_META,
        "CA-QC",
        lambda: page('<meta name="geo.placename" content="Montréal">'),
        lambda: page('<meta name="geo.placename" content=" ">'),
        lambda: page('<meta name="geo.placename" content="Nowhereville">'),
    ),
    "province domain": row(
        K.PROVINCE_DOMAIN,
        "CA-QC",
        lambda: host("https://ville.qc.ca/"),
        lambda: host("https://example.com/"),
        lambda: host("https://[ville.qc.ca/"),
        K.COUNTRY_DOMAIN,
    ),
    "country domain": row(
        K.COUNTRY_DOMAIN,
        "FR",
        lambda: host("https://example.fr/"),
        lambda: host("https://example.io/"),
        lambda: host(f"https://{'a.' * 200}fr/"),
    ),
    "province domain of the page": row(
        K.PROVINCE_DOMAIN,
        "CA-QC",
        lambda: shown_on("https://ville.qc.ca/"),
        lambda: shown_on("https://example.com/"),
        lambda: shown_on("https://[ville.qc.ca/"),
        K.COUNTRY_DOMAIN,
    ),
    "country domain of the page": row(
        K.COUNTRY_DOMAIN,
        "FR",
        lambda: shown_on("https://example.fr/"),
        lambda: shown_on("https://example.io/"),
        lambda: shown_on(f"https://{'a.' * 200}fr/"),
    ),
    "language": row(K.LANGUAGE, "CA", lambda: page('<html lang="fr-CA">'), lambda: page('<html lang="fr">'), None),
    "language of Open Graph": row(
        K.LANGUAGE,
        "AU",
        lambda: page('<meta property="og:locale" content="en_AU">'),
        lambda: page('<meta property="og:locale" content="en">'),
        None,
    ),
    "other languages": row(
        K.LANGUAGE,
        "CA",
        lambda: page('<link rel="alternate" hreflang="fr-CA" href="/fr"><link rel="alternate" hreflang="en-CA" href="/en">'),
        lambda: page('<link rel="alternate" hreflang="fr" href="/fr"><link rel="alternate" hreflang="x-default" href="/">'),
        None,
    ),
    "server": row(
        K.SERVER_ADDRESS,
        "AU",
        lambda: server("AU"),
        lambda: of(page_evidence((), areas=areas(), location=LOCATION)),
        lambda: server("ZZ"),
    ),
    "words of a URL": row(
        K.URL_WORDS,
        "US-IL",
        lambda: host("https://example.com/chicago/1.jpg"),
        lambda: host("https://example.com/chicagoland/1.jpg"),
        lambda: host("https://[example.com/chicago/"),
        K.COUNTRY_DOMAIN,
    ),
    "words of the URL of the page": row(
        K.URL_WORDS,
        "US-IL",
        lambda: shown_on("https://example.com/chicago/"),
        lambda: shown_on("https://example.com/chicagoland/"),
        lambda: shown_on("https://[example.com/chicago/"),
        K.COUNTRY_DOMAIN,
    ),
    "caption in EXIF": row(
        K.CAPTION,
        "CA-QC",
        lambda: picture(exif(0, (0x010E, "Une fête à Montréal\0".encode()))),
        lambda: picture(exif(0, (0x010E, b"A party\0"))),
        lambda: picture(exif(0, (0x010E, b"x" * 65_000)).replace(struct.pack("<I", 65_000), struct.pack("<I", 65_999), 1)),
    ),
    "caption in XMP": row(
        K.CAPTION,
        "US-IL",
        lambda: picture(xmp('<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Lake, Chicago</rdf:li></rdf:Alt></dc:description>')),
        lambda: picture(xmp('<dc:description><rdf:Alt><rdf:li xml:lang="x-default">A lake</rdf:li></rdf:Alt></dc:description>')),
        None,
    ),
    "keywords in XMP": row(
        K.CAPTION,
        "AU-NSW",
        lambda: picture(xmp("<dc:subject><rdf:Bag><rdf:li>#NewSouthWales</rdf:li><rdf:li>fun</rdf:li></rdf:Bag></dc:subject>")),
        lambda: picture(xmp("<dc:subject><rdf:Bag>" + "<rdf:li>fun</rdf:li>" * 200 + "</rdf:Bag></dc:subject>")),
        None,
    ),
    "caption in the older IPTC": row(
        K.CAPTION,
        "US-IL",
        lambda: picture(iptc(120, b"A lake near Chicago")),
        lambda: picture(iptc(120, b"A lake")),
        None,
    ),
    "caption in a page": row(
        K.CAPTION,
        "US-IL",
        lambda: page('<img src="1.jpg" alt="Lake in Chicago"><figcaption>Illinois</figcaption>'),
        lambda: page('<img src="1.jpg" alt="A lake"><figcaption>Chicagoland</figcaption><p>Chicago</p>'),
        lambda: page(f'<img src="1.jpg" alt="{"word " * 60_000}">'),
        K.SCHEMA_PLACE,
    ),
    "time zone": row(
        K.TIME_ZONE,
        "NP",
        lambda: picture(exif(0x8769, (0x9011, b"+05:45\0"))),
        lambda: picture(exif(0x8769, (0x9011, b"   :  \0"))),
        lambda: picture(exif(0x8769, (0x9011, b"+5:45\0"))),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_statement_is_read(name: str) -> None:
    assert ROWS[name].good() == ROWS[name].says


@pytest.mark.parametrize("name", ROWS)
def test_no_statement_is_no_evidence(name: str) -> None:
    assert ROWS[name].silent() == set()


@pytest.mark.parametrize("name", [name for name, one in ROWS.items() if one.broken is not None])
def test_a_statement_that_cannot_be_read_is_the_unknown(name: str) -> None:
    broken = ROWS[name].broken
    assert broken is not None
    assert broken() == ROWS[name].unread


def test_the_caller_s_place_closes_the_service_and_an_unknown_one_does_too() -> None:
    def gate(*places: str, basis: str = "consent") -> str | None:
        return client_gate(tuple(Jurisdiction(place) for place in places), basis=basis, policy=shipped(), now=NOW)

    assert gate("CA-AB") is not None
    assert gate("CA-AB", basis=SELF) is None
    assert gate() == gate(UNKNOWN) == "X-1"


@pytest.mark.parametrize("model", [PageEvidence, CoarseEvidence])
def test_a_kind_that_a_reader_does_not_know_makes_the_event_unreadable(model: type[PageEvidence] | type[CoarseEvidence]) -> None:
    known = {"kind": K.CAPTION, "value": "x", "connector": "shown", "jurisdictions": ["CA"], "deny_weight": 0, "allow_weight": 0}
    held = {name: value for name, value in known.items() if name in model.model_fields}
    model.model_validate(held)
    with pytest.raises(ValidationError, match="kind"):
        model.model_validate(held | {"kind": "a_later_kind"})


def test_every_kind_has_its_row() -> None:
    """But the caller's, which is no evidence of a picture."""
    covered = {kind for one in ROWS.values() for kind, _ in one.says}
    assert covered == set(EvidenceKind) - {K.CALLER}
