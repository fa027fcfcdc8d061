"""Positions signed with C2PA: signed by somebody trusted, stated like any other, or not to be believed at all."""

from __future__ import annotations

import json
import struct
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.events.evidence import Connector
from assent.geofence.c2pa_place import MAX_PLACES
from assent.geofence.evidence import Evidence
from assent.geofence.extract import image_evidence
from assent.geofence.signers import Signers, SignersError
from tests.unit.c2pa_examples import (
    CALGARY,
    MIDDLE,
    NOW,
    ROOT,
    Camera,
    Key,
    Picture,
    box,
    cbor,
    certificate,
    key,
    payload,
    signed,
    signers,
    superbox,
)
from tests.unit.heif_examples import with_c2pa
from tests.unit.place_examples import JPEG, LOCATION, UNREADABLE, areas, jpeg_with, png_with, said, webp_with

REAL = Path(__file__).parent / "c2pa"
SIGNED = {"signed_gps": {"CA-AB"}}
STATED = {"exif_gps": {"CA-AB"}}
BROKEN = {"signed_gps": UNREADABLE}


def read(data: bytes, trusted: Signers | None = None) -> tuple[Evidence, ...]:
    return image_evidence(data, areas=areas(), location=LOCATION, signers=trusted or signers())


def test_a_position_signed_by_somebody_trusted_is_signed() -> None:
    (found,) = read(signed())
    assert found.jurisdictions == {"CA-AB"}
    assert (found.kind.value, found.connector, found.deny_weight, found.allow_weight) == ("signed_gps", Connector.CAPTURE, 1.0, 0.8)


@pytest.mark.parametrize("name", ["claim-v1.webp", "claim-v2.jpeg", "claim-v2.png", "claim-v1.heic", "claim-v2.heic"])
def test_what_another_implementation_signed_is_read(name: str) -> None:
    data = (REAL / name).read_bytes()
    authority = "authority-heic.pem" if name.endswith(".heic") else "authority.pem"
    trusted = Signers.from_pem((REAL / authority).read_bytes()).at(NOW)
    assert said(read(data, trusted)) == SIGNED
    assert said(read(data, signers())) == STATED
    assert said(read(data.replace(b"51,2.682N", b"49,2.682N"), trusted)) == BROKEN
    changed = bytearray(data)
    # In the picture itself, near the end of the file, before what PNG and WebP end with.
    changed[-20] ^= 1
    assert said(read(bytes(changed), trusted))["signed_gps"] == UNREADABLE


@pytest.mark.parametrize("parts", [{"is_v2": True}, {"places": {"c2pa.metadata": CALGARY}}, {"places": {"cawg.metadata__2": CALGARY}}])
def test_every_form_of_manifest_is_read(parts: dict[str, Any]) -> None:
    assert said(read(signed(**parts))) == SIGNED


def test_nobody_is_trusted_unless_an_operator_says_so() -> None:
    assert said(read(signed(), Signers())) == STATED
    assert said(read(signed(), Signers((ROOT,)))) == STATED


def test_what_the_signer_only_gathered_is_not_signed() -> None:
    assert said(read(signed(is_v2=True, gathered=("stds.exif",)))) == STATED


@pytest.mark.parametrize("binding", [None, "c2pa.hash.boxes"])
def test_a_signature_that_is_not_bound_to_the_bytes_signs_nothing(binding: str | None) -> None:
    assert said(read(signed(binding=binding))) == STATED


def other(**parts: Any) -> Camera:
    """A camera whose own certificate differs in the parts named."""
    return Camera(chain=(certificate(key(2), key(1), subject="camera", issuer="middle", **parts), MIDDLE))


def under(**parts: Any) -> Camera:
    """A camera under an authority that differs in the parts named."""
    middle = certificate(key(1), key(0), **{"subject": "middle", "issuer": "root", "is_authority": True, **parts})
    return Camera(chain=(certificate(key(2), key(1), subject="camera", issuer=parts.get("subject", "middle")), middle))


UNTRUSTED = {
    "expired": other(valid_until=NOW - timedelta(seconds=1)),
    "for the web": other(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
    "for anything": other(purposes=[x509.ObjectIdentifier("2.5.29.37.0")]),
    "for nothing": other(purposes=[]),
    "an extension nobody here understands": other(more=x509.SubjectAlternativeName([x509.DNSName("example.com")])),
    "an authority itself": other(is_authority=True),
    "an expired authority": under(valid_until=NOW - timedelta(seconds=1)),
    "an authority that is none": under(is_authority=False),
    "an authority of another root": under(issuer="another root"),
    "an authority without its certificate": Camera(chain=Camera().chain[:1]),
    "self-signed": Camera(chain=(certificate(key(2), key(2), subject="root", issuer="root"),)),
    "under an authority that never issued it": Camera(
        key=key(5), chain=(certificate(key(5), key(5), subject="camera", issuer="middle"), MIDDLE)
    ),
    "issued by a camera": Camera(key=key(3), chain=(certificate(key(3), key(2), subject="camera 2", issuer="camera"), *Camera().chain)),
}


@pytest.mark.parametrize("name", UNTRUSTED)
def test_a_signer_who_may_not_sign_is_nobody(name: str) -> None:
    assert said(read(signed(camera=UNTRUSTED[name]))) == STATED


def test_an_authority_may_limit_how_many_stand_under_it() -> None:
    short = certificate(key(0), key(0), subject="root", issuer="root", is_authority=True, path_length=0)
    long = certificate(key(0), key(0), subject="root", issuer="root", is_authority=True, path_length=1)
    assert said(read(signed(), signers(short))) == STATED
    assert said(read(signed(), signers(long))) == SIGNED
    assert said(read(signed(), signers(Camera().chain[0]))) == SIGNED


EDWARDS = ed25519.Ed25519PrivateKey.generate()
CURVE_384, CURVE_521 = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP521R1())
RSA_2048, RSA_1024 = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)


def with_key(own: Key, algorithm: int, hashed: hashes.HashAlgorithm | None = None) -> Camera:
    chain = (certificate(own, key(1), subject="camera", issuer="middle"), MIDDLE)
    return Camera(key=own, chain=chain, algorithm=algorithm, hashed=hashed or hashes.SHA256())


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        (with_key(CURVE_384, -35, hashes.SHA384()), SIGNED),
        (with_key(CURVE_521, -36, hashes.SHA512()), SIGNED),
        (with_key(RSA_2048, -37), SIGNED),
        (with_key(RSA_2048, -39, hashes.SHA512()), SIGNED),
        (with_key(EDWARDS, -8), SIGNED),
        (with_key(RSA_1024, -37), BROKEN),
        (with_key(RSA_2048, -257), BROKEN),
        (with_key(EDWARDS, -7), BROKEN),
        (with_key(CURVE_384, -8, hashes.SHA384()), BROKEN),
        (with_key(key(2), -35), BROKEN),
    ],
)
def test_the_algorithms_of_the_standard_are_read_and_no_others(camera: Camera, expected: dict[str, set[str]]) -> None:
    assert said(read(signed(camera=camera))) == expected


def drop(name: str) -> Any:
    return lambda claim: claim.pop(name)


def first(**values: Any) -> Any:
    return lambda claim: claim["assertions"][0].update(values)


def again(claim: dict[str, Any]) -> None:
    claim["assertions"].append(claim["assertions"][0])


def with_a_second_chain(signature: bytes) -> bytes:
    """The same certificate once more, where no signature covers it."""
    chain = cbor({33: Camera().chain[0].public_bytes(Encoding.DER)})
    return signature.replace(b"\xa0\xf6", chain + b"\xf6", 1)


BREAKS: dict[str, dict[str, Any]] = {
    "another's signature": {"camera": Camera(key=key(4))},
    "no signature named": {"edit": drop("signature")},
    "another manifest's signature named": {"edit": lambda claim: claim.update(signature="self#jumbf=/c2pa/x/c2pa.signature")},
    "no assertions listed": {"edit": drop("assertions")},
    "an assertion with another hash": {"edit": first(hash=bytes(32))},
    "an assertion without a hash": {"edit": first(hash=None)},
    "an assertion hashed weakly": {"edit": first(alg="md5")},
    "an assertion of another manifest": {"edit": first(url="self#jumbf=/c2pa/x/c2pa.assertions/stds.exif")},
    "an assertion on a server": {"edit": first(url="https://example.com/stds.exif")},
    "an assertion listed twice": {"edit": again},
    "an assertion that is not listed": {"unlisted": {"c2pa.metadata": CALGARY}},
    "an assertion that is there twice": {"unlisted": {"stds.exif": CALGARY}},
    "a list that is none": {"edit": lambda claim: claim.update(assertions={"url": ""})},
    "a signature cut off": {"edit_signature": lambda whole: whole[:-1]},
    "a signature of nothing": {"edit_signature": lambda _: cbor([b"", {}, None, b""])},
    "a signature that is no array": {"edit_signature": lambda _: cbor({"a": 1})},
    "a signature without a certificate": {"edit_signature": lambda _: cbor([cbor({1: -7}), {}, None, bytes(64)])},
    "a signature with an unreadable certificate": {"edit_signature": lambda _: cbor([cbor({1: -7, 33: [b"x"]}), {}, None, bytes(64)])},
    "a signature with a payload of its own": {"edit_signature": lambda _: cbor([cbor({1: -7, 33: [b"x"]}), {}, b"x", bytes(64)])},
    "two chains": {"edit_signature": with_a_second_chain},
    "an exclusion beyond the store": {"exclusions": lambda length: [{"start": 2, "length": length + 20}]},
    "two bindings": {"places": {"stds.exif": CALGARY, "c2pa.hash.boxes": {}}},
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_seal_that_does_not_hold_is_unreadable_and_never_silence(name: str) -> None:
    assert said(read(signed(**BREAKS[name]))) == BROKEN
    assert said(read(signed(**BREAKS[name]), Signers())) == BROKEN


def test_a_changed_picture_is_not_the_one_that_was_signed() -> None:
    data = bytearray(signed())
    data[-10] ^= 1
    assert said(read(bytes(data))) == BROKEN


def test_a_position_changed_after_signing_is_unreadable() -> None:
    assert said(read(signed().replace(b"51,2.682N", b"49,2.682N"))) == BROKEN


def test_a_signature_says_nothing_where_no_place_is_stated() -> None:
    assert read(signed(places={"stds.exif": {"exif:Make": "A camera"}})) == ()
    assert read(signed(places={"c2pa.actions": CALGARY}, camera=Camera(key=key(4)))) == ()


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"exif:GPSLatitude": "51.0447", "exif:GPSLongitude": "-114.0719"}, {"CA-AB"}),
        ({"exif:GPSLatitude": 51.0447, "exif:GPSLongitude": -114.0719}, {"CA-AB"}),
        (
            {"EXIF:GPSLatitude": "51.0447", "EXIF:GPSLatitudeRef": "N", "EXIF:GPSLongitude": "114.0719", "EXIF:GPSLongitudeRef": "W"},
            {"CA-AB"},
        ),
        ({"exif:GPSLatitude": {"@value": "51,2,40N"}, "http://ns.adobe.com/exif/1.0/GPSLongitude": "114,4,18W"}, {"CA-AB"}),
        ({"@graph": [{"exif:GPSLatitude": "33,52.1S", "exif:GPSLongitude": "151,12.5E"}]}, {"AU-NSW"}),
        ({**CALGARY, "exif:GPSHPositioningError": "400000"}, {"CA-AB", "CA-BC", "CA-SK", "US-MT", "US-ID", "US-WA"}),
    ],
)
def test_both_ways_to_write_a_position_are_read(place: dict[str, Any], expected: set[str]) -> None:
    assert said(read(signed(places={"stds.exif": place}))) == {"signed_gps": expected}


@pytest.mark.parametrize(
    "more",
    [
        {"exif:GPSLatitude": None},
        {"exif:GPSLatitude": "95.0"},
        {"exif:GPSLatitude": "51,70N"},
        {"exif:GPSLatitude": "51,2.682W"},
        {"exif:GPSLatitude": "NaN"},
        {"exif:GPSLatitude": "0", "exif:GPSLongitude": "0"},
        {"exif:GPSLatitude": ["51,2.682N", "49,2.682N"]},
        {"EXIF:GPSLatitude": "49,2.682N"},
        {"exif:GPSLatitudeRef": "S"},
        {"exif:GPSLatitude": "-51.0", "exif:GPSLatitudeRef": "N"},
        {"exif:GPSLatitude": "51.0", "exif:GPSLatitudeRef": "E"},
        {"exif:GPSStatus": "V"},
        {"exif:GPSHPositioningError": "0/0"},
        {"exif:GPSHPositioningError": "near"},
    ],
)
def test_a_signed_position_that_cannot_be_believed_is_unreadable(more: dict[str, Any]) -> None:
    assert said(read(signed(places={"stds.exif": CALGARY | more}))) == {"exif_gps": UNREADABLE}


def test_places_in_words_are_read_as_people_write_them() -> None:
    place = {
        "Iptc4xmpExt:LocationCreated": [{"Iptc4xmpExt:CountryCode": "CA", "Iptc4xmpExt:ProvinceState": "Québec"}],
        "Iptc4xmpExt:LocationShown": {"Iptc4xmpExt:CountryName": "France"},
        "photoshop:Country": "Canada",
        "photoshop:State": "BC",
    }
    found = said(read(signed(places={"c2pa.metadata": place})))
    assert found == {"xmp_location_created": {"CA-QC"}, "xmp_location_shown": {"FR"}, "iptc_place": {"CA-BC"}}


def test_what_the_picture_was_made_from_counts_and_is_not_signed() -> None:
    older = Picture(places={"stds.exif": {"exif:GPSLatitude": "48,51.4N", "exif:GPSLongitude": "2,21.1E"}}).manifest()
    assert said(read(signed(before=(older,)))) == {"signed_gps": {"CA-AB"}, "exif_gps": {"FR"}}
    assert said(read(signed(before=(older,), places={}))) == {"exif_gps": {"FR"}}


def segment(store: bytes) -> bytes:
    return b"JP" + struct.pack(">HI", 1, 1) + store


def assertions(*boxes: bytes) -> bytes:
    return superbox("c2pa", superbox("urn:x", superbox("c2pa.assertions", *boxes)))


def exif(content: bytes, kind: bytes = b"json") -> bytes:
    return superbox("stds.exif", box(kind, content))


MANY = json.dumps([{"exif:GPSLatitude": str(number / 100 + 1), "exif:GPSLongitude": "10.0"} for number in range(4_000)]).encode()
HOSTILE = {
    "no end": superbox("c2pa", b"\0\0\0\x20jumb"),
    "no description": box(b"jumb", box(b"json", b"{}")),
    "no JSON": assertions(exif(b"{")),
    "nested": assertions(exif(b"[" * 3_000 + b"]" * 3_000)),
    "no text": assertions(exif(b"\xff")),
    "a key twice": assertions(exif(b'{"GPSLatitude": "1", "GPSLatitude": "2"}')),
    "two contents": assertions(box(b"jumb", payload("stds.exif", box(b"json", b"{}"), box(b"json", b"{}")))),
    "something else": assertions(exif(b"x", b"bidb")),
    "compressed": superbox("c2pa", superbox("urn:x", box(b"brob", b"x"))),
    "many values": assertions(exif(json.dumps({"GPSLatitude": ["1"] * 100}).encode())),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_store_that_cannot_be_read_is_unreadable_in_every_container(name: str) -> None:
    store = HOSTILE[name]
    for data in (jpeg_with((0xEB, segment(store))), png_with((b"caBX", store)), webp_with(b"C2PA", store), with_c2pa(store)):
        assert said(read(data)) == BROKEN


def test_more_places_than_are_looked_up_are_unreadable() -> None:
    assert said(read(signed(places={"stds.exif": [CALGARY] * MAX_PLACES}))) == SIGNED
    assert said(read(signed(places={"stds.exif": [CALGARY] * MAX_PLACES, "c2pa.metadata": CALGARY}))) == BROKEN


def test_two_stores_in_one_file_are_unreadable() -> None:
    store = assertions(exif(json.dumps(CALGARY).encode()))
    assert said(read(png_with((b"caBX", store), (b"caBX", store)))) == BROKEN


def test_a_store_without_a_claim_is_signed_by_nobody_and_claims_to_be() -> None:
    assert said(read(png_with((b"caBX", assertions(exif(json.dumps(CALGARY).encode())))))) == BROKEN


def test_jumbf_of_another_standard_says_nothing() -> None:
    assert read(jpeg_with((0xEB, segment(superbox("other", exif(json.dumps(CALGARY).encode())))))) == ()


def test_more_positions_and_assertions_than_anybody_needs_cost_little() -> None:
    store = assertions(exif(MANY), *[exif(json.dumps(CALGARY).encode())] * 5_000)
    before = time.perf_counter()
    assert said(read(png_with((b"caBX", store))))["signed_gps"] == UNREADABLE
    assert time.perf_counter() - before < 2.0


def test_anchors_are_named_in_decisions_and_a_file_without_any_is_refused() -> None:
    pem = (REAL / "authority.pem").read_bytes()
    assert Signers().version is None
    assert Signers.from_pem(pem).version == Signers.from_pem(pem).at(NOW).version
    assert signers().version != Signers.from_pem(pem).version
    with pytest.raises(SignersError, match="BEGIN CERTIFICATE"):
        Signers.from_pem(b"nothing")


GOOD = signed()


STORE_ENDS = 2 + len(GOOD) - len(JPEG)


@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=40), st.integers(0, len(GOOD) - 1))
def test_bytes_spliced_into_a_signed_file_move_no_signed_position_and_change_no_signed_picture(noise: bytes, place: int) -> None:
    """Some bytes of the store itself are under no signature, such as the numbers of its boxes: they may change, and nothing follows."""
    for data in (GOOD[:place] + noise + GOOD[place:], GOOD[:place] + noise + GOOD[place + len(noise) :]):
        found = [item for item in read(data) if item.kind.value == "signed_gps" and not item.is_invalid]
        assert all(item.jurisdictions == {"CA-AB"} for item in found)
        assert not found or (data[:2] == GOOD[:2] and data[STORE_ENDS:] == GOOD[STORE_ENDS:])


@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=6), st.integers(0, 500))
def test_a_certificate_changed_anywhere_under_its_own_good_signature_is_nobody_s(noise: bytes, place: int) -> None:
    der = Camera().chain[0].public_bytes(Encoding.DER)
    changed = der[: place % len(der)] + noise + der[place % len(der) + len(noise) :]
    found = said(read(signed(camera=Camera(edit_first=lambda _: changed))))
    assert found in (STATED, BROKEN) or changed == der


def test_a_picture_without_a_store_says_nothing() -> None:
    assert read(JPEG) == ()
