"""Whose signature under a position counts: every certificate, authority, header and number of a signature that a signer may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from assent.geofence.cose_signature import verified_chain
from assent.geofence.extract import image_evidence
from assent.geofence.signers import Signers
from tests.unit.c2pa_examples import MIDDLE, NOW, ROOT, Camera, Key, cbor, certificate, key, signed, signers
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said

REAL = Path(__file__).parent / "c2pa"
SIGNED = {"signed_gps": {"CA-AB"}}
STATED = {"exif_gps": {"CA-AB"}}
BROKEN = {"signed_gps": UNREADABLE}
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
SECOND = timedelta(seconds=1)


def read(camera: Camera, *anchors: x509.Certificate, **parts: Any) -> dict[str, frozenset[str]]:
    return said(image_evidence(signed(camera=camera, **parts), areas=areas(), location=LOCATION, signers=signers(*anchors)))


def camera(**parts: Any) -> Camera:
    """A camera whose own certificate differs in the parts named."""
    return Camera(chain=(certificate(key(2), key(1), subject="camera", issuer="middle", **parts), MIDDLE))


def authority(**parts: Any) -> x509.Certificate:
    """The authority between camera and root, which differs in the parts named."""
    return certificate(key(1), key(0), **{"subject": "middle", "issuer": "root", "is_authority": True, **parts})


def root(**parts: Any) -> x509.Certificate:
    return certificate(key(0), key(0), **{"subject": "root", "issuer": "root", "is_authority": True, **parts})


def under(middle: x509.Certificate) -> Camera:
    return Camera(chain=(Camera().chain[0], middle))


def below_two(middle: x509.Certificate) -> Camera:
    """A camera under an authority that is itself under one."""
    lower = certificate(key(6), key(1), subject="lower", issuer="middle", is_authority=True)
    return Camera(chain=(certificate(key(2), key(6), subject="camera", issuer="lower"), lower, middle))


MAY_SIGN: dict[str, Camera] = {
    "for mail": camera(purposes=[EMAIL]),
    "for documents": camera(purposes=[x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")]),
    "for claims of C2PA": camera(purposes=[x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")]),
    "for mail and the web": camera(purposes=[ExtendedKeyUsageOID.SERVER_AUTH, EMAIL]),
    "for mail, and a reader must know what that is": camera(purposes=[], more=x509.ExtendedKeyUsage([EMAIL])),
    "with an extension that may be passed over": camera(
        more=x509.SubjectAlternativeName([x509.DNSName("example.com")]), is_more_critical=False
    ),
    "until this very second": camera(valid_until=NOW),
    "from this very second": camera(valid_from=NOW),
    "hashed with SHA-384": camera(hashed=hashes.SHA384()),
    "hashed with SHA-512": camera(hashed=hashes.SHA512()),
    "under an authority that may have none below it": under(authority(path_length=0)),
    "under two authorities": below_two(authority(path_length=1)),
    "with the root in the chain": Camera(chain=(*Camera().chain, ROOT)),
}


@pytest.mark.parametrize("name", MAY_SIGN)
def test_a_signer_who_may_sign_is_believed(name: str) -> None:
    assert read(MAY_SIGN[name]) == SIGNED


MAY_NOT_SIGN: dict[str, Camera] = {
    "not valid yet": camera(valid_from=NOW + SECOND),
    "hashed with what C2PA does not allow": camera(hashed=hashes.SHA224()),
    "a key that is not for signing": camera(usages=["key_agreement"]),
    "a key for nothing that is said": camera(usages=[]),
    "an authority whose key is not for certificates": under(authority(usages=["crl_sign"])),
    "an authority that does not say what its key is for": under(authority(usages=[])),
    "an authority that is none, with a key for certificates": under(authority(is_authority=False, usages=["key_cert_sign"])),
    "an authority that is not valid yet": under(authority(valid_from=NOW + SECOND)),
    "two authorities where one may stand": below_two(authority(path_length=0)),
    "an authority of a kind of key that cannot sign": under(
        certificate(x25519.X25519PrivateKey.generate(), key(0), subject="middle", issuer="root", is_authority=True)
    ),
}


@pytest.mark.parametrize("name", MAY_NOT_SIGN)
def test_a_signer_whose_certificates_do_not_allow_it_is_nobody(name: str) -> None:
    assert read(MAY_NOT_SIGN[name]) == STATED


EDWARDS = ed25519.Ed25519PrivateKey.generate()


def test_an_authority_with_an_edwards_key_counts_as_any_other() -> None:
    middle = certificate(EDWARDS, key(0), subject="middle", issuer="root", is_authority=True)
    assert read(Camera(chain=(certificate(key(2), EDWARDS, subject="camera", issuer="middle"), middle))) == SIGNED


def test_of_several_anchors_one_is_enough_and_a_bad_one_harms_no_other() -> None:
    stranger = certificate(key(7), key(7), subject="stranger", issuer="stranger", is_authority=True)
    assert read(Camera(), stranger) == STATED
    assert read(Camera(), stranger, ROOT) == SIGNED
    assert read(Camera(), root(usages=[]), ROOT) == SIGNED


BAD_ANCHORS: dict[str, x509.Certificate] = {
    "expired": root(valid_until=NOW - SECOND),
    "not valid yet": root(valid_from=NOW + SECOND),
    "its key is for nothing that is said": root(usages=[]),
    "its key is not for certificates": root(usages=["digital_signature"]),
    "no authority": root(is_authority=False, usages=["key_cert_sign"]),
    "of the same name with another key": certificate(key(7), key(7), subject="root", issuer="root", is_authority=True),
}


@pytest.mark.parametrize("name", BAD_ANCHORS)
def test_an_anchor_that_is_no_authority_now_makes_nobody_trusted(name: str) -> None:
    assert read(Camera(), BAD_ANCHORS[name]) == STATED


def test_a_camera_that_is_an_anchor_is_believed_and_nobody_below_it() -> None:
    own = Camera().chain[0]
    other = Camera(key=key(3), chain=(certificate(key(3), key(2), subject="camera 2", issuer="camera"), *Camera().chain))
    assert read(Camera(chain=(own,)), own) == SIGNED
    assert read(other, own) == STATED


def test_anchors_have_one_name_in_every_release() -> None:
    """Decisions name them, and are replayed later."""
    (anchor,) = Signers.from_pem((REAL / "authority.pem").read_bytes()).anchors
    assert Signers((anchor,)).version == "signers-22af6f6e40b0"
    assert Signers((anchor, anchor)).version == "signers-21e7da4bae11"
    assert Signers((ROOT, MIDDLE)).version == Signers((MIDDLE, ROOT)).version


def changed(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A certificate with one part written otherwise; who issued it is asked later than it is read."""

    def edit(der: bytes) -> bytes:
        assert old in der
        return der.replace(old, new, 1)

    return edit


NAMED = camera(more=x509.SubjectAlternativeName([x509.DNSName("example.com")]), is_more_critical=False)
VERSION = b"\xa0\x03\x02\x01\x02"


def below_nought(der: bytes) -> bytes:
    """With a serial number that is negative: a reader warns of it, which is an error in these tests."""
    place = der.index(VERSION) + len(VERSION) + 2
    return der[:place] + b"\x80" + der[place + 1 :]


HOSTILE: dict[str, tuple[Camera, Callable[[bytes], bytes], Any]] = {
    "a version that X.509 does not have": (Camera(), changed(VERSION, VERSION[:-1] + b"\x05"), BROKEN),
    "a serial number below nought": (Camera(), below_nought, BROKEN),
    "a curve of nobody": (Camera(), changed(b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x7f"), BROKEN),
    "an extension twice": (Camera(), changed(b"\x55\x1d\x25", b"\x55\x1d\x0f"), STATED),
    "a name of a kind that is not read": (NAMED, changed(b"\x82\x0bexample.com", b"\xa5\x0bexample.com"), STATED),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_certificate_makes_nobody_trusted_and_raises_nothing(name: str) -> None:
    own, edit, expected = HOSTILE[name]
    assert read(Camera(chain=own.chain, edit_first=edit)) == expected


HEADERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "the chain by its number": (lambda algorithm, chain: ({1: algorithm, 33: chain}, {}), SIGNED),
    "the chain by the name it had first": (lambda algorithm, chain: ({1: algorithm, "x5chain": chain}, {}), SIGNED),
    "the chain among what is not signed": (lambda algorithm, chain: ({1: algorithm}, {33: chain}), SIGNED),
    "the chain by name among what is not signed": (lambda algorithm, chain: ({1: algorithm}, {"x5chain": chain}), SIGNED),
    "the same chain by number and by name": (lambda algorithm, chain: ({1: algorithm, 33: chain, "x5chain": chain}, {}), BROKEN),
    "the same chain by name in two places": (lambda algorithm, chain: ({1: algorithm, "x5chain": chain}, {"x5chain": chain}), BROKEN),
    "no certificate in the chain": (lambda algorithm, chain: ({1: algorithm, 33: []}, {}), BROKEN),
    "a text for a certificate": (lambda algorithm, chain: ({1: algorithm, 33: [*chain, "text"]}, {}), BROKEN),
    "no algorithm": (lambda algorithm, chain: ({33: chain}, {}), BROKEN),
    "an algorithm that is a fraction": (lambda algorithm, chain: ({1: float(algorithm), 33: chain}, {}), BROKEN),
    "headers that are a list": (lambda algorithm, chain: ([algorithm, 33, chain], {}), BROKEN),
    "other headers that are a list": (lambda algorithm, chain: ({1: algorithm, 33: chain}, []), BROKEN),
    "eight certificates": (lambda algorithm, chain: ({1: algorithm, 33: [*chain, *chain[1:] * 6]}, {}), SIGNED),
    "nine certificates": (lambda algorithm, chain: ({1: algorithm, 33: [*chain, *chain[1:] * 7]}, {}), BROKEN),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_certificates_are_where_the_standard_has_them_once(name: str) -> None:
    headers, expected = HEADERS[name]
    assert read(Camera(headers=headers)) == expected


def test_one_certificate_may_stand_without_a_list() -> None:
    alone = Camera(headers=lambda algorithm, chain: ({1: algorithm, 33: chain[0]}, {}))
    assert read(alone, MIDDLE) == SIGNED


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_a_claim_of_any_length_is_signed_as_it_is_written(length: int) -> None:
    """A length has a form of its own below 24, 256 and 65 536 (RFC 8949, section 3.1)."""
    claim = bytes(length)
    assert verified_chain(Camera().sign(claim), claim) == Camera().chain


def signature_of(whole: bytes) -> tuple[bytes, bytes]:
    """What stands before the 64 bytes of a signature, and they."""
    assert whole[-66:-64] == b"\x58\x40"
    return whole[:-66], whole[-64:]


def longer(whole: bytes) -> bytes:
    """The same two numbers, the second with noughts before it."""
    rest, numbers = signature_of(whole)
    return rest + cbor(numbers[:32] + b"\0\0" + numbers[32:])


BROKEN_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a number": lambda _: cbor(5),
    "three parts": lambda whole: b"\x83" + signature_of(whole)[0][1:],
    "five parts": lambda whole: b"\x85" + whole[1:] + cbor(None),
    "signed headers that are not packed": lambda _: cbor([{1: -7}, {}, None, bytes(64)]),
    "its own copy of what is signed": lambda whole: whole.replace(b"\xa0\xf6\x58\x40", b"\xa0" + cbor(b"x") + b"\x58\x40"),
    "a text for a signature": lambda whole: signature_of(whole)[0] + cbor("x" * 64),
    "numbers that are padded": longer,
    "something after it": lambda whole: whole + cbor(None),
}


@pytest.mark.parametrize("name", BROKEN_FORMS)
def test_a_signature_of_another_form_is_broken(name: str) -> None:
    assert read(Camera(), edit_signature=BROKEN_FORMS[name]) == BROKEN


def with_key(own: Key, algorithm: int, hashed: hashes.HashAlgorithm | None = None) -> Camera:
    chain = (certificate(own, key(1), subject="camera", issuer="middle"), MIDDLE)
    return Camera(key=own, chain=chain, algorithm=algorithm, hashed=hashed or hashes.SHA256())


RSA = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (with_key(RSA, -38, hashes.SHA384()), SIGNED),
        (with_key(RSA, -38, hashes.SHA512()), BROKEN),
        (with_key(RSA, -7), BROKEN),
        (with_key(RSA, -8), BROKEN),
        (with_key(EDWARDS, -37), BROKEN),
        (with_key(CURVE, -37), BROKEN),
        (with_key(CURVE, 7), BROKEN),
        (with_key(ed448.Ed448PrivateKey.generate(), -8), BROKEN),
    ],
    ids=lambda value: f"{type(value.key).__name__}{value.algorithm}" if isinstance(value, Camera) else "",
)
def test_a_key_signs_with_the_algorithms_of_its_kind_alone(own: Camera, expected: dict[str, Any]) -> None:
    assert read(own) == expected


@pytest.mark.parametrize(
    ("algorithm", "own", "other"),
    [
        (-7, CURVE, ec.generate_private_key(ec.SECP256R1())),
        (-37, RSA, rsa.generate_private_key(65537, 2048)),
        (-8, EDWARDS, ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["ECDSA", "RSA", "EdDSA"],
)
def test_a_signature_of_another_key_is_broken_whatever_the_algorithm(algorithm: int, own: Key, other: Key) -> None:
    camera = with_key(own, algorithm)
    assert read(camera) == SIGNED
    assert read(replace(camera, key=other)) == BROKEN


def sized(length: int) -> x509.Certificate:
    """A camera's certificate of so many bytes, signed by a key whose signatures have one length."""

    def of(padding: int) -> x509.Certificate:
        more = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), bytes(padding))
        issuer: dict[str, Any] = {"subject": "camera", "issuer": "edwards"}
        return certificate(key(2), EDWARDS, **issuer, more=more, is_more_critical=False, hashed=None)

    own = of(length - 500)
    for _ in range(30):
        missing = length - len(own.public_bytes(Encoding.DER))
        if not missing:
            return own
        own = of(len(own.extensions[-1].value.public_bytes()) + missing)
    raise AssertionError("a serial number of another length each time")


def test_a_certificate_has_sixteen_kibibytes_at_most() -> None:
    anchor = certificate(EDWARDS, EDWARDS, subject="edwards", issuer="edwards", is_authority=True)
    most, more = sized(16 * 1_024), sized(16 * 1_024 + 1)
    assert read(Camera(chain=(most,)), anchor) == SIGNED
    assert read(Camera(chain=(more,)), anchor) == BROKEN
    assert read(Camera(chain=(*Camera().chain, more))) == BROKEN


class NotToBeRead:
    """A certificate that says nothing: whoever asks it anything fails."""


def test_without_anchors_no_certificate_is_looked_at() -> None:
    assert not Signers((), NOW).trusts([NotToBeRead()])  # type: ignore[list-item]
    with pytest.raises(AttributeError):
        signers().trusts([NotToBeRead()])  # type: ignore[list-item]
