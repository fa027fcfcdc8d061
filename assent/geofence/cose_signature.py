"""A detached COSE signature (RFC 9052) of the kinds that C2PA allows: it holds or not; whom to trust is decided elsewhere."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from assent.optouts.bounded_cbor import CborUnreadableError, parse_cbor

MAX_CERTIFICATES = 8
MAX_CERTIFICATE_BYTES = 16 * 1024
"""Of each. A signer's has one or two kibibytes; one of megabytes may hold a million names, each of which is read."""
MAX_RSA_BITS = 8_192
_ALGORITHM, _CHAIN = 1, 33
# The number that the first edition of C2PA did not have yet.
_CHAIN_NAME = "x5chain"
_ECDSA: dict[int, hashes.HashAlgorithm] = {-7: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512()}
_PSS: dict[int, hashes.HashAlgorithm] = {-37: hashes.SHA256(), -38: hashes.SHA384(), -39: hashes.SHA512()}
_EDDSA = -8


# What reading a stranger's certificate may end in, its extensions included; a warning where warnings are errors.
CERTIFICATE_TROUBLE = (
    InvalidSignature,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
    Warning,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class SignatureBrokenError(ValueError):
    """Raised when a signature is not of the form it should have, or does not hold."""


@dataclass(frozen=True, slots=True)
class _Parts:
    protected: bytes
    algorithm: int
    chain: tuple[bytes, ...]
    signature: bytes


def verified_chain(signature: bytes, payload: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates that came with a signature over `payload`, the signer's first. Raises SignatureBrokenError."""
    parts = _parts(signature)
    if any(len(item) > MAX_CERTIFICATE_BYTES for item in parts.chain):
        raise SignatureBrokenError(f"a certificate is longer than {MAX_CERTIFICATE_BYTES} bytes")
    try:
        chain = tuple(x509.load_der_x509_certificate(item) for item in parts.chain)
        _verify(chain[0].public_key(), parts, _signed_bytes(parts.protected, payload))
    except CERTIFICATE_TROUBLE as error:
        raise SignatureBrokenError("the signature does not hold under its own certificate") from error
    return chain


def _parts(signature: bytes) -> _Parts:
    try:
        whole = parse_cbor(signature)
        protected, unprotected, payload, value = whole if isinstance(whole, list) and len(whole) == 4 else (None,) * 4
        headers = parse_cbor(protected) if isinstance(protected, bytes) else None
    except CborUnreadableError as error:
        raise SignatureBrokenError("the signature is no CBOR") from error
    if not isinstance(headers, dict) or not isinstance(unprotected, dict) or payload is not None or not isinstance(value, bytes):
        raise SignatureBrokenError("the signature is no detached COSE_Sign1")
    assert isinstance(protected, bytes)
    algorithm = headers.get(_ALGORITHM)
    if not isinstance(algorithm, int):
        raise SignatureBrokenError("the signature names no algorithm")
    return _Parts(protected, algorithm, _chain(headers, unprotected), value)


def _chain(protected: dict[Any, Any], unprotected: dict[Any, Any]) -> tuple[bytes, ...]:
    """The one chain there is: where two places hold one, readers differ on which counts."""
    given = [headers[name] for headers in (protected, unprotected) for name in (_CHAIN, _CHAIN_NAME) if name in headers]
    chain = given[0] if len(given) == 1 else None
    items = chain if isinstance(chain, list) else [chain]
    if not 1 <= len(items) <= MAX_CERTIFICATES or not all(isinstance(item, bytes) for item in items):
        raise SignatureBrokenError(f"the signature does not come with one to {MAX_CERTIFICATES} certificates in one place")
    return tuple(items)


def _verify(key: Any, parts: _Parts, signed: bytes) -> None:
    """Raises InvalidSignature, ValueError."""
    signature, algorithm = parts.signature, parts.algorithm
    if algorithm in _ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
        size = (key.curve.key_size + 7) // 8
        if len(signature) != 2 * size:
            raise InvalidSignature
        r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_ECDSA[algorithm]))
    elif algorithm in _PSS and isinstance(key, rsa.RSAPublicKey) and 2_048 <= key.key_size <= MAX_RSA_BITS:
        used = _PSS[algorithm]
        key.verify(signature, signed, padding.PSS(padding.MGF1(used), used.digest_size), used)
    elif algorithm == _EDDSA and isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, signed)
    else:
        raise InvalidSignature


def _signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052, section 4.4: an array of a text and three byte strings, the second of them empty."""
    return b"\x84\x6aSignature1" + _byte_string(protected) + b"\x40" + _byte_string(payload)


def _byte_string(value: bytes) -> bytes:
    length = len(value)
    if length < 24:
        head = struct.pack(">B", 0x40 + length)
    elif length < 1 << 8:
        head = struct.pack(">BB", 0x58, length)
    elif length < 1 << 16:
        head = struct.pack(">BH", 0x59, length)
    else:
        head = struct.pack(">BI", 0x5A, length)
    return head + value
