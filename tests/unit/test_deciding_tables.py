"""The tables of a decider over a real log: ready once all is read and a policy is in force, and fresh to its own write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assent.consent.ledger import FIXTURE_EVIDENCE, Standing
from assent.deciding.fold import DECISION_TOPICS
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, encode
from assent.events.grants import GrantWithdrawn, SuppressionAdded
from assent.events.payload import EventPayload
from assent.events.record import Record
from assent.events.topics import TOPICS
from assent.ids import GrantId
from assent.intake.registry_signature import signed_by_registry
from assent.keys.signing_keys import PublicKeys
from assent.stream.local import SqliteEventLog
from assent.stream.table import TableStaleError
from assent.testing.fake_clock import FakeClock
from tests.unit.grant_examples import NOW, grant
from tests.unit.test_deciding_opted_out import ADDRESS, after, said
from tests.unit.test_deciding_policy import KEY, OPEN, OTHER, published

PUBLIC = PublicKeys(receipt=OTHER.public_key(), token=OTHER.public_key(), policy=KEY.public_key(), grant=OTHER.public_key())
HERS = GrantId("g-1")


def record(data: EventPayload) -> Record:
    return signed_by_registry(encode(Event("e", "/assent/registry", NOW, data)), OTHER)


@asynccontextmanager
async def log_of(folder: Path, *records: Record) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog(folder / "events.sqlite")
    await log.start()
    try:
        await log.ensure_topics({topic.value: settings for topic, settings in TOPICS.items()})
        if records:
            await log.append(records)
        yield log
    finally:
        await log.close()


async def test_it_is_ready_once_everything_is_read_and_a_policy_is_in_force(tmp_path: Path) -> None:
    async with log_of(tmp_path, record(grant())) as log:
        tables = DecisionTables(log, public=PUBLIC, clock=FakeClock(NOW))
        assert (tables.is_ready, tables.policy_version()) == (False, None)
        with pytest.raises(TableStaleError):
            await tables.table.ready(0.01)
        await tables.start()
        try:
            await tables.catch_up(10)
            assert tables.table.is_ready
            assert (tables.is_ready, tables.policy_version()) == (False, None), "nothing is decided without a policy"
            assert tables.ledger.standing(HERS, NOW) is Standing.LIVE
            suppression = SuppressionAdded(suppression_key="k", added_at=NOW)
            told = (published(OPEN, NOW), GrantWithdrawn(grant_id=HERS, withdrawn_at=NOW), suppression, said(1, is_closed=True))
            await log.append([record(data) for data in told])
            await tables.catch_up(10)
            assert (tables.is_ready, tables.policy_version()) == (True, OPEN.version)
            assert tables.ledger.standing(HERS, NOW) is Standing.WITHDRAWN
            read = {place: offset for place, offset in tables.offsets().items() if offset}
            assert {place.partition("/")[0]: offset for place, offset in read.items()} == {topic.value: 1 for topic in DECISION_TOPICS}
            assert (tables.fold.suppressions.has_key("k"), tables.fold.optouts.is_closed(ADDRESS)) == (True, True)
            assert list(tables.offsets()) == sorted(tables.offsets())
        finally:
            await tables.stop()
        await log.append([record(grant("g-2"))])
        with pytest.raises(TableStaleError):
            await tables.catch_up(0.05)
        assert tables.ledger.standing(GrantId("g-2"), NOW) is Standing.UNKNOWN, "who has stopped follows no more"


async def test_a_policy_before_everything_is_read_is_no_policy_to_decide_by(tmp_path: Path) -> None:
    async with log_of(tmp_path) as log:
        tables = DecisionTables(log, public=PUBLIC, clock=FakeClock(NOW))
        assert not tables.ledger.accepts_fixtures, "of the demo alone, and never by itself"
        tables.fold.policy = OPEN
        assert (tables.is_ready, tables.policy_version()) == (False, None)


async def test_whose_word_counts_and_whether_fixtures_do_is_what_the_service_says(tmp_path: Path) -> None:
    fixture = record(grant(evidence_kinds=(FIXTURE_EVIDENCE,)))
    end = encode(Event("o", "/assent/crawler", NOW, said(2, is_closed=False)))
    async with log_of(tmp_path, fixture, encode(Event("n", "/assent/crawler", NOW, said(1, is_closed=True))), end) as log:
        for is_asked in (True, False):
            tables = DecisionTables(
                log, public=PUBLIC, clock=FakeClock(NOW), is_crawlers=(lambda record: True) if is_asked else None, accepts_fixtures=is_asked
            )
            await tables.start()
            try:
                await tables.catch_up(10)
            finally:
                await tables.stop()
            assert tables.ledger.standing(HERS, NOW) is (Standing.LIVE if is_asked else Standing.FIXTURE)
            assert tables.fold.optouts.closes(ADDRESS, after(5)) is not is_asked
