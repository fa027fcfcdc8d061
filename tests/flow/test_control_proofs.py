"""Proofs of control over time, against a real site on loopback: they age, are renewed, end for ever, and stand in the receipt log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.events.grants import SourceKindRule, SourceRule
from assent.fetching.txt_records import TxtRecords
from assent.identity.errors import ApiError
from assent.receipts.checkpoint import CheckpointSigner
from assent.receipts.log import ReceiptLog
from assent.testing.fake_clock import FakeClock
from demo.site import CONTROL_FILE, DemoSite
from services.registry.control_place import control_line
from services.registry.control_table import ControlRow, changes_so_far
from services.registry.controls import Controls
from services.registry.receipt_desk import ReceiptDesk
from services.registry.store import RegistryStore

DAY_S = 86_400
DAYS = 90


@dataclass(slots=True)
class Desk:
    """The desk of proofs over a file, a clock that the test moves, and a site."""

    controls: Controls
    clock: FakeClock
    site: DemoSite
    store: RegistryStore
    log: ReceiptLog

    async def asked(self, folder: str = "/") -> ControlRow:
        return await self.controls.challenge("museum", f"{self.site.origin}{folder}")

    async def shown(self) -> ControlRow:
        row = await self.asked()
        self.site.control_lines = [control_line(row.token)]
        return await self.controls.check(row.proof_id)

    async def covers(self, controller: str | None = "museum") -> bool:
        rule = SourceRule(kind=SourceKindRule.URL_PREFIX, value=f"{self.site.origin}/photos/")
        (found,) = await self.controls.on([rule], controller)
        return found.control_until is not None

    async def changes(self) -> int:
        return await self.store.read(changes_so_far)

    def leaves(self) -> list[dict[str, object]]:
        return [dict(self.log.leaf(index)) for index in range(self.log.size)]


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    site, clock, store = DemoSite(), FakeClock(), RegistryStore(tmp_path / "registry")
    await site.start()
    signer = CheckpointSigner("test/receipts", Ed25519PrivateKey.generate())
    log = ReceiptLog(tmp_path / "receipts.sqlite3", signer)
    allowed = frozenset({("127.0.0.1", site.port)})
    controls = Controls(
        store=store, receipts=ReceiptDesk(log, signer), clock=clock, allowed_sockets=allowed, proof_days=DAYS, records=TxtRecords()
    )
    yield Desk(controls, clock, site, store, log)
    await site.stop()
    await store.close()
    log.close()


async def test_a_proof_counts_until_it_is_too_old_and_is_renewed_by_looking_again(desk: Desk) -> None:
    assert not await desk.covers()
    first = await desk.shown()
    assert await desk.covers()
    desk.clock.advance(DAYS * DAY_S - 1)
    assert await desk.covers()
    desk.clock.advance(1)
    assert not await desk.covers()
    renewed = await desk.controls.check(first.proof_id)
    assert (renewed.token, await desk.covers()) == (first.token, True)
    assert desk.site.requests[CONTROL_FILE] == 2


async def test_looking_again_at_once_changes_no_grant(desk: Desk) -> None:
    """Each renewal is a new revision of every grant that rests on it."""
    first = await desk.shown()
    before, leaves = await desk.changes(), len(desk.leaves())
    desk.clock.advance(DAY_S / 2)
    again = await desk.controls.check(first.proof_id)
    assert (again.ends_at, again.looked_at) == (first.ends_at, desk.clock.now())
    assert (await desk.changes(), len(desk.leaves())) == (before, leaves)
    desk.clock.advance(DAY_S)
    assert (await desk.controls.check(first.proof_id)).ends_at != first.ends_at
    assert await desk.changes() == before + 1


async def test_a_proof_of_nobody_and_of_another_covers_nothing(desk: Desk) -> None:
    await desk.shown()
    assert [await desk.covers(controller) for controller in ("museum", "muse", "MUSEUM", "", None)] == [True, False, False, False, False]


async def test_what_was_revoked_is_never_shown_again_and_a_new_challenge_has_another_line(desk: Desk) -> None:
    first = await desk.shown()
    await desk.controls.revoke(first.proof_id)
    assert not await desk.covers()
    with pytest.raises(ApiError, match="revoked"):
        await desk.controls.check(first.proof_id)
    second = await desk.asked()
    assert (second.proof_id != first.proof_id, second.token != first.token) == (True, True)
    with pytest.raises(ApiError) as said:
        await desk.controls.check(second.proof_id)
    assert said.value.details == {"reason": "other_lines"}


async def test_a_silent_host_ends_nothing_and_a_host_that_denies_does(desk: Desk) -> None:
    first = await desk.shown()
    port = desk.site.port
    await desk.site.stop()
    with pytest.raises(ApiError) as said:
        await desk.controls.check(first.proof_id)
    assert (said.value.details, await desk.covers()) == ({"reason": "no_answer"}, True)
    await desk.site.start(port)
    desk.site.control_lines = []
    with pytest.raises(ApiError) as said:
        await desk.controls.check(first.proof_id)
    assert (said.value.details, said.value.code, await desk.covers()) == ({"reason": "no_file"}, "control_ended", False)
    assert "its line is another" in said.value.remedy
    assert first.token not in said.value.remedy


async def test_each_act_stands_in_the_receipt_log_and_names_neither_place_nor_controller(desk: Desk) -> None:
    first = await desk.shown()
    await desk.controls.revoke(first.proof_id)
    await desk.controls.revoke(first.proof_id)
    leaves = desk.leaves()
    assert [leaf["action"] for leaf in leaves] == ["control_shown", "control_revoked"]
    assert {leaf["reference"] for leaf in leaves} == {first.proof_id}
    assert not any(word in str(leaves) for word in ("museum", "127.0.0.1", first.token))
    again = await desk.shown()
    assert again.token != first.token
    assert desk.leaves()[2]["document_sha256"] != leaves[0]["document_sha256"]


async def test_the_file_is_read_at_the_root_and_nowhere_in_the_folder(desk: Desk) -> None:
    """Whoever may put a file into a folder, as a visitor of a wiki may, does not speak for it."""
    row = await desk.asked("/uploads/")
    desk.site.photos = {}
    with pytest.raises(ApiError):
        await desk.controls.check(row.proof_id)
    assert dict(desk.site.requests) == {CONTROL_FILE: 1}
