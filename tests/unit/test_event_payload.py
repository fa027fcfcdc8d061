"""Times that every reader takes, and fields that are left out where they say nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from assent.events.decisions import JudgedMember
from assent.events.fetched_from import FetchedFrom
from assent.events.payload import writable

FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), FIRST),
        (FIRST, FIRST),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 1, tzinfo=UTC)),
        (LAST, LAST),
        (datetime(9999, 12, 31, tzinfo=UTC), LAST),
    ],
)
def test_what_has_to_be_written_is_written_within_the_days_that_are_read(time: datetime, written: datetime) -> None:
    assert (writable(time), writable(time).tzinfo) == (written, UTC)


def test_what_says_nothing_is_left_out() -> None:
    member = JudgedMember(residences=(), not_before=FIRST, expires_at=LAST)
    assert (b"source" in member.to_json(), b"members" in FetchedFrom(at=FIRST).to_json()) == (False, False)
