"""The registry publishes what allows more only under two signatures, whoever wrote the file; what allows less it takes as it is."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from assent.events.envelope import Event, decode, encode
from assent.events.grants import PolicyPublished
from assent.events.record import Record
from assent.events.topics import Topic, all_topics
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from assent.policies.approval import Approvals, Proposed
from assent.policies.signers import Signers, Vouches
from assent.receipts.checkpoint import CheckpointSigner
from assent.receipts.log import ReceiptLog
from assent.stream.event_log import EventLog, LogUnavailableError, TopicPartition
from assent.stream.local import SqliteEventLog
from assent.telemetry.meter import Metrics
from assent.testing.fake_clock import START, FakeClock
from services.registry.desk_table import newest_policy, used_signatures
from services.registry.policy_desk import PolicyDesk, PolicyVersionTakenError
from services.registry.policy_guard import PolicyGuard
from services.registry.publisher import LogAwayError, Publisher
from services.registry.receipt_desk import ReceiptDesk
from services.registry.store import RegistryStore
from services.registry.widening import PolicyBaseUnknownError, PolicyNotApprovedError, WideningRule
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped

PEOPLE = {name: Ed25519PrivateKey.generate() for name in ("anna", "ben", "eve", "mallory")}
SIGNERS = {name: PEOPLE[name].public_key().public_bytes_raw().hex() for name in ("anna", "ben")}
HERE = "deployment-1"
MET = ["key_rotation", "key_rotation"]
"""Two people who sign are written down the first time that they are met."""
FILED = {name: {"reference": "1", "filed_on": date(2026, 5, 1)} for name in ("cai_process", "cai_database", "privacy_impact_assessment")}


def policy(version: str, **entries: dict[str, Any]) -> Policy:
    return policy_with(**entries).model_copy(update={"version": version})


SHIPPED = shipped()
WIDE = policy("wide.1", US_TX={"with_grant": EVERY_OPERATION})
WIDER = policy("wider.1", US_TX={"with_grant": EVERY_OPERATION}, AU={"with_grant": ["collect"]})
NARROW = policy("narrow.1", CA_BC={"consent": {"expires_max_days": 100}})


def digest(of: Policy) -> str:
    return hashlib.sha256(of.canonical_json().encode()).hexdigest()


@dataclass(slots=True)
class Desk:
    """The desk over a real file, a real log and a real receipt log, with a clock that a test may set wrong."""

    desk: PolicyDesk
    store: RegistryStore
    log: EventLog
    receipts: ReceiptLog
    clock: FakeClock
    rule: WideningRule

    async def publish(self, what: Policy, approvals: Approvals | None = None) -> bool:
        self.desk._widening = replace(self.rule, approvals=approvals)
        return await self.desk.publish(what.canonical_json(), version=what.version)

    def signed(self, what: Policy, base: Policy, *names: str, ago: timedelta = timedelta(0)) -> Approvals:
        """What these people signed beside the file of a policy, seeing how it differs from another."""
        proposed = Proposed(what.version, digest(what), digest(base), HERE)
        return Approvals(
            version=proposed.version,
            policy_sha256=proposed.policy_sha256,
            base_sha256=proposed.base_sha256,
            deployment=HERE,
            signatures=tuple(proposed.signed(PEOPLE[name], at=self.clock.now() - ago) for name in names),
        )

    async def on_the_log(self) -> list[str]:
        """Versions in the order in which deciders read them."""
        found = []
        for partition, start in (await self.log.beginning_offsets([Topic.POLICIES.value])).items():
            for record in await self.log.read(partition, start, max_records=100):
                data = decode(record).data
                found += [data.version] if isinstance(data, PolicyPublished) else []
        return found

    def acts(self) -> list[str]:
        return [str(self.receipts.leaf(index)["action"]) for index in range(self.receipts.size)]


@asynccontextmanager
async def desk_in(folder: Path, on: EventLog | None = None) -> AsyncIterator[Desk]:
    """Over a log of its own where none is given."""
    clock = FakeClock()
    store, log = RegistryStore(folder / "registry"), on or SqliteEventLog(folder / "log.sqlite3", clock=clock)
    await log.start()
    await log.ensure_topics(all_topics())
    signer = CheckpointSigner("localhost/receipts", Ed25519PrivateKey.generate())
    receipts = ReceiptLog(folder / "receipts.sqlite3", signer)
    rule = WideningRule(
        signers=Signers(SIGNERS, {}), approvals=None, deployment=HERE, max_age=timedelta(days=30), shipped=SHIPPED.canonical_json()
    )
    desk = PolicyDesk(
        store=store,
        publisher=Publisher(log, signed=lambda record: record),
        receipts=ReceiptDesk(receipts, signer),
        clock=clock,
        signing_key=Ed25519PrivateKey.generate(),
        widening=rule,
    )
    try:
        yield Desk(desk, store, log, receipts, clock, rule)
    finally:
        await log.close()
        receipts.close()
        await store.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as desk:
        yield desk


async def test_the_shipped_policy_and_narrower_ones_need_nobody(house: Desk) -> None:
    assert await house.publish(SHIPPED)
    assert not await house.publish(SHIPPED)
    assert await house.publish(NARROW)
    assert house.acts() == [*MET, "policy_loaded", "policy_loaded"]


async def test_a_new_installation_does_not_begin_wider_than_the_shipped_policy(house: Desk) -> None:
    with pytest.raises(
        PolicyNotApprovedError, match=r"policy wide\.1 allows what the newest published one does not \(US-TX\).*there is none"
    ):
        await house.publish(WIDE)
    with pytest.raises(PolicyNotApprovedError, match="those of anna count"):
        await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "anna"))
    assert house.acts() == [*MET, "policy_rejected"]
    assert await house.store.read(newest_policy) is None
    assert await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "ben"))
    assert house.acts() == [*MET, "policy_rejected", "policy_loaded"]


async def test_a_widening_is_published_under_two_signatures_and_a_restart_needs_none(house: Desk) -> None:
    await house.publish(SHIPPED)
    assert await house.publish(WIDE, house.signed(WIDE, SHIPPED, "ben", "anna"))
    assert not await house.publish(WIDE)
    newest = await house.store.read(newest_policy)
    assert newest is not None
    assert (newest.version, newest.document) == ("wide.1", WIDE.canonical_json())
    assert len(await house.store.read(used_signatures)) == 2
    assert await house.on_the_log() == [SHIPPED.version, "wide.1"]


async def test_the_way_back_to_an_earlier_wider_policy_is_a_widening_too_and_takes_new_signatures(house: Desk) -> None:
    await house.publish(SHIPPED)
    approvals = house.signed(WIDE, SHIPPED, "anna", "ben")
    assert await house.publish(WIDE, approvals)
    assert await house.publish(SHIPPED)
    # The very file and its very approvals, against the very same policy as before.
    with pytest.raises(PolicyNotApprovedError, match="anna was used before, and counts once; that of ben was used before"):
        await house.publish(WIDE, approvals)
    house.clock.advance(601)
    assert await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "ben"))
    assert await house.on_the_log() == [SHIPPED.version, "wide.1", SHIPPED.version, "wide.1"]


async def test_a_spare_signature_by_a_clock_that_is_ahead_does_not_open_again_what_was_taken_back(house: Desk) -> None:
    """He signed twice, and she kept one of his back: with that she would open alone what two have closed."""
    await house.publish(SHIPPED)
    spare = house.signed(WIDE, SHIPPED, "ben", ago=timedelta(minutes=-9)).signatures
    assert await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "ben"))
    assert await house.publish(SHIPPED)
    for seconds in (60, 540, 60, 86_400):
        house.clock.advance(seconds)
        own = house.signed(WIDE, SHIPPED, "anna")
        with pytest.raises(
            PolicyNotApprovedError,
            match="that of ben is of 2026-06-01 12:09 UTC, and this very policy was published at 2026-06-01 12:00 UTC",
        ):
            await house.publish(WIDE, own.model_copy(update={"signatures": (*own.signatures, *spare)}))


async def test_an_approval_for_something_else_does_not_count(house: Desk) -> None:
    await house.publish(SHIPPED)
    with pytest.raises(PolicyNotApprovedError, match="the file was changed after it was signed"):
        await house.publish(WIDER, house.signed(WIDE, SHIPPED, "anna", "ben"))
    await house.publish(NARROW)
    with pytest.raises(PolicyNotApprovedError, match="look at the difference again"):
        await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "ben"))
    with pytest.raises(PolicyNotApprovedError, match="more than 30 days ago"):
        await house.publish(WIDE, house.signed(WIDE, NARROW, "anna", "ben", ago=timedelta(days=31)))
    assert await house.on_the_log() == [SHIPPED.version, "narrow.1"]


async def test_a_clock_that_is_wrong_lets_nothing_through(house: Desk) -> None:
    await house.publish(SHIPPED)
    approvals = house.signed(WIDE, SHIPPED, "anna", "ben")
    house.clock.set_wall(START - timedelta(days=1))
    with pytest.raises(PolicyNotApprovedError, match="set the clock before a wider one is published"):
        await house.publish(WIDE, approvals)
    # What allows less does not wait for a clock.
    assert await house.publish(NARROW)
    house.clock.set_wall(START + timedelta(days=400))
    with pytest.raises(PolicyNotApprovedError, match="more than 30 days ago"):
        await house.publish(WIDE, house.signed(WIDE, NARROW, "anna", "ben", ago=timedelta(days=400)))


async def test_what_opens_only_later_is_signed_when_it_is_published(house: Desk) -> None:
    later = policy("later.1", CA_QC={"filings": {name: {**paper, "filed_on": date(2027, 1, 1)} for name, paper in FILED.items()}})
    await house.publish(SHIPPED)
    with pytest.raises(PolicyNotApprovedError, match="CA-QC"):
        await house.publish(later)
    assert await house.publish(later, house.signed(later, SHIPPED, "anna", "ben"))


async def test_a_version_stands_for_one_policy_also_with_signatures(house: Desk) -> None:
    await house.publish(SHIPPED)
    other = WIDE.model_copy(update={"version": SHIPPED.version})
    with pytest.raises(PolicyVersionTakenError):
        await house.publish(other, house.signed(other, SHIPPED, "anna", "ben"))


async def test_a_folder_of_an_older_release_starts_once_as_it_is_before_anything_changes(house: Desk) -> None:
    """It knows the digest of what it published and not the text, so nobody could say whether a change is wider."""
    await house.publish(SHIPPED)
    await house.store.write(lambda database: database.execute("UPDATE policy_versions SET document = NULL").rowcount)
    with pytest.raises(PolicyBaseUnknownError, match="start this release once with that policy"):
        await house.publish(NARROW)
    assert not await house.publish(SHIPPED)
    assert await house.publish(NARROW)
    with pytest.raises(PolicyNotApprovedError):
        await house.publish(WIDE)


async def test_a_file_alone_makes_no_signer_once_two_are_known(house: Desk) -> None:
    """Whoever can write into the folder of the signers puts two keys of her own there."""
    await house.publish(SHIPPED)
    eve, mallory = PEOPLE["eve"], PEOPLE["mallory"]
    theirs = {name: key.public_key().public_bytes_raw().hex() for name, key in (("eve", eve), ("mallory", mallory))}
    for named in (SIGNERS | theirs, theirs):
        house.rule = replace(house.rule, signers=Signers(named, {}))
        with pytest.raises(PolicyNotApprovedError, match=r"those of nobody count.*two others have not vouched"):
            await house.publish(WIDE, house.signed(WIDE, SHIPPED, "eve", "mallory"))
    assert house.acts().count("key_rotation") == 2


async def test_a_newcomer_counts_when_two_signers_vouched_for_her_here(house: Desk) -> None:
    await house.publish(SHIPPED)
    key = PEOPLE["eve"].public_key().public_bytes_raw().hex()
    named = {"anna": SIGNERS["anna"], "ben": SIGNERS["ben"], "eve": key}
    at = house.clock.now()

    def words(*names: str, deployment: str = HERE, of: str = key) -> Signers:
        vouches = Vouches(public_key=of, deployment=deployment)
        for name in names:
            vouches = vouches.vouched(PEOPLE[name], at=at)
        return Signers(named, {key: vouches})

    for doubtful in (
        words("anna"),
        words("anna", "anna"),
        words("anna", "eve"),
        words("anna", "ben", deployment="other"),
        words("anna", "ben", of="0" * 64),
    ):
        house.rule = replace(house.rule, signers=doubtful)
        with pytest.raises(PolicyNotApprovedError, match="those of anna count"):
            await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "eve"))
    house.rule = replace(house.rule, signers=words("anna", "ben"))
    assert await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "eve"))
    # She is known now; whoever leaves counts no more, and needs no word of anybody to be gone.
    house.rule = replace(house.rule, signers=Signers({"anna": SIGNERS["anna"], "eve": key}, {}))
    with pytest.raises(PolicyNotApprovedError, match="those of anna count"):
        await house.publish(WIDER, house.signed(WIDER, WIDE, "anna", "ben"))
    house.clock.advance(60)
    assert await house.publish(WIDER, house.signed(WIDER, WIDE, "anna", "eve"))


async def test_nothing_moves_unknown_or_the_floor_even_with_signatures(house: Desk) -> None:
    """Two people cannot sign what cannot be written: there is no such policy to sign."""
    for change in ({"unknown": {"with_grant": ["collect"]}}, {"unknown": {"transient_match": "audited"}}):
        document = SHIPPED.model_dump(mode="json", by_alias=True)
        document["unknown"] |= change["unknown"]
        with pytest.raises(ValueError, match="unknown"):
            Policy.model_validate(document)
    loose = SHIPPED.model_dump(mode="json", by_alias=True)
    for entry in (*loose["jurisdictions"].values(), loose["unknown"]):
        entry["purposes"]["forbid"] = []
    found = Policy.model_validate(loose).rules_for(next(iter(SHIPPED.jurisdictions)))
    assert {"sale", "mass_identification"} <= found.purposes_forbid
    assert await house.publish(SHIPPED)


def guard_of(house: Desk, metrics: Metrics | None = None) -> PolicyGuard:
    key = house.desk._key.public_key()
    return PolicyGuard(log=house.log, store=house.store, desk=house.desk, public_key=key, metrics=metrics or Metrics(CollectorRegistry()))


async def forget_the_newest(house: Desk) -> None:
    """As if the registry's file had been brought back from a copy of before."""
    newest = "DELETE FROM policy_versions WHERE rowid = (SELECT MAX(rowid) FROM policy_versions)"
    await house.store.write(lambda database: database.execute(newest))


@pytest.mark.parametrize("is_replayed", [False, True], ids=["as it was", "the older one landed last"])
async def test_a_file_brought_back_from_a_copy_opens_nothing_again(house: Desk, is_replayed: bool) -> None:
    wide, texas = policy("wide.2", US_TX={"with_grant": EVERY_OPERATION}), Jurisdiction("US-TX")
    await house.publish(SHIPPED)
    await house.publish(wide, house.signed(wide, SHIPPED, "anna", "ben"))
    opened = (await house.log.read(TopicPartition(Topic.POLICIES.value, 0), 0, max_records=2))[-1]
    house.clock.advance(60)
    await house.publish(NARROW)
    await forget_the_newest(house)
    if is_replayed:
        await house.log.append([Record(opened.topic, opened.key, opened.value, opened.headers)])
    assert not await house.publish(wide), "by its own file it is the newest"
    metrics = Metrics(CollectorRegistry())
    guard = guard_of(house, metrics)
    for _ in range(3):
        await guard.look()
    newest = await house.store.read(newest_policy)
    assert newest is not None
    assert newest.document is not None
    assert not Policy.from_canonical_json(newest.document).rules_for(texas).opens
    assert (await house.on_the_log())[-1] == NARROW.version == newest.version
    assert metrics.registry.get_sample_value("assent_policy_file_refused") == 1.0
    with pytest.raises(PolicyNotApprovedError, match="US-TX"):
        await house.publish(wide)
    await guard.close()


async def test_a_file_that_lost_its_last_write_has_what_it_says_in_force(house: Desk) -> None:
    """The log took the policy and the registry stopped before it wrote that down; it is started with the narrower file of before."""
    wide = policy("wide.2", US_TX={"with_grant": EVERY_OPERATION})
    await house.publish(SHIPPED)
    await house.publish(wide, house.signed(wide, SHIPPED, "anna", "ben"))
    await forget_the_newest(house)
    assert not await house.publish(SHIPPED)
    metrics = Metrics(CollectorRegistry())
    guard = guard_of(house, metrics)
    assert await guard.look()
    assert not await guard.look()
    assert (await house.on_the_log())[-1] == SHIPPED.version
    assert metrics.registry.get_sample_value("assent_policy_file_refused") is None
    await guard.close()


async def test_a_policy_whose_time_nobody_signed_is_never_the_newest(house: Desk) -> None:
    """Releases before signed the digest alone: whoever puts such a record on the log again can write any time into it."""
    wide, key = policy("wide.2", US_TX={"with_grant": EVERY_OPERATION}), house.desk._key
    await house.publish(NARROW)
    undated = PolicyPublished(
        version=wide.version,
        document=wide.canonical_json(),
        sha256=digest(wide),
        signature=key.sign(digest(wide).encode()),
        key_id="k",
        published_at=house.clock.now() + timedelta(days=1),
    )
    await house.log.append([encode(Event("forged", "/assent/registry", undated.published_at, undated))])
    guard = guard_of(house)
    assert await guard.look()
    newest = await house.store.read(newest_policy)
    assert newest is not None
    assert (newest.version, await house.on_the_log()) == (NARROW.version, [NARROW.version, wide.version, NARROW.version])
    await guard.close()


async def test_an_older_policy_is_overtaken_again_also_where_the_log_was_away_at_first(
    house: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.publish(SHIPPED)
    (older,) = await house.log.read(TopicPartition(Topic.POLICIES.value, 0), 0, max_records=1)
    await house.publish(NARROW)
    await house.log.append([Record(older.topic, older.key, older.value, older.headers)])
    guard = guard_of(house)

    async def is_away(records: object) -> None:
        raise LogUnavailableError("the log is away")

    with monkeypatch.context() as patched:
        patched.setattr(house.log, "append", is_away)
        with pytest.raises(LogAwayError):
            await guard.look()
    assert (await house.on_the_log())[-1] == SHIPPED.version
    assert await guard.look()
    assert (await house.on_the_log())[-1] == NARROW.version
    assert not await guard.look()
    await guard.close()


@pytest.mark.parametrize("ends_between", [False, True], ids=["goes on", "is started anew"])
async def test_signatures_are_used_up_by_what_the_log_took_and_never_acknowledged(
    house: Desk, monkeypatch: pytest.MonkeyPatch, ends_between: bool
) -> None:
    """As when the process ends between the log and its own file: what it opened is closed again by one, and was not opened by one."""
    await house.publish(SHIPPED)
    house.clock.advance(60)
    both = house.signed(WIDE, SHIPPED, "anna", "ben")
    append = house.log.append

    async def unheard(records: list[Record]) -> None:
        await append(records)
        raise LogUnavailableError("away")

    house.clock.advance(60)
    with monkeypatch.context() as patched:
        patched.setattr(house.log, "append", unheard)
        with pytest.raises(LogAwayError):
            await house.publish(WIDE, both)
    guard = guard_of(house)
    if ends_between:
        house.desk._unheard = house.desk._written = None
    await guard.look()
    assert not await house.publish(WIDE, both), "it is the newest, and nobody has to sign it again"
    assert await house.publish(SHIPPED)
    assert await house.on_the_log() == [SHIPPED.version, WIDE.version, SHIPPED.version]
    assert len(await house.store.read(used_signatures)) == (0 if ends_between else 2)
    with pytest.raises(PolicyNotApprovedError, match="this very policy was published at" if ends_between else "was used before"):
        await house.publish(WIDE, both)
    house.clock.advance(601)
    assert await house.publish(WIDE, house.signed(WIDE, SHIPPED, "anna", "ben"))
    await guard.close()
