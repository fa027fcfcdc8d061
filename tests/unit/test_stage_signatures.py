"""What a stage hands on: its own word holds for the one record on the one topic, and nobody else's does."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.intake.prepared_mac import PreparedMac
from assent.intake.stage_signatures import STAGE_HEADER, StageSignatures
from assent.keys.deployment_keys import DeploymentKeys

CLEARED = Record(Topic.IMAGES_CLEARED.value, b"key", b"value", (("ce_id", b"id"), ("traceparent", b"00-1-2-01")))


@pytest.fixture
def signatures(tmp_path: Path) -> StageSignatures:
    return StageSignatures(DeploymentKeys.load_or_create(tmp_path / "keys"))


def stored(record: Record) -> StoredRecord:
    return StoredRecord(record.topic, 0, 7, 0, record.key, record.value, record.headers)


def with_header(record: Record, name: str, value: bytes) -> Record:
    return replace(record, headers=tuple((other, value if other == name else held) for other, held in record.headers))


def test_the_word_of_the_stage_that_owns_the_topic_holds(signatures: StageSignatures) -> None:
    assert signatures.holds(stored(signatures.signed(CLEARED, "consent")))


def test_what_was_signed_is_text(signatures: StageSignatures) -> None:
    """Clients there are that read every header as text, and end at one that is none."""
    told = signatures.signed(CLEARED, "consent").header(STAGE_HEADER)
    assert told is not None
    assert told.isascii()
    assert told.startswith(b"hmac-sha256-1:")


@pytest.mark.parametrize("stage", ["geofence", "embedder", "crawler", "registry"])
def test_no_other_stage_speaks_for_it(signatures: StageSignatures, stage: str) -> None:
    assert not signatures.holds(stored(signatures.signed(CLEARED, stage)))


CHANGES: dict[str, Callable[[Record], Record]] = {
    "value": lambda record: replace(record, value=b"another"),
    "no value": lambda record: replace(record, value=None),
    "key": lambda record: replace(record, key=b"another"),
    "key and value shifted": lambda record: replace(record, key=b"keyv", value=b"alue"),
    "id": lambda record: with_header(record, "ce_id", b"another"),
    "signature": lambda record: with_header(record, STAGE_HEADER, b"hmac-sha256-1:" + b"0" * 64),
    "empty signature": lambda record: with_header(record, STAGE_HEADER, b""),
    "form of the signature": lambda record: with_header(
        record, STAGE_HEADER, (record.header(STAGE_HEADER) or b"").replace(b"hmac-sha256-1:", b"none:")
    ),
    "digits alone": lambda record: with_header(record, STAGE_HEADER, (record.header(STAGE_HEADER) or b"").removeprefix(b"hmac-sha256-1:")),
    "no signature": lambda record: replace(record, headers=record.headers[:-1]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_record_does_not_hold(signatures: StageSignatures, change: str) -> None:
    assert not signatures.holds(stored(CHANGES[change](signatures.signed(CLEARED, "consent"))))


def test_a_record_does_not_hold_on_another_topic_of_its_stage(signatures: StageSignatures) -> None:
    refused = signatures.signed(replace(CLEARED, topic=Topic.IMAGES_REFUSED.value), "consent")
    assert not signatures.holds(stored(replace(refused, topic=Topic.IMAGES_CLEARED.value)))


def test_another_deployment_is_not_believed(signatures: StageSignatures, tmp_path: Path) -> None:
    others = StageSignatures(DeploymentKeys.load_or_create(tmp_path / "other"))
    assert not signatures.holds(stored(others.signed(CLEARED, "consent")))


def test_topics_that_nobody_relies_on_need_no_word(signatures: StageSignatures) -> None:
    assert signatures.holds(stored(replace(CLEARED, topic=Topic.IMAGES_REFUSED.value)))
    assert signatures.signed(CLEARED, "query") == CLEARED
    assert not signatures.holds(stored(signatures.signed(CLEARED, "crawler"))), "its word counts on its own topics alone"


@given(key=st.binary(max_size=200), messages=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_a_prepared_code_is_that_of_the_standard_library_each_time(key: bytes, messages: list[bytes]) -> None:
    mac = PreparedMac(key)
    assert [mac.hex(message) for message in messages] == [hmac.digest(key, message, "sha256").hex().encode() for message in messages]
