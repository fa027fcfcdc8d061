"""Where something came in from is known in the clear for live grants alone, in memory too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
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
HELD = grant("g-1")
PUBLIC = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()


@dataclass(slots=True)
class Kept:
    """What one grant's addresses lie in; each of `addresses()` is a crawler that was started anew over it."""

    fold: DecisionFold
    names: ImageIds
    keys: GrantKeyring
    key: DataKey
    log: SqliteEventLog
    table: AddressTable = field(default_factory=lambda: AddressTable(is_crawlers=lambda record: True))
    written: list[Record] = field(default_factory=list)

    def addresses(self) -> KnownAddresses:
        gate = Gate(self.fold, FakeClock(NOW), self.names)
        return KnownAddresses(table=self.table, gate=gate, log=self.log, grant_keys=self.keys, identifiers=self.names, signed=self._written)

    def _written(self, record: Record, _: str) -> Record:
        self.written.append(record)
        self.table.apply(StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers))
        return record


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    fold = DecisionFold(policy_key=PUBLIC, grant_key=PUBLIC)
    fold.ledger.apply_grant(HELD)
    names = ImageIds(DeploymentKeys.load_or_create(tmp_path / "keys"))
    keys = GrantKeyring(open_blob_store("memory://"), DataKey(b"\x02" * 32))
    log = SqliteEventLog(tmp_path / "log.sqlite3", clock=FakeClock(NOW))
    await log.start()
    await log.ensure_topics(all_topics())
    yield Kept(fold, names, keys, await keys.create(HELD.grant_id), log)
    await log.close()


async def test_nothing_is_remembered_of_a_grant_that_ended(kept: Kept) -> None:
    known = kept.addresses()
    await known.keep(URL, PAGE, PLACES, [HELD.grant_id])
    await known.open()
    assert (known.known(), len(known)) == ([KnownAddress(URL, PAGE, PLACES)], 1)
    kept.fold.ledger.apply_withdrawal(GrantWithdrawn(grant_id=HELD.grant_id, withdrawn_at=NOW))
    await known.open()
    assert (known.known(), len(known)) == ([], 0)


async def test_the_places_that_pages_told_are_known_after_a_restart_and_told_once_is_told(kept: Kept) -> None:
    known = kept.addresses()
    await known.keep(URL, PAGE, PLACES, [HELD.grant_id])
    assert known.places(URL, HELD.grant_id) == PLACES
    again = kept.addresses()
    assert again.places(URL, HELD.grant_id) is None, "nothing is opened yet"
    await again.open()
    assert (again.places(URL, HELD.grant_id), again.places(URL, GrantId("g-2")), again.places(PAGE, HELD.grant_id)) == (PLACES, None, None)
    for told in (PLACES, PLACES[:1]):
        await again.keep(URL, PAGE, told, [HELD.grant_id])
    assert len(kept.written) == 1
    await again.keep(URL, PAGE, [Jurisdiction("CA-AB")], [HELD.grant_id])
    assert (len(kept.written), again.places(URL, HELD.grant_id)) == (2, ("CA-AB", *PLACES))


async def test_an_address_that_an_earlier_release_wrote_down_says_nothing_of_places(kept: Kept) -> None:
    place = kept.names.address_under(kept.names.address(URL), HELD.grant_id)
    sealed = kept.key.seal(json.dumps([URL, PAGE]).encode(), aad=aad("addresses", HELD.grant_id, 0, place))
    kept.table.kept[place] = AddressKept(place=place, grant_id=HELD.grant_id, sealed=sealed, kept_at=NOW)
    known = kept.addresses()
    await known.open()
    assert (known.known(), known.places(URL, HELD.grant_id)) == ([KnownAddress(URL, PAGE)], None)


@pytest.mark.parametrize(
    ("letters", "has_room"), [("a", True), ("\u00e9", True), ("\u6f22", False)], ids=["one byte", "two bytes", "three bytes"]
)
async def test_an_address_in_any_letters_is_kept_and_without_its_page_where_both_have_no_room(
    kept: Kept, letters: str, has_room: bool
) -> None:
    url, page = f"{URL}?{letters * 1_900}", f"{PAGE}?{letters * 1_900}"
    await kept.addresses().keep(url, page, PLACES, [HELD.grant_id])
    again = kept.addresses()
    await again.open()
    assert again.known() == [KnownAddress(url, page if has_room else None, PLACES)]
