"""The log goes on after a restart, and does not start when its file tells another story than its signed head."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.receipts.checkpoint import CheckpointSigner, open_checkpoint
from assent.receipts.log import ReceiptLog, ReceiptLogBrokenError, ReceiptLogBusyError
from assent.receipts.merkle import verify_consistency, verify_inclusion

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SIGNER = CheckpointSigner("test.example/receipts", KEY)


def leaf(number: int) -> dict[str, Any]:
    return {"kind": "control", "number": number}


def filled(path: Path, count: int) -> None:
    with ReceiptLog(path, SIGNER) as log:
        for number in range(count):
            assert log.append(leaf(number)) == number


def edit(path: Path, statement: str, *values: object) -> None:
    database = sqlite3.connect(path)
    with database:
        assert database.execute(statement, values).rowcount > 0
    database.close()


def test_leaves_come_back_and_prove_their_place(tmp_path: Path) -> None:
    with ReceiptLog(tmp_path / "log.sqlite", SIGNER) as log:
        log.append({"b": 1, "a": "é"})
        log.append(leaf(1))
        assert log.leaf(0) == {"a": "é", "b": 1}
        proof = log.proof(0)
        head = open_checkpoint(proof.checkpoint, KEY.public_key())
        # Canonical JSON: names sorted, no spaces, UTF-8.
        hashed = hashlib.sha256(b"\x00" + '{"a":"é","b":1}'.encode()).digest()
        verify_inclusion(hashed, index=0, size=2, path=proof.path, root=head.root)
        for missing in (-1, 2):
            with pytest.raises(IndexError):
                log.leaf(missing)
            with pytest.raises(IndexError):
                log.proof(missing)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "log.sqlite"
    filled(path, 5)
    with ReceiptLog(path, SIGNER) as log:
        before = open_checkpoint(log.checkpoint(), KEY.public_key())
        assert before.size == 5
        assert log.append(leaf(5)) == 5
    with ReceiptLog(path, SIGNER) as log:
        after = open_checkpoint(log.checkpoint(), KEY.public_key())
        log.check_extends(before)
        assert log.checkpoint(5) == SIGNER.sign(before.size, before.root)
        verify_consistency(first=5, first_root=before.root, second=6, second_root=after.root, path=log.consistency(5, 6))


def test_the_same_entry_is_recorded_once(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with ReceiptLog(path, SIGNER) as log:
        assert log.append(leaf(0), once="e1/logical") == 0
        assert log.append(leaf(0), once="e1/logical") == 0
        assert log.append(leaf(1), once="e1/physical") == 1
    with ReceiptLog(path, SIGNER) as log:
        assert log.append(leaf(9), once="e1/logical") == 0
        assert (log.size, log.index_of("e1/physical"), log.index_of("e2/logical")) == (2, 1, None)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE leaves SET document = ? WHERE position = 2", (b'{"kind":"control","number":7}',)),
        ("DELETE FROM leaves WHERE position = 2", ()),
        ("DELETE FROM leaves WHERE position = 4", ()),
        ("DELETE FROM head", ()),
        ("UPDATE head SET note = replace(note, char(10) || '5' || char(10), char(10) || '4' || char(10))", ()),
        ("INSERT INTO leaves VALUES (5, ?, NULL)", (b"{}",)),
        ("UPDATE leaves SET position = 9 WHERE position = 0", ()),
    ],
)
def test_an_edited_file_is_not_opened(tmp_path: Path, statement: str, values: tuple[object, ...]) -> None:
    path = tmp_path / "log.sqlite"
    filled(path, 5)
    edit(path, statement, *values)
    with pytest.raises(ReceiptLogBrokenError):
        ReceiptLog(path, SIGNER)
    # The refusal let go of the lock, so the restored file can be opened without a restart of anything.
    path.unlink()
    ReceiptLog(path, SIGNER).close()


def test_two_swapped_entries_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    filled(path, 3)
    edit(path, "UPDATE leaves SET position = -1 WHERE position = 0")
    edit(path, "UPDATE leaves SET position = 0 WHERE position = 1")
    edit(path, "UPDATE leaves SET position = 1 WHERE position = -1")
    with pytest.raises(ReceiptLogBrokenError, match="do not match"):
        ReceiptLog(path, SIGNER)


def test_a_file_that_is_no_database_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    path.write_bytes(b"not a database, and long enough to be read as one" * 100)
    with pytest.raises(ReceiptLogBrokenError, match="SQLite"):
        ReceiptLog(path, SIGNER)


def test_an_older_copy_is_told_by_a_checkpoint_kept_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    filled(path, 3)
    older = path.read_bytes()
    with ReceiptLog(path, SIGNER) as log:
        log.append(leaf(3))
        published = open_checkpoint(log.checkpoint(), KEY.public_key())
    for leftover in tmp_path.glob("log.sqlite-*"):
        leftover.unlink()
    path.write_bytes(older)
    with ReceiptLog(path, SIGNER) as log:
        with pytest.raises(ReceiptLogBrokenError, match="older copy"):
            log.check_extends(published)
        log.append(leaf(99))
        with pytest.raises(ReceiptLogBrokenError, match="does not begin"):
            log.check_extends(published)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with ReceiptLog(path, SIGNER), pytest.raises(ReceiptLogBusyError):
        ReceiptLog(path, SIGNER)
    ReceiptLog(path, SIGNER).close()


def test_after_a_rotation_the_log_opens_with_the_earlier_key_named(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    filled(path, 2)
    rotated = CheckpointSigner(SIGNER.origin, Ed25519PrivateKey.generate())
    with pytest.raises(ReceiptLogBrokenError, match="signed by none"):
        ReceiptLog(path, rotated)
    with ReceiptLog(path, rotated, earlier_keys=[KEY.public_key()]) as log:
        log.append(leaf(2))
    with ReceiptLog(path, rotated) as log:
        assert log.size == 3


def test_an_append_that_the_disk_refuses_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with ReceiptLog(path, SIGNER) as log:
        log.append(leaf(0))
        before = log.checkpoint()
        # Another connection holds the write lock for longer than SQLite waits, as a full or failing disk would.
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("CREATE TRIGGER refuse BEFORE INSERT ON leaves BEGIN SELECT RAISE(ABORT, 'disk'); END")
        with pytest.raises(sqlite3.DatabaseError):
            log.append(leaf(1))
        assert (log.size, log.checkpoint()) == (1, before)
        blocker.execute("DROP TRIGGER refuse")
        blocker.close()
        assert log.append(leaf(1)) == 1
    ReceiptLog(path, SIGNER).close()


def test_concurrent_appends_keep_one_order(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    indexes: list[tuple[int, int]] = []
    with ReceiptLog(path, SIGNER) as log:

        def work(worker: int) -> None:
            for number in range(25):
                mine = worker * 1000 + number
                indexes.append((log.append(leaf(mine)), mine))

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(index for index, _ in indexes) == list(range(100))
        assert all(log.leaf(index)["number"] == number for index, number in indexes)
    ReceiptLog(path, SIGNER).close()
