"""People who sign policies in tests, the same in each run, and what they sign put together by hand."""

from __future__ import annotations

import json
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.policies.approval import Signature

ANNA, BEN, EVE, MALLORY = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3, 4))


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def signed_by_hand(key: Ed25519PrivateKey, prefix: bytes, said: dict[str, str], at: datetime) -> Signature:
    """Over `said` in the order in which it stands here: RFC 8785 wants the keys in that of the alphabet."""
    statement = prefix + json.dumps(said, separators=(",", ":")).encode()
    return Signature(public_key=public(key), signed_at=at, signature=key.sign(statement).hex())
