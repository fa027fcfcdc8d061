"""Who signed a record: id, key and every byte of the value are bound; the header may be raw or base64, and nothing else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.blobs.object_blob_store import open_blob_store
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.intake.producers import CRAWLER, UPLOAD, ProducerDirectory
from assent.intake.signature import SIGNATURE_HEADER, is_signed_by, sign_record, signed_bytes

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
RECORD = Record(Topic.IMAGES_SCRAPED.value, b"key", b'{"a": 1}', (("ce_id", b"id"), ("content-type", b"application/json")))


def with_signature(signature: bytes, record: Record = RECORD) -> Record:
    return replace(record, headers=(*record.headers, (SIGNATURE_HEADER, signature)))


def test_the_signed_bytes_are_those_of_the_guide() -> None:
    assert signed_bytes(RECORD, b"id") == b"\0\0\0\x02id\0\0\0\x03key\0\0\0\x08" + b'{"a": 1}'


def test_raw_and_base64_hold_and_other_lengths_do_not() -> None:
    signature = KEY.sign(signed_bytes(RECORD, b"id"))
    for told in (signature, base64.b64encode(signature)):
        assert is_signed_by(with_signature(told), KEY.public_key())
        assert not is_signed_by(with_signature(told), OTHER.public_key())
    for told in (b"", signature[:63], signature + b"\0", base64.b64encode(signature)[:-1], signature.hex().encode(), b"\xff" * 88):
        assert not is_signed_by(with_signature(told), KEY.public_key())
    assert not is_signed_by(RECORD, KEY.public_key())


@pytest.mark.parametrize(
    "changed",
    [
        {"key": b"another"},
        {"value": b'{"a":1}'},
        {"value": None},
        {"headers": (("ce_id", b"another"),)},
    ],
)
def test_whatever_is_changed_breaks_it(changed: dict[str, object]) -> None:
    signed = sign_record(RECORD, KEY)
    headers = (*changed.get("headers", RECORD.headers), signed.headers[-1])  # type: ignore[misc]
    assert is_signed_by(signed, KEY.public_key())
    assert not is_signed_by(replace(signed, **{**changed, "headers": headers}), KEY.public_key())  # type: ignore[arg-type]


def test_the_id_that_was_read_counts_and_not_the_header() -> None:
    """In structured mode there need be no such header; and bytes cannot move from one part into the next."""
    record = replace(RECORD, headers=())
    signed = with_signature(KEY.sign(signed_bytes(record, b"read")), record)
    assert is_signed_by(signed, KEY.public_key(), event_id="read")
    assert not is_signed_by(signed, KEY.public_key(), event_id="rea")
    assert not is_signed_by(signed, KEY.public_key())
    moved = replace(signed, key=b"dkey")
    assert not is_signed_by(moved, KEY.public_key(), event_id="rea")


def stored(record: Record, topic: Topic = Topic.IMAGES_SCRAPED) -> StoredRecord:
    return StoredRecord(topic.value, 0, 0, 0, record.key, record.value, record.headers)


def test_a_record_of_our_own_is_known_by_its_signature_where_others_write_too() -> None:
    directory = ProducerDirectory(open_blob_store("memory://"), {CRAWLER: KEY.public_key(), UPLOAD: KEY.public_key()})
    assert directory.is_inner(stored(sign_record(RECORD, KEY)))
    assert not directory.is_inner(stored(sign_record(RECORD, OTHER)))
    assert not directory.is_inner(stored(RECORD))
    assert directory.is_inner(stored(RECORD, Topic.IMAGES_LOCATED)), "nobody else writes there"
