"""Pictures with C2PA manifests signed in the test itself, so that each part of one can be changed; keys and authorities are made anew."""

from __future__ import annotations

import functools
import hashlib
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assent.geofence.signers import Signers
from assent.heif.boxes import boxes
from assent.heif.metadata import C2PA_NAME
from tests.unit.heif_examples import with_c2pa
from tests.unit.place_examples import JPEG

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CALGARY = {"exif:GPSLatitude": "51,2.682N", "exif:GPSLongitude": "114,4.314W"}
LABEL = "urn:c2pa:6ba7b810-9dad-11d1-80b4-00c04fd430c8"
TYPES = {
    "c2pa": b"c2pa", LABEL: b"c2ma", "c2pa.assertions": b"c2as", "c2pa.claim": b"c2cl", "c2pa.claim.v2": b"c2cl",
    "c2pa.signature": b"c2cs",
}  # fmt: skip
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
    "encipher_only", "decipher_only",
)  # fmt: skip
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


def cbor(value: Any) -> bytes:
    match value:
        case None:
            return b"\xf6"
        case float():
            return struct.pack(">Bd", 0xFB, value)
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list() | tuple():
            return _head(4, len(value)) + b"".join(cbor(item) for item in value)
        case dict():
            return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    raise TypeError(value)


def _head(major: int, number: int) -> bytes:
    for extra, form, most in ((24, ">BB", 1 << 8), (25, ">BH", 1 << 16), (26, ">BI", 1 << 32)):
        if number < 24:
            return struct.pack(">B", 32 * major + number)
        if number < most:
            return struct.pack(form, 32 * major + extra, number)
    raise ValueError(number)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def payload(label: str, *boxes: bytes) -> bytes:
    """A superbox without its head: what C2PA hashes of it."""
    return box(b"jumd", type_of(label) + b"\x03" + label.encode() + b"\0") + b"".join(boxes)


def type_of(label: str) -> bytes:
    """The type of the part of a manifest that has this label; of anything else none that means something."""
    return TYPES[label] + bytes.fromhex("00110010800000aa00389b71") if label in TYPES else bytes(16)


def superbox(label: str, *boxes: bytes) -> bytes:
    return box(b"jumb", payload(label, *boxes))


def certificate(
    key: Key | x25519.X25519PrivateKey,
    issuer_key: Key,
    *,
    subject: str,
    issuer: str,
    is_authority: bool = False,
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    valid_from: datetime = NOW - timedelta(days=900),
    valid_until: datetime = NOW + timedelta(days=900),
    path_length: int | None = None,
    usages: Sequence[str] | None = None,
    more: x509.ExtensionType | None = None,
    is_more_critical: bool = True,
    hashed: hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
) -> x509.Certificate:
    """`usages` are those of the key by name; none at all leaves the extension out."""
    if usages is None:
        usages = ("key_cert_sign", "crl_sign") if is_authority else ("digital_signature",)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .add_extension(x509.BasicConstraints(is_authority, path_length), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.KeyUsage(**{name: name in usages for name in _USAGES}), critical=True)
    if not is_authority and purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if more is not None:
        builder = builder.add_extension(more, critical=is_more_critical)
    return builder.sign(
        issuer_key, None if isinstance(issuer_key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashed or hashes.SHA256()
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@functools.cache
def key(number: int) -> ec.EllipticCurvePrivateKey:
    """The same few keys in every test: 0 the root's, 1 the authority's below it, 2 the camera's."""
    return ec.generate_private_key(ec.SECP256R1())


ROOT = certificate(key(0), key(0), subject="root", issuer="root", is_authority=True)
MIDDLE = certificate(key(1), key(0), subject="middle", issuer="root", is_authority=True)
CAMERA = certificate(key(2), key(1), subject="camera", issuer="middle")


def signers(*anchors: x509.Certificate) -> Signers:
    return Signers(anchors or (ROOT,), NOW)


@dataclass(frozen=True)
class Camera:
    """Who signs: a key, its certificates with its own first, and COSE's number of the algorithm.

    `headers` gives the protected ones and the others.
    """

    key: Key = field(default_factory=lambda: key(2))
    chain: tuple[x509.Certificate, ...] = (CAMERA, MIDDLE)
    algorithm: int = -7
    hashed: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    edit_first: Callable[[bytes], bytes] = lambda der: der
    headers: Callable[[int, list[bytes]], tuple[Any, Any]] = lambda algorithm, chain: ({1: algorithm, 33: chain}, {})

    def sign(self, claim: bytes) -> bytes:
        """COSE_Sign1 without its payload."""
        first, *rest = [one.public_bytes(Encoding.DER) for one in self.chain]
        headers, unprotected = self.headers(self.algorithm, [self.edit_first(first), *rest])
        protected = cbor(headers)
        return cbor([protected, unprotected, None, self._signature(cbor(["Signature1", protected, b"", claim]))])

    def _signature(self, signed: bytes) -> bytes:
        match self.key:
            case ec.EllipticCurvePrivateKey():
                size = (self.key.curve.key_size + 7) // 8
                numbers = decode_dss_signature(self.key.sign(signed, ec.ECDSA(self.hashed)))
                return b"".join(number.to_bytes(size, "big") for number in numbers)
            case rsa.RSAPrivateKey():
                return self.key.sign(signed, padding.PSS(padding.MGF1(self.hashed), self.hashed.digest_size), self.hashed)
            case _:
                return self.key.sign(signed)


@dataclass(frozen=True)
class Picture:
    """A JPEG with one store. What a test does not name is as a camera does it; `edit` changes the claim before it is signed.

    `exclusions` are those of the binding, by the length of the segment that holds the store.
    """

    base: bytes = JPEG
    places: Mapping[str, Any] = field(default_factory=lambda: {"stds.exif": CALGARY})
    camera: Camera = field(default_factory=Camera)
    is_v2: bool = False
    gathered: tuple[str, ...] = ()
    binding: str | None = "c2pa.hash.data"
    before: tuple[bytes, ...] = ()
    unlisted: Mapping[str, Any] = field(default_factory=dict)
    exclusions: Callable[[int], list[dict[str, int]]] = lambda length: [{"start": 2, "length": length}]
    edit_binding: Callable[[dict[str, Any]], Any] = lambda binding: None
    edit: Callable[[dict[str, Any]], Any] = lambda claim: None
    edit_signature: Callable[[bytes], bytes] = lambda signature: signature

    def data(self) -> bytes:
        """The file: its length must be known before its hash can be taken."""
        length, digest = 0, bytes(32)
        for _ in range(4):
            segment = self._segment(length, digest)
            data = self.base[:2] + struct.pack(">BBH", 0xFF, 0xEB, len(segment) + 2) + segment + self.base[2:]
            length = len(segment) + 4
            digest = hashlib.sha256(self._without_exclusions(data, length)).digest()
        return data

    def _without_exclusions(self, data: bytes, length: int) -> bytes:
        kept, position = b"", 0
        for one in self.exclusions(length):
            kept += data[position : one["start"]]
            position = one["start"] + one["length"]
        return kept + data[position:]

    def _segment(self, length: int, digest: bytes) -> bytes:
        store = superbox("c2pa", *self.before, self.manifest(length, digest))
        return b"JP" + struct.pack(">HI", 1, 1) + store

    def manifest(self, length: int = 0, digest: bytes = bytes(32)) -> bytes:
        """The one manifest as a superbox."""
        assertions = {label: payload(label, box(b"json", json.dumps(value).encode())) for label, value in self.places.items()}
        if self.binding is not None:
            value = {"exclusions": self.exclusions(length), "alg": "sha256", "hash": digest, "pad": b""}
            self.edit_binding(value)
            assertions[self.binding] = payload(self.binding, box(b"cbor", cbor(value)))
        claim = self._claim(assertions)
        self.edit(claim)
        encoded = cbor(claim)
        loose = [payload(label, box(b"json", json.dumps(value).encode())) for label, value in self.unlisted.items()]
        return superbox(
            LABEL,
            superbox("c2pa.assertions", *(box(b"jumb", one) for one in (*assertions.values(), *loose))),
            superbox("c2pa.claim.v2" if self.is_v2 else "c2pa.claim", box(b"cbor", encoded)),
            superbox("c2pa.signature", box(b"cbor", self.edit_signature(self.camera.sign(encoded)))),
        )

    def _claim(self, assertions: Mapping[str, bytes]) -> dict[str, Any]:
        digests = {label: hashlib.sha256(value).digest() for label, value in assertions.items()}
        listed = {label: {"url": f"self#jumbf=c2pa.assertions/{label}", "hash": digest} for label, digest in digests.items()}
        claim: dict[str, Any] = {"alg": "sha256", "signature": f"self#jumbf=/c2pa/{LABEL}/c2pa.signature"}
        if not self.is_v2:
            return claim | {"assertions": list(listed.values())}
        gathered = [listed.pop(label) for label in self.gathered]
        return claim | {"created_assertions": list(listed.values()), "gathered_assertions": gathered}


@dataclass(frozen=True)
class Heic(Picture):
    """A HEIC whose store lies at its end, or as `place` says; `kept_out` are the kinds of boxes that its hash leaves out,
    of those with a name the store's alone."""

    binding: str | None = "c2pa.hash.bmff.v3"
    exclusions: Callable[[int], list[Any]] = lambda length: left_out("/ftyp", "/mfra", "/free", "/skip")
    place: Callable[[bytes], bytes] = with_c2pa
    kept_out: tuple[bytes, ...] = (b"uuid", b"ftyp", b"mfra", b"free", b"skip")

    def data(self) -> bytes:
        store: bytes = b""
        for _ in range(4):
            data = self.place(store)
            digest = hashlib.sha256()
            for one in boxes(data, 0, len(data)):
                is_other = one.kind == b"uuid" and data[one.start : one.start + 16] != C2PA_NAME
                if is_other or one.kind not in self.kept_out:
                    digest.update(struct.pack(">Q", one.head) + data[one.head : one.end])
            store = superbox("c2pa", self.manifest(digest=digest.digest()))
        return self.place(store)


def left_out(*paths: str, **store: Any) -> list[Any]:
    """Exclusions of boxes: the store's, changed as `store` says, and any of these paths."""
    of_store = {"xpath": "/uuid", "data": [{"offset": 8, "value": C2PA_NAME}]}
    return [of_store | store, *({"xpath": path} for path in paths)]


def signed_heic(**parts: Any) -> bytes:
    """A HEIC of a camera, changed in the parts named."""
    return replace(Heic(), **parts).data()


def signed(**parts: Any) -> bytes:
    """A picture of a camera, changed in the parts named."""
    return replace(Picture(), **parts).data()
