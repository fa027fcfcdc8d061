"""A yes signed by a key that was made in her browser and cannot leave it; beside her secret, never in its place."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import Field

from assent.ids import GrantId
from services.registry.grant_parts import RecordPart

ConfirmedWith = Literal["secret", "secret_and_device_key"]
_SIGNED_AS = "assent yes v1"
_NUMBER_BYTES = 32
_Base64 = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]


class DeviceYes(RecordPart):
    """`public_key`: base64 of the SubjectPublicKeyInfo of a P-256 key. `signature`: base64 of r and s, 32 bytes each (ECDSA, SHA-256)."""

    public_key: _Base64
    signature: _Base64


def signed_text(grant_id: GrantId, notice_sha256: str) -> bytes:
    """What the device signs: this grant, under the notice of this digest."""
    return f"{_SIGNED_AS}\n{grant_id}\n{notice_sha256}".encode()


def holds(yes: DeviceYes, grant_id: GrantId, notice_sha256: str) -> bool:
    """Whether the key of this yes signed this grant under this notice. Anything that cannot be read does not hold."""
    try:
        key = load_der_public_key(base64.b64decode(yes.public_key, validate=True))
        numbers = base64.b64decode(yes.signature, validate=True)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return False
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1) or len(numbers) != 2 * _NUMBER_BYTES:
        return False
    r, s = (int.from_bytes(part, "big") for part in (numbers[:_NUMBER_BYTES], numbers[_NUMBER_BYTES:]))
    try:
        key.verify(encode_dss_signature(r, s), signed_text(grant_id, notice_sha256), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
