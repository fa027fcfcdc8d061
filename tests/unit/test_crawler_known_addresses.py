"""Where something came in from is known in the clear for live grants alone, in memory too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.blobs.object_blob_store import open_blob_store
from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.events.addresses import AddressKept
from assent.events.grants import GrantWithdrawn
from assent.events.record import Record, StoredRecord
from assent.events.topics import all_topics
from assent.ids import GrantId, Jurisdiction
from assent.keys.cipher import DataKey, aad
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.stream.local import SqliteEventLog
from assent.testing.fake_clock import FakeClock
from services.crawler.known_addresses import AddressTable, KnownAddress, KnownAddresses
from tests.unit.grant_examples import NOW, grant

URL, PAGE = "https://photos.example/anna/1.jpg", "https://photos.example/anna/"
PLACES = (Jurisdiction("CA-BC"), Jurisdiction("US-IL"))
PUBLIC = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()


async def test_nothing_is_remembered_of_a_grant_that_ended(tmp_path: Path) -> None:
    clock, fold = FakeClock(NOW), DecisionFold(policy_key=PUBLIC, grant_key=PUBLIC)
    fold.ledger.apply_grant(held := grant("g-1"))
    names = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys"))
    keys = GrantKeyring(open_blob_store("memory://"), DataKey(b"\x02" * 32))
    await keys.create(held.grant_id)
    log, table = SqliteEventLog(tmp_path / "log.sqlite3", clock=clock), AddressTable(is_crawlers=lambda record: True)
    await log.start()
    await log.ensure_topics(all_topics())
    written: list[Record] = []

    def signed(record: Record, stage: str) -> Record:
        written.append(record)
        return record

    known = KnownAddresses(table=table, gate=Gate(fold, clock, names), log=log, grant_keys=keys, identifiers=names, signed=signed)
    await known.keep(URL, PAGE, PLACES, [held.grant_id])
    (record,) = written
    table.apply(StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers))
    assert known.places(URL, held.grant_id) == PLACES
    again = KnownAddresses(table=table, gate=Gate(fold, clock, names), log=log, grant_keys=keys, identifiers=names, signed=signed)
    assert again.places(URL, held.grant_id) is None, "nothing is opened yet"
    await again.open()
    assert again.known() == [KnownAddress(URL, PAGE, PLACES)]
    assert (again.places(URL, held.grant_id), again.places(URL, GrantId("g-2")), again.places(PAGE, held.grant_id)) == (PLACES, None, None)
    await known.open()
    assert known.known() == again.known()
    assert len(known) == 1
    await known.keep(URL, PAGE, PLACES, [held.grant_id])
    assert len(written) == 1
    await known.keep(URL, PAGE, PLACES[:1], [held.grant_id])
    assert len(written) == 1, "what was told once was told"
    await known.keep(URL, PAGE, [Jurisdiction("CA-AB")], [held.grant_id])
    assert (len(written), known.places(URL, held.grant_id)) == (2, ("CA-AB", *PLACES))
    fold.ledger.apply_withdrawal(GrantWithdrawn(grant_id=held.grant_id, withdrawn_at=NOW))
    await known.open()
    assert (known.known(), len(known)) == ([], 0)
    await log.close()


async def test_an_address_that_an_earlier_release_wrote_down_says_nothing_of_places(tmp_path: Path) -> None:
    clock, fold = FakeClock(NOW), DecisionFold(policy_key=PUBLIC, grant_key=PUBLIC)
    fold.ledger.apply_grant(held := grant("g-1"))
    names = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys"))
    keys = GrantKeyring(open_blob_store("memory://"), DataKey(b"\x02" * 32))
    key = await keys.create(held.grant_id)
    place = names.address_under(names.address(URL), held.grant_id)
    sealed = key.seal(json.dumps([URL, PAGE]).encode(), aad=aad("addresses", held.grant_id, 0, place))
    table, log = AddressTable(is_crawlers=lambda record: True), SqliteEventLog(tmp_path / "log.sqlite3", clock=clock)
    table.kept[place] = AddressKept(place=place, grant_id=held.grant_id, sealed=sealed, kept_at=NOW)
    known = KnownAddresses(
        table=table, gate=Gate(fold, clock, names), log=log, grant_keys=keys, identifiers=names, signed=lambda record, stage: record
    )
    await known.open()
    assert (known.known(), known.places(URL, held.grant_id)) == ([KnownAddress(URL, PAGE)], None)


@pytest.mark.parametrize(
    ("letters", "kept"), [("a", True), ("\u00e9", True), ("\u6f22", False)], ids=["one byte", "two bytes", "three bytes"]
)
async def test_an_address_in_any_letters_is_kept_and_without_its_page_where_both_have_no_room(
    tmp_path: Path, letters: str, kept: bool
) -> None:
    clock, fold = FakeClock(NOW), DecisionFold(policy_key=PUBLIC, grant_key=PUBLIC)
    fold.ledger.apply_grant(held := grant("g-1"))
    names = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys"))
    keys = GrantKeyring(open_blob_store("memory://"), DataKey(b"\x02" * 32))
    await keys.create(held.grant_id)
    log, table = SqliteEventLog(tmp_path / "log.sqlite3", clock=clock), AddressTable(is_crawlers=lambda record: True)
    await log.start()
    await log.ensure_topics(all_topics())

    def signed(record: Record, stage: str) -> Record:
        table.apply(StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers))
        return record

    known = KnownAddresses(table=table, gate=Gate(fold, clock, names), log=log, grant_keys=keys, identifiers=names, signed=signed)
    url, page = f"{URL}?{letters * 1_900}", f"{PAGE}?{letters * 1_900}"
    await known.keep(url, page, PLACES, [held.grant_id])
    again = KnownAddresses(table=table, gate=Gate(fold, clock, names), log=log, grant_keys=keys, identifiers=names, signed=signed)
    await again.open()
    assert again.known() == [KnownAddress(url, page if kept else None, PLACES)]
    await log.close()
