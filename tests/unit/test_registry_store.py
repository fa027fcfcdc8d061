"""The registry's file over releases: an older one is brought up to date and keeps its rows; a newer one is refused."""

from __future__ import annotations

import functools
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.events.erasures import ErasureCause
from assent.ids import ErasureId, GrantId, ImageId, ProducerId, SightingId
from services.registry.control_place import ControlWay
from services.registry.control_table import control_rows, unlooked_grants
from services.registry.desk_table import PolicyRow, insert_policy, newest_policy
from services.registry.erasure_table import ErasureRow, insert_erasure
from services.registry.outcome_table import forget_grant, insert_outcome, outcomes_after
from services.registry.policy_shelf import PolicyShelfError, published_in
from services.registry.schema import FILE, SCHEMA, SCHEMA_VERSION
from services.registry.store import RegistryBrokenError, RegistryStore

NOW = datetime(2026, 3, 2, tzinfo=UTC)


COLUMNS_OF = {
    1: ("", "", "", ""),
    2: (", image_id TEXT", "", "", ""),
    3: (", image_id TEXT", ", document TEXT", "", ""),
    4: (", image_id TEXT, place TEXT", ", document TEXT", "", ""),
    5: (", image_id TEXT, place TEXT", ", document TEXT", ", control_seen INTEGER NOT NULL DEFAULT 0", ""),
}
"""How the columns of outcomes, of policy versions, of grants and of proofs of control ended in each version before."""
LOOKS = ", shown_by TEXT,\n    is_validated INTEGER, looked_at TEXT, look_found TEXT"
NEWEST = (", image_id TEXT, place TEXT", ", document TEXT", ", control_seen INTEGER NOT NULL DEFAULT 0", LOOKS)


def older_file(folder: Path, version: int) -> None:
    """As the release of that version wrote it, with one outcome."""
    database = sqlite3.connect(folder / FILE)
    schema = SCHEMA
    for now, then in zip(NEWEST, COLUMNS_OF[version], strict=True):
        assert SCHEMA.count(f"{now})") == 1
        schema = schema.replace(f"{now})", f"{then})")
    database.executescript(schema)
    if version < 5:
        database.execute("DROP TABLE control_proofs")
    else:
        old = ("proof", "museum", "museum.example/", "https://museum.example/x", "ab", b"salt", *[NOW.isoformat()] * 3)
        database.execute("INSERT INTO control_proofs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", old)
    database.execute(
        "INSERT INTO outcomes (event_id, sighting_id, producer, stage, outcome, at) VALUES ('e', 's', 'agency', 'geofence', 'no_grant', ?)",
        (NOW.isoformat(),),
    )
    database.execute(f"PRAGMA user_version = {version}")
    database.commit()
    database.close()


async def embedded(store: RegistryStore, event_id: str, *, grant_id: GrantId | None) -> None:
    await store.write(
        lambda database: insert_outcome(
            database,
            event_id,
            sighting_id=SightingId("t"),
            image_id=ImageId("i"),
            grant_id=grant_id,
            producer=ProducerId("agency"),
            stage="embedder",
            outcome="embedded",
            at=NOW,
        )
    )


@pytest.mark.parametrize("version", COLUMNS_OF)
async def test_a_file_of_a_version_before_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    older_file(tmp_path, version)
    for _ in range(2):
        store = RegistryStore(tmp_path)
        rows = await store.read(lambda database: outcomes_after(database, producer=ProducerId("agency"), grant_id=None, after=0, limit=9))
        assert [(row.sighting_id, row.image_id) for row in rows][:1] == [("s", None)]
        await embedded(store, "e2", grant_id=None)
        assert await store.read(lambda database: unlooked_grants(database, limit=9)) == []
        proofs = await store.read(control_rows)
        await store.close()
    assert [(row.sighting_id, row.image_id, row.place) for row in rows] == [("s", None, None), ("t", "i", None)]
    assert [(row.shown_by, row.proven_at, row.looked_at) for row in proofs] == ([] if version < 5 else [(ControlWay.FILE, NOW, None)])


async def test_a_file_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / FILE)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    with pytest.raises(RegistryBrokenError, match="use its release"):
        RegistryStore(tmp_path)


async def test_an_outcome_that_comes_after_the_end_of_its_grant_names_it_no_more(tmp_path: Path) -> None:
    store = RegistryStore(tmp_path)
    grant = GrantId("g-1")
    erasure = ErasureRow(ErasureId("e-1"), grant, ErasureCause.WITHDRAWAL, NOW, "", "", None, None, is_announced=False)
    await store.write(lambda database: insert_erasure(database, erasure))
    await store.write(lambda database: forget_grant(database, grant))
    await embedded(store, "e", grant_id=grant)
    of_grant = await store.read(lambda database: outcomes_after(database, producer=None, grant_id=grant, after=0, limit=9))
    of_producer = await store.read(
        lambda database: outcomes_after(database, producer=ProducerId("agency"), grant_id=None, after=0, limit=9)
    )
    await store.close()
    assert of_grant == []
    assert [row.sighting_id for row in of_producer] == ["t"], "its producer is told all the same"


async def test_the_newest_policy_is_the_one_written_last_whatever_the_clock_said(tmp_path: Path) -> None:
    store = RegistryStore(tmp_path)
    for version, days in (("a", 5), ("b", 1)):
        row = PolicyRow(version, version * 64, NOW + timedelta(days=days), f"document {version}")
        await store.write(functools.partial(insert_policy, policy=row))
    assert await store.read(newest_policy) == PolicyRow("b", "b" * 64, NOW + timedelta(days=1), "document b")
    # Back to the first: it is the newest again.
    again = PolicyRow("a", "a" * 64, NOW, "document a")
    await store.write(functools.partial(insert_policy, policy=again))
    assert await store.read(newest_policy) == again
    assert published_in(tmp_path / FILE) == again
    await store.close()
    assert published_in(tmp_path / FILE) == again
    assert published_in(tmp_path / "elsewhere") is None


def test_a_file_that_is_no_registry_is_told_of_and_not_read_as_nothing_published(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database, and longer than the header of one" * 9)
    with pytest.raises(PolicyShelfError, match="start this release on the folder once"):
        published_in(tmp_path / FILE)


async def test_a_file_that_somebody_reads_is_not_told_to_hold_nothing_of_what_was_deleted(tmp_path: Path) -> None:
    store = RegistryStore(tmp_path)
    await store.write(lambda database: database.execute("INSERT INTO held_faces VALUES ('a-face-of-hers', 'g', 't')"))
    reader = sqlite3.connect(f"{(tmp_path / FILE).as_uri()}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM held_faces").fetchone() == (1,)
    await store.write(lambda database: database.execute("DELETE FROM held_faces"))

    def is_there() -> bool:
        return any(b"a-face-of-hers" in path.read_bytes() for path in tmp_path.iterdir())

    assert not await store.scrub()
    assert is_there()
    reader.close()
    assert await store.scrub()
    assert not is_there()
    await store.close()
