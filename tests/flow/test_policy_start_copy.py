"""A registry whose own file was brought back from a copy: a start meets what only the log knows, and opens nothing with any policy file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from assent.deployment.build import open_shared
from assent.deployment.start_errors import StartError
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from assent.testing.face_pack import lend_pack
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS
from services.registry.app import RegistryApp
from services.registry.desk_table import newest_policy
from services.registry.schema import FILE, FOLDER
from tests.flow.policy_running import text_of
from tests.unit.policy_examples import policy_with, shipped_text

pytestmark = pytest.mark.timeout(120)
BC, AB = Jurisdiction("CA-BC"), Jurisdiction("CA-AB")


def narrowed(version: str, *closed: str) -> str:
    return text_of(policy_with(**{code: {"with_grant": []} for code in closed}).model_copy(update={"version": version}))


@asynccontextmanager
async def started(data: Path, policy: Path, **changes: Path) -> AsyncIterator[RegistryApp]:
    layout = EmbeddedLayout(data, changes={"registry": {"policy_file": policy, **changes}})
    lend_pack(layout.model)
    async with open_shared(layout.registry(), service="test", needs=NEEDS, is_single_process=True) as shared:
        app = RegistryApp(layout.registry(), shared)
        try:
            await app.start()
            yield app
        finally:
            await app.stop()


async def opens(app: RegistryApp, *places: Jurisdiction) -> list[bool]:
    newest = await app.registry.store.read(newest_policy)
    assert newest is not None
    found = Policy.from_canonical_json(newest.document or "")
    return [bool(found.rules_for(place).opens) for place in places]


async def test_a_start_after_a_copy_was_brought_back_opens_nothing_with_any_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data, policy = tmp_path / "data", tmp_path / "policy.yaml"
    policy.write_text(shipped_text(), encoding="utf-8")
    async with started(data, policy) as app:
        assert await opens(app, BC, AB) == [True, True]
    policy.write_text(narrowed("both.1", "CA-BC", "CA-AB"), encoding="utf-8")
    async with started(data, policy) as app:
        assert await opens(app, BC, AB) == [False, False]
    with closing(sqlite3.connect(data / FOLDER / FILE)) as database, database:
        database.execute("DELETE FROM policy_versions WHERE version = 'both.1'")
    capfd.readouterr()

    # Narrower than what the copy knows, wider than what is in force.
    policy.write_text(narrowed("one.1", "CA-BC"), encoding="utf-8")
    async with started(data, policy) as app:
        assert await opens(app, BC, AB) == [False, False]
        assert app.registry.policy.current.version == "both.1"
    said = capfd.readouterr().err
    assert "policy one.1 allows what the newest published one does not (CA-AB)" in said
    assert "policy both.1, published before, stays in force" in said


async def test_a_registry_whose_file_is_gone_begins_with_nothing_only_where_nothing_else_is(tmp_path: Path) -> None:
    data, policy = tmp_path / "data", tmp_path / "policy.yaml"
    policy.write_text(shipped_text(), encoding="utf-8")
    async with started(data, policy):
        pass
    kept = {path: path.read_bytes() for path in (data / FOLDER).glob(f"{FILE}*")}
    for _ in range(2):
        for path in (data / FOLDER).glob(f"{FILE}*"):
            path.unlink()
        with pytest.raises(StartError, match=r"operator.token is of an earlier start.* Bring it back from a copy"):
            async with started(data, policy):
                pass
    for path, content in kept.items():
        path.write_bytes(content)
    async with started(data, policy) as app:
        assert await opens(app, BC) == [True]


async def test_a_later_start_asks_nothing_of_the_file_of_the_first_token(tmp_path: Path) -> None:
    """It was read and taken away long ago, perhaps with its folder, and nobody may look there now."""
    data, policy = tmp_path / "data", tmp_path / "policy.yaml"
    policy.write_text(shipped_text(), encoding="utf-8")
    async with started(data, policy):
        pass
    nowhere = tmp_path / ("x" * 300)
    with pytest.raises(OSError, match="name too long"):
        nowhere.exists()
    async with started(data, policy, first_token_file=nowhere) as app:
        assert await opens(app, BC) == [True]


@pytest.mark.parametrize("is_there", [True, False], ids=["broken", "gone"])
async def test_a_file_that_cannot_be_used_keeps_no_such_registry_from_starting(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], is_there: bool
) -> None:
    data, policy = tmp_path / "data", tmp_path / "policy.yaml"
    policy.write_text(shipped_text(), encoding="utf-8")
    async with started(data, policy):
        pass
    policy.write_text(narrowed("one.1", "CA-BC"), encoding="utf-8")
    async with started(data, policy):
        pass
    with closing(sqlite3.connect(data / FOLDER / FILE)) as database, database:
        database.execute("DELETE FROM policy_versions WHERE version = 'one.1'")
    capfd.readouterr()
    policy.write_text("version: [\n", encoding="utf-8")
    if not is_there:
        policy.unlink()
    async with started(data, policy) as app:
        assert await opens(app, BC, AB) == [False, True]
        assert app.registry.policy.current.version == "one.1"
    said = capfd.readouterr().err
    assert str(policy) in said, "the fault of the file is what is told"
    assert "policy one.1, published before, stays in force" in said
