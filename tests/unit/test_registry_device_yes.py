"""A yes that her device signed: the very grant, the very notice, a key of the right kind; everything else does not hold."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assent.ids import GrantId
from services.registry.device_yes import DeviceYes, holds, signed_text

GRANT, OTHER = GrantId("0199a7c0-1111-7abc-8def-000000000001"), GrantId("0199a7c0-1111-7abc-8def-000000000002")
NOTICE = "5" * 64
KEY = ec.generate_private_key(ec.SECP256R1())


def text_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def spki(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey) -> str:
    return text_of(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def raw_signature(text: bytes, *, key: ec.EllipticCurvePrivateKey = KEY, size: int = 32, digest: SHA256 | SHA384 | None = None) -> bytes:
    """As a browser gives it: r and s, each in as many bytes as the curve has."""
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(digest or SHA256())))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def yes(signature: bytes, public_key: str | None = None) -> DeviceYes:
    return DeviceYes(public_key=public_key or spki(KEY.public_key()), signature=text_of(signature))


GOOD = raw_signature(signed_text(GRANT, NOTICE))
P384 = ec.generate_private_key(ec.SECP384R1())
NOT = {
    "another grant": yes(raw_signature(signed_text(OTHER, NOTICE))),
    "another notice": yes(raw_signature(signed_text(GRANT, "6" * 64))),
    "the bare digest": yes(raw_signature(NOTICE.encode())),
    "another key's": yes(GOOD, spki(ec.generate_private_key(ec.SECP256R1()).public_key())),
    "one bit turned": yes(GOOD[:-1] + bytes([GOOD[-1] ^ 1])),
    "cut short": yes(GOOD[:-1]),
    "something behind": yes(GOOD + b"\0"),
    "zeros": yes(bytes(64)),
    "in DER": yes(KEY.sign(signed_text(GRANT, NOTICE), ec.ECDSA(SHA256()))),
    "another digest": yes(raw_signature(signed_text(GRANT, NOTICE), digest=SHA384())),
    "another curve": yes(raw_signature(signed_text(GRANT, NOTICE), key=P384, size=48), spki(P384.public_key())),
    "an RSA key": yes(GOOD, spki(rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key())),
    "an Ed25519 key": yes(GOOD, spki(ed25519.Ed25519PrivateKey.generate().public_key())),
    "no key": yes(GOOD, text_of(b"no key")),
    "base64 without its end": yes(GOOD, spki(KEY.public_key())[:-3]),
}


def test_the_signature_over_this_grant_and_this_notice_holds() -> None:
    assert holds(yes(GOOD), GRANT, NOTICE)


@pytest.mark.parametrize("what", NOT)
def test_anything_else_does_not(what: str) -> None:
    assert not holds(NOT[what], GRANT, NOTICE)
