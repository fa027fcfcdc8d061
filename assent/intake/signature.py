"""Who put a record on the log: an Ed25519 signature over its id, key and value; it says who, never that anybody agreed."""

from __future__ import annotations

import base64
from dataclasses import replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assent.events.record import Record, StoredRecord

SIGNATURE_HEADER = "assent-signature"
_RAW_BYTES = 64


def sign_record(record: Record, private_key: Ed25519PrivateKey, *, names_topic: bool = False) -> Record:
    """The record in binary mode with its signature header."""
    signature = private_key.sign(signed_bytes(record, _told_id(record), names_topic=names_topic))
    return replace(record, headers=(*record.headers, (SIGNATURE_HEADER, signature)))


def is_signed_by(
    record: Record | StoredRecord, public_key: Ed25519PublicKey, *, event_id: str | None = None, names_topic: bool = False
) -> bool:
    """The signature header holds for this record and key; it is raw, or base64 for clients whose headers are text.

    `event_id` is the id as the event was read. Without it that of the header counts, as our own services write it.
    """
    signature = _raw(record.header(SIGNATURE_HEADER))
    if signature is None:
        return False
    told_id = _told_id(record) if event_id is None else event_id.encode()
    try:
        public_key.verify(signature, signed_bytes(record, told_id, names_topic=names_topic))
    except InvalidSignature:
        return False
    return True


def signed_bytes(record: Record | StoredRecord, event_id: bytes, *, names_topic: bool = False) -> bytes:
    """What is signed: event id, key and the whole value as it is sent, each after its length in four bytes, big-endian.

    In structured mode the id stands in the value too, and it is the same id: so one signature fits one event only. The topic comes
    last where one key signs on several: what was said on one must not count on another.
    """
    parts = (event_id, record.key, record.value or b"", *((record.topic.encode(),) if names_topic else ()))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _told_id(record: Record | StoredRecord) -> bytes:
    return record.header("ce_id") or b""


def _raw(signature: bytes | None) -> bytes | None:
    """The 64 bytes, or None."""
    if signature is None or len(signature) == _RAW_BYTES:
        return signature
    try:
        decoded = base64.b64decode(signature, validate=True)
    except ValueError:
        return None
    return decoded if len(decoded) == _RAW_BYTES else None
