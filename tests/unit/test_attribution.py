"""Whose an unreadable record is: named by the value, proved by nothing; and that spoiled headers are nobody's fault."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.events.content_mode import STRUCTURED_CONTENT
from assent.events.envelope import Event, UnreadableEventError, decode, encode
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.events.record import Headers, StoredRecord
from assent.ids import ImageId, ProducerId, SightingId
from assent.intake.attribution import is_readable_as_signed, named_in
from assent.intake.signature import SIGNATURE_HEADER, is_signed_by

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def good() -> StoredRecord:
    sighting = Sighting(
        sighting_id=SightingId("s-1"),
        image_id=ImageId("i-1"),
        producer=ProducerId("agency"),
        source_kind=SourceKind.PRODUCER,
        blob="intake/agency/" + "0" * 64,
        sha256="0" * 64,
        size_bytes=1,
        media_type="image/jpeg",
        fetched_at=NOW,
    )
    record = encode(Event("e-1", "/somewhere", NOW, ImageScraped(sighting=sighting)))
    return StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)


def structured() -> StoredRecord:
    record = good()
    whole = {"specversion": "1.0", "id": "e-1", "source": "/s", "type": "images.scraped.v1", "time": NOW.isoformat()}
    value = json.dumps(whole | {"data": json.loads(record.value or b"")}).encode()
    return replace(record, value=value, headers=(("ce_id", b"e-1"), ("content-type", STRUCTURED_CONTENT)))


def spoiled(headers: Headers, name: str, value: bytes | None) -> Headers:
    kept = tuple(header for header in headers if header[0] != name)
    return kept if value is None else (*kept, (name, value))


SPOILED: dict[str, StoredRecord] = {
    "another type": replace(good(), headers=spoiled(good().headers, "ce_type", b"images.scraped.v9")),
    "another spec": replace(good(), headers=spoiled(good().headers, "ce_specversion", b"0.3")),
    "no time": replace(good(), headers=spoiled(good().headers, "ce_time", None)),
    "the other mode": replace(good(), headers=spoiled(good().headers, "content-type", STRUCTURED_CONTENT)),
    "the other mode, structured": replace(structured(), headers=(("ce_id", b"e-1"), ("content-type", b"application/json"))),
    "undecodable header": replace(good(), headers=(*good().headers, ("ce_extra", b"\xff\xfe"))),
}


@pytest.mark.parametrize("name", SPOILED)
def test_headers_that_no_signature_covers_are_nobodys_fault(name: str) -> None:
    with pytest.raises(UnreadableEventError):
        decode(SPOILED[name])
    assert is_readable_as_signed(SPOILED[name])


@pytest.mark.parametrize("value", [b"{", b"{}", b'{"sighting": {"producer": "agency"}}', b"[" * 100_000, None])
def test_a_value_that_is_no_event_is_its_signers_fault(value: bytes | None) -> None:
    assert not is_readable_as_signed(replace(good(), value=value))


def test_a_key_that_is_not_the_events_is_its_signers_fault() -> None:
    assert not is_readable_as_signed(replace(good(), key=b"another"))


def test_the_producer_is_named_by_the_value_and_else_by_the_source() -> None:
    assert named_in(good()).producer == named_in(structured()).producer == "agency"
    sourced = replace(good(), value=b"{", headers=(("ce_source", b"/bureau"),))
    assert named_in(sourced).producer == "bureau"
    assert named_in(replace(good(), headers=(("ce_source", b"/bureau"),))).producer == "agency"


def test_the_id_may_stand_in_a_header_or_in_the_value() -> None:
    assert named_in(good()).event_ids == ("e-1",)
    assert named_in(replace(structured(), headers=())).event_ids == ("", "e-1")


def test_an_id_that_has_no_bytes_is_no_id() -> None:
    """Half a surrogate pair, as JSON spells it: whoever asked whose signature it is would stop there for ever."""
    record = replace(good(), value=b'{"id": "\\ud800", "sighting": {"producer": "agency"}}')
    record = replace(record, headers=(*record.headers, (SIGNATURE_HEADER, bytes(64))))
    named, key = named_in(record), Ed25519PrivateKey.generate().public_key()
    assert named.producer == "agency"
    assert not any(is_signed_by(record, key, event_id=event_id) for event_id in named.event_ids)


@pytest.mark.parametrize("value", [b"", b"7", b"[]", b'{"sighting": []}', b'{"data": 3}', b'{"sighting": {"producer": 3}}', b"[" * 100_000])
def test_who_names_nobody_is_nobody(value: bytes) -> None:
    assert named_in(replace(good(), value=value, headers=())).producer is None
