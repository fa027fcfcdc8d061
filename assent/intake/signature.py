"""Who put a record on the log: an Ed25519 signature over its id, key and value; it says who, never that anybody agreed."""

from __future__ import annotations

from dataclasses import replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assent.events.record import Record, StoredRecord

SIGNATURE_HEADER = "assent-signature"


def sign_record(record: Record, private_key: Ed25519PrivateKey, *, names_topic: bool = False) -> Record:
    """The record with its signature header."""
    signature = private_key.sign(signed_bytes(record, names_topic=names_topic))
    return replace(record, headers=(*record.headers, (SIGNATURE_HEADER, signature)))


def is_signed_by(record: Record | StoredRecord, public_key: Ed25519PublicKey, *, names_topic: bool = False) -> bool:
    """The signature header holds for this record and key."""
    signature = record.header(SIGNATURE_HEADER)
    if signature is None:
        return False
    try:
        public_key.verify(signature, signed_bytes(record, names_topic=names_topic))
    except InvalidSignature:
        return False
    return True


def signed_bytes(record: Record | StoredRecord, *, names_topic: bool = False) -> bytes:
    """What is signed: event id, key and value, each after its length in four bytes, big-endian.

    The topic comes last where one key signs on several: what was said on one must not count on another.
    """
    parts = (record.header("ce_id") or b"", record.key, record.value or b"", *((record.topic.encode(),) if names_topic else ()))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
