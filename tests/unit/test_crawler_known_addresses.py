"""Where something came in from is known in the clear for live grants alone, in memory too."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.blobs.object_blob_store import open_blob_store
from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.events.grants import GrantWithdrawn
from assent.events.record import Record, StoredRecord
from assent.events.topics import all_topics
from assent.keys.cipher import DataKey
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.stream.local import SqliteEventLog
from assent.testing.fake_clock import FakeClock
from services.crawler.known_addresses import AddressTable, KnownAddress, KnownAddresses
from tests.unit.grant_examples import NOW, grant

URL, PAGE = "https://photos.example/anna/1.jpg", "https://photos.example/anna/"
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
    await known.keep(URL, PAGE, [held.grant_id])
    (record,) = written
    table.apply(StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers))
    await known.open()
    assert known.known() == [KnownAddress(URL, PAGE)]
    assert len(known) == 1
    fold.ledger.apply_withdrawal(GrantWithdrawn(grant_id=held.grant_id, withdrawn_at=NOW))
    await known.open()
    assert (known.known(), len(known)) == ([], 0)
    await log.close()
