"""Policies by their versions, for decisions that are made again: what does not hold is not among them, and stops nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assent.deciding.policy_shelf import PolicyShelf
from assent.events.envelope import Event, encode
from assent.events.grants import GrantWithdrawn, PolicyPublished
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.ids import GrantId
from tests.unit.grant_examples import NOW
from tests.unit.test_deciding_policy import CLOSED, KEY, LATER, OPEN, OTHER, published


def stored(data: EventPayload) -> StoredRecord:
    record = encode(Event("e", "/assent/registry", NOW, data))
    return StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)


def shelf_of(*records: StoredRecord) -> PolicyShelf:
    shelf = PolicyShelf(KEY.public_key())
    for record in records:
        shelf.apply(record)
    return shelf


NEXT = CLOSED.model_copy(update={"version": "next"})


def test_each_version_that_was_published_is_there() -> None:
    shelf = shelf_of(stored(published(OPEN, NOW)), stored(published(NEXT, LATER)), stored(published(OPEN, LATER)))
    assert (shelf.of(OPEN.version), shelf.of("next"), shelf.of("another"), len(shelf)) == (OPEN, NEXT, None, 2)


def test_a_version_with_two_contents_has_neither_whatever_comes_after() -> None:
    first, second = stored(published(OPEN, NOW)), stored(published(CLOSED, LATER))
    assert OPEN.version == CLOSED.version
    for records in ((first, second), (second, first), (first, second, first)):
        shelf = shelf_of(*records, stored(published(NEXT, LATER)))
        assert (shelf.of(OPEN.version), shelf.of("next"), len(shelf)) == (None, NEXT, 1)


def useless() -> PolicyPublished:
    """Rightly signed, and no policy."""
    return published(OPEN.model_copy(update={"version": ""}), NOW)


@pytest.mark.parametrize(
    "record",
    [
        replace(stored(published(NEXT, NOW)), value=b"{"),
        stored(published(NEXT, NOW, key=OTHER)),
        stored(GrantWithdrawn(grant_id=GrantId("g-1"), withdrawn_at=NOW)),
        stored(useless()),
    ],
    ids=["unreadable", "another's signature", "no policy at all", "a document of no use"],
)
def test_what_does_not_hold_is_left_out_and_the_next_is_read(record: StoredRecord) -> None:
    shelf = shelf_of(record, stored(published(OPEN, NOW)))
    assert (shelf.of(OPEN.version), shelf.of("next"), len(shelf)) == (OPEN, None, 1)
