"""Grants, ends and erasures that the registry did not write: none opens anything, none destroys what is under a live grant."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from uuid_utils.compat import uuid7

from assent.consent.ledger import Standing
from assent.events.envelope import Event, encode
from assent.events.erasures import ErasureCause, ErasureLevel, ErasureProgressed, ErasureRequested
from assent.events.grants import GrantSnapshot, GrantWithdrawn, SourceKindRule, SourceRule
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import ErasureId, FaceId, GrantId
from assent.intake.registry_signature import is_registrys_word, signed_by_registry
from assent.intake.signature import sign_record
from assent.intake.stage_signatures import StageSignatures
from assent.keys.signing_keys import SigningKeys
from services.indexer.sweeper import Sweeper
from services.indexer.unwanted_faces import UnwantedFaces
from tests.flow.attack_house import STRANGER, Field, Victim

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
Signing = Callable[[Field, Record], Record]


def written(data: EventPayload) -> Record:
    return encode(Event(os.urandom(16).hex(), "/assent/registry", datetime.now(UTC), data))


def registry_key(field_of: Field) -> Ed25519PrivateKey:
    """Lent to the tests, so that they can sign what the registry would not."""
    return SigningKeys.load(field_of.data / "keys").grant


def for_withdrawals(field_of: Field, record: Record) -> Record:
    signed = sign_record(replace(record, topic=Topic.WITHDRAWALS.value), registry_key(field_of), names_topic=True)
    return replace(signed, topic=record.topic)


SIGNINGS: dict[str, Signing] = {
    "unsigned": lambda where, record: record,
    "a stage's key": lambda where, record: replace(
        StageSignatures(where.shared.keys).signed(replace(record, topic=Topic.IMAGES_CLEARED.value), "consent"), topic=record.topic
    ),
    "another registry's key": lambda where, record: signed_by_registry(record, Ed25519PrivateKey.generate()),
    "the key of the policy": lambda where, record: signed_by_registry(record, SigningKeys.load(where.data / "keys").policy),
    "for another topic": for_withdrawals,
    "as a producer signs": lambda where, record: sign_record(record, registry_key(where)),
}


def snapshot_of(field_of: Field, victim: Victim) -> GrantSnapshot:
    snapshot = field_of.shared.tables.ledger.grant(victim.grant_id)
    assert snapshot is not None
    return snapshot


async def forged_folder(field_of: Field, victim: Victim) -> tuple[GrantSnapshot, str]:
    """A grant that nobody gave, over a folder with a stranger's picture; everything but a signature is as it should be."""
    grant_id = GrantId(str(uuid7()))
    folder = f"/forged-{grant_id}/"
    field_of.site.page(folder, '<img src="1.jpg">')
    field_of.site.picture(f"{folder}1.jpg", STRANGER)
    value, until = f"{field_of.site.origin}{folder}", datetime.now(UTC) + timedelta(days=1)
    source = SourceRule(kind=SourceKindRule.URL_PREFIX, value=value, only_me=True, control_until=until)
    await field_of.shared.grant_keys.create(grant_id)
    return snapshot_of(field_of, victim).model_copy(update={"grant_id": grant_id, "sources": (source,)}), folder


async def test_the_forgers_grant_lacks_nothing_but_the_registrys_signature(field_of: Field) -> None:
    """The control: signed with the registry's own key, the same record opens what it names."""
    forged, _ = await forged_folder(field_of, await field_of.victim())
    await field_of.put(signed_by_registry(written(forged), registry_key(field_of)))
    await field_of.house.crawl()
    assert len(await field_of.held(forged.grant_id)) == 1


@pytest.mark.parametrize("name", SIGNINGS)
async def test_a_grant_that_the_registry_did_not_sign_opens_nothing(field_of: Field, name: str) -> None:
    forged, folder = await forged_folder(field_of, await field_of.victim())
    before = field_of.unreadable(Topic.GRANTS)
    await field_of.put(SIGNINGS[name](field_of, written(forged)))
    await field_of.house.crawl()
    assert not [path for path in field_of.site.requests if folder in path], "not even asked for"
    assert await field_of.held(forged.grant_id) == []
    await until(counted(field_of, Topic.GRANTS, before + 1))


async def test_a_genuine_grant_of_hers_opens_nothing_under_another_key_or_on_another_topic(field_of: Field) -> None:
    victim, nobody = await field_of.victim(), GrantId(str(uuid7()))
    (genuine,) = await of_grant(field_of, victim.grant_id)
    record = Record(genuine.topic, genuine.key, genuine.value, genuine.headers)
    await field_of.put(
        replace(record, key=nobody.encode()),
        replace(record, topic=Topic.ERASURES_REQUESTED.value),
        replace(record, topic=Topic.SUPPRESSIONS.value),
    )
    ledger, now = field_of.shared.tables.ledger, field_of.shared.clock.now()
    assert (ledger.standing(nobody, now), ledger.grant(nobody)) == (Standing.DENIED, None)
    assert ledger.standing(victim.grant_id, now) is Standing.LIVE


async def test_an_older_genuine_revision_put_on_the_log_again_widens_nothing(field_of: Field) -> None:
    victim = await field_of.victim()
    (wide,) = await of_grant(field_of, victim.grant_id)
    narrowing = {"grant_secret": victim.secret, "expected_revision": 2, "purposes": ["verify"]}
    assert (await field_of.ask("POST", f"/v1/grants/{victim.grant_id}/narrow", json=narrowing))[0] == 200
    await field_of.put(Record(wide.topic, wide.key, wide.value, wide.headers))
    held = field_of.shared.tables.ledger.live(victim.grant_id, field_of.shared.clock.now())
    assert held is not None
    assert (held.revision, "verify" in held.purposes) == (3, False)


async def test_a_forged_revision_closes_her_grant_keeps_her_vectors_and_is_put_right_on_the_log(field_of: Field) -> None:
    victim, face_id = await field_of.pictured()
    wider = snapshot_of(field_of, victim).model_copy(update={"revision": 9, "recipients": ("agency",)})
    await field_of.put(written(wider))
    shared = field_of.shared
    assert shared.tables.ledger.standing(victim.grant_id, shared.clock.now()) is Standing.DENIED
    assert (await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=await victim.person.token()))[0] == 404
    swept = await Sweeper(
        store=shared.vectors,
        tables=shared.tables,
        gate=shared.gate,
        unwanted=UnwantedFaces(store=shared.vectors, derivatives=shared.derivatives),
        clock=shared.clock,
        erase_grace_s=0.0,
        catch_up_timeout_s=10.0,
    ).sweep()
    assert (swept.overdue, swept.doubted) == (0, 1)
    assert await field_of.held(victim.grant_id) == [face_id]

    async def is_put_right() -> bool:
        return is_registrys_word((await of_grant(field_of, victim.grant_id))[-1], shared.keys.public.grant)

    await until(is_put_right)
    await victim.person.withdraw(victim.person.held()[0])
    await field_of.house.erased(victim.grant_id)


async def test_a_withdrawal_that_anybody_wrote_closes_and_is_told_apart(field_of: Field) -> None:
    victim, face_id = await field_of.pictured()
    before = field_of.unreadable(Topic.WITHDRAWALS)
    await field_of.append(GrantWithdrawn(grant_id=victim.grant_id, withdrawn_at=datetime.now(UTC)))
    assert (await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=await victim.person.token()))[0] == 404
    await until(counted(field_of, Topic.WITHDRAWALS, before + 1))


@pytest.mark.parametrize("name", SIGNINGS)
async def test_an_erasure_that_the_registry_did_not_ask_for_destroys_nothing(field_of: Field, name: str) -> None:
    victim, face_id = await field_of.pictured()
    before = field_of.unreadable(Topic.ERASURES_REQUESTED)
    await field_of.put(SIGNINGS[name](field_of, written(asked_for(victim.grant_id))))
    # An erasure that is asked for later has gone through, so the eraser has had its turn at the forged one.
    (other, _), token = await field_of.pictured(), await victim.person.token()
    await other.person.withdraw(other.person.held()[0])
    await field_of.house.erased(other.grant_id)
    assert await field_of.held(victim.grant_id) == [face_id]
    assert (await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=token))[0] == 200
    await until(counted(field_of, Topic.ERASURES_REQUESTED, before + 1))


async def test_a_forged_report_neither_ends_an_erasure_nor_names_what_is_deleted(field_of: Field) -> None:
    """A report is told ahead for an erasure whose id the forger reads on the log: nothing of it may be believed."""
    (leaving, face_id), (staying, kept) = await field_of.pictured(), await field_of.pictured()
    erasure = await leaving.person.withdraw(leaving.person.held()[0])
    facts: dict[str, Any] = {"erasure_id": ErasureId(erasure), "grant_id": leaving.grant_id, "method": "m", "reached_at": datetime.now(UTC)}
    told = [
        ErasureProgressed(**facts, store=store, level=level, count_before=7, count_after=0, face_ids=(FaceId(kept),))
        for store in ("vectors", "derivatives")
        for level in ErasureLevel
    ]
    await field_of.append(*told)
    await field_of.house.erased(leaving.grant_id)
    status: dict[str, Any] = {}

    async def is_proven() -> bool:
        status.update((await field_of.ask("GET", f"/v1/erasures/{erasure}"))[1])
        return bool(status["status"] == "physically_erased")

    await until(is_proven)
    assert face_id not in await field_of.held(leaving.grant_id)
    assert await field_of.held(staying.grant_id) == [kept]
    assert {row["count_before"] for row in status["progress"] if row["store"] in ("vectors", "derivatives")} == {1}
    assert "bad_signature" in await field_of.dead(Topic.ERASURES_PROGRESSED)


def asked_for(grant_id: GrantId) -> ErasureRequested:
    erasure_id = ErasureId(str(uuid7()))
    return ErasureRequested(erasure_id=erasure_id, grant_id=grant_id, cause=ErasureCause.ORDER, requested_at=datetime.now(UTC))


async def of_grant(field_of: Field, grant_id: GrantId) -> list[StoredRecord]:
    """The records of one grant, in the order of the log."""
    return [record for record in await field_of.records(Topic.GRANTS.value) if record.key == grant_id.encode()]


def counted(field_of: Field, topic: Topic, number: float) -> Callable[[], Awaitable[bool]]:
    async def is_counted() -> bool:
        return field_of.unreadable(topic) == number

    return is_counted


async def until(condition: Callable[[], Awaitable[bool]], *, timeout_s: float = 30.0) -> None:
    """Wait for a condition by looking again. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not await condition():  # noqa: ASYNC110  what is waited for says nothing when it happens
            await asyncio.sleep(0.05)
