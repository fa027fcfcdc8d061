"""Commands on a grant before its end: ask, confirm, refuse, narrow, mark a face; only the subject's secret makes a yes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from uuid_utils.compat import uuid7

from assent.events.grants import AgeBand, BindingMode, FaceRegion, GrantState, Operation, Purpose
from assent.geofence.jurisdiction_rules import JurisdictionRules, RetentionRules
from assent.identity.errors import ApiError
from assent.ids import GrantId, Jurisdiction, SubjectId
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError
from assent.stream.clock import Clock
from services.registry.access import NOBODY, Asker, GrantAccess, refuse_further
from services.registry.controls import Controls
from services.registry.device_yes import DeviceYes, holds
from services.registry.given_grant import given_of, without_recipients
from services.registry.grant_parts import RecordedResidence, Subject
from services.registry.grant_record import Grant, snapshot, told_bytes
from services.registry.grant_request import GrantRequest, first_revision
from services.registry.grant_rules import Circumstances, LiveMember, Refusal, checked_sources, grant_refusals, joint_refusals
from services.registry.grant_table import (
    GrantRow,
    SubjectRow,
    add_revision,
    delete_idle_subject,
    forget_records,
    grant_row,
    insert_grant,
    insert_subject,
    last_revision,
    mark_published,
    reseal,
    revision_rows,
    subject_row,
)
from services.registry.grant_vault import UNREADABLE, GrantVault, RecordGoneError
from services.registry.openings import Openings, insert_opening
from services.registry.publisher import Offsets, Publisher, snapshot_event
from services.registry.receipt_desk import ReceiptDesk
from services.registry.refused import (
    GrantRefusedError,
    already_answered,
    bad_device_signature,
    conflict,
    grant_too_large,
    not_found,
    not_live,
    notice_mismatch,
)
from services.registry.secret_hashes import SecretHashes
from services.registry.secret_table import SecretKind, insert_secret, secret_hash, use_up
from services.registry.store import RegistryStore, RevisionConflictError

MAX_ASKED_BYTES = 800_000
MAX_TOLD_BYTES = 900_000
"""A record of the log holds 1 MB. What she adds herself has room above what was asked for, and the proofs of control of 500 sources
above both."""
_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Requested:
    """A grant that waits for its subject. The secret is shown to nobody again."""

    grant_id: GrantId
    revision: int
    one_time_secret: str
    notice_sha256: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A grant that was given, with the secret that uses and ends it, and where the log holds it. `left_out` are recipients that it does
    not name although they were asked for.
    """

    grant_id: GrantId
    revision: int
    grant_secret: str
    offsets: Offsets
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is taken away; nothing can be added by it."""

    purposes: frozenset[Purpose] = frozenset()
    operations: frozenset[Operation] = frozenset()
    sources: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    expires_at: datetime | None = None


class Grants:
    """Each command reads, decides, seals, writes and then publishes; what was written and not published is published later."""

    def __init__(
        self,
        *,
        store: RegistryStore,
        vault: GrantVault,
        access: GrantAccess,
        hashes: SecretHashes,
        openings: Openings,
        grant_keys: GrantKeyring,
        publisher: Publisher,
        receipts: ReceiptDesk,
        controls: Controls,
        clock: Clock,
        expires_max_days: Callable[[Jurisdiction], int],
        age_min: Callable[[Jurisdiction], int],
        rules: Callable[[Jurisdiction], JurisdictionRules],
        retention: Callable[[Jurisdiction], RetentionRules],
        accepts_fixtures: bool,
    ) -> None:
        self._store = store
        self._vault = vault
        self._access = access
        self._hashes = hashes
        self._openings = openings
        self._grant_keys = grant_keys
        self._publisher = publisher
        self._receipts = receipts
        self._controls = controls
        self._clock = clock
        self._expires_max_days = expires_max_days
        self._age_min = age_min
        self._rules = rules
        self._retention = retention
        self._accepts_fixtures = accepts_fixtures

    async def create_subject(self, age_band: AgeBand, residences: Sequence[Jurisdiction]) -> SubjectId:
        """A new pseudonym; no name is asked."""
        subject_id = SubjectId(str(uuid7()))
        row = SubjectRow(subject_id, age_band, tuple(dict.fromkeys(residences)))
        await self._store.write(lambda database: insert_subject(database, row, now=self._clock.now()))
        return subject_id

    async def request(self, request: GrantRequest, *, asked_by: str | None) -> Requested:
        """Write down what is asked for. Nothing of it leaves the registry before she says yes. Raises GrantRefusedError.

        `asked_by` is the organisation of a producer, None for an operator.
        """
        subject = await self._store.read(lambda database: subject_row(database, request.subject_id))
        if subject is None:
            raise not_found("subject")
        refusals = grant_refusals(request, await self._circumstances(request, subject))
        if refusals:
            raise GrantRefusedError(refusals)
        grant_id = GrantId(str(uuid7()))
        record = first_revision(
            request,
            grant_id=grant_id,
            subject=Subject(
                subject_id=subject.subject_id,
                age_band=subject.age_band,
                birth_year=request.birth_year,
                guardian=request.guardian,
            ),
            residence=tuple(RecordedResidence(jurisdiction=place) for place in subject.residences),
            sources=checked_sources(request, grant_id),
            asked_by=asked_by,
            now=self._clock.now(),
        )
        if told_bytes(record) > MAX_ASKED_BYTES:
            raise grant_too_large()
        secret = self._hashes.new_secret()
        await self._insert(record, secret)
        return Requested(grant_id, record.revision, secret, record.notice.sha256)

    async def confirm(
        self,
        grant_id: GrantId,
        *,
        one_time_secret: str,
        notice_sha256: str,
        device: DeviceYes | None = None,
        asks_for_privacy: bool = False,
        asker: Asker = NOBODY,
    ) -> Confirmed:
        """Her yes. Repeating it after an outage of the log goes on where it stopped; after it succeeded it is refused.

        Her first needs the one-time secret alone; to each further one `asker` shows that it is she. `device` is what her browser signed
        beside it, which is written down. Where her browser `asks_for_privacy` the grant is given without the recipients asked for.
        """
        row, is_used = await self._access.with_secret(grant_id, one_time_secret, SecretKind.ONE_TIME)
        if is_used:
            raise already_answered()
        if row.state is not GrantState.REQUESTED and not row.is_live:
            raise not_live(row.state.value)
        is_she = await self._access.refuse_another(row, asker)
        record = await self.record(grant_id)
        if notice_sha256 != record.notice.sha256:
            raise notice_mismatch()
        if device is not None and not holds(device, grant_id, notice_sha256):
            raise bad_device_signature()
        await self._grant_keys.create(grant_id)
        agreed = without_recipients(record) if asks_for_privacy else record
        if row.state is GrantState.REQUESTED:
            record = await self._give(row, agreed, record, device, is_she=is_she)
        elif agreed is not record:
            # Her yes was written down before an outage, without the signal; she holds no secret of it yet to narrow it with.
            await self._receipts.grant_event(record)
            left = {"recipients": agreed.recipients, "purposes": agreed.purposes, "recipients_left_out": agreed.recipients_left_out}
            record = await self._revised(record, left)
        offsets = await self._publish(record)
        secret = self._hashes.new_secret()
        digest = self._hashes.hash(secret, kind=SecretKind.GRANT.value, owner=grant_id)
        opening = self._openings.seal(grant_id, secret, record.salt)

        def hand_over(database: sqlite3.Connection) -> None:
            # Two answers at once: one secret is handed out, not a second one that would neither sign her in nor end the grant.
            _, is_taken = secret_hash(database, grant_id, SecretKind.ONE_TIME)
            if is_taken:
                raise already_answered()
            use_up(database, grant_id, SecretKind.ONE_TIME, now=self._clock.now())
            insert_secret(database, digest, grant_id, SecretKind.GRANT)
            insert_opening(database, grant_id, opening)

        await self._store.write(hand_over)
        return Confirmed(grant_id, record.revision, secret, offsets, record.recipients_left_out)

    async def refuse(self, grant_id: GrantId, *, one_time_secret: str) -> bool:
        """Her no. What was asked for is deleted; only identifiers, digests and times stay.

        False where a yes of hers was written down and no secret handed out for it: that grant has to be ended instead.
        """
        row, is_used = await self._access.with_secret(grant_id, one_time_secret, SecretKind.ONE_TIME)
        if not is_used and row.is_live:
            return False
        if is_used or row.state is not GrantState.REQUESTED:
            raise already_answered()
        await self.drop_request(row, GrantState.REFUSED)
        return True

    async def drop_request(self, row: GrantRow, state: GrantState) -> None:
        """End a grant that was never given: nothing of it is on the log, so nothing is appended."""
        last = await self._store.read(lambda database: last_revision(database, row.grant_id))
        assert last is not None
        now = self._clock.now()
        digest = hashlib.sha256(f"{last.sha256}{state.value}".encode()).hexdigest()
        ended = type(last)(row.grant_id, row.revision + 1, state, now, digest, last.sha256, self._vault.sign(digest), sealed=None)

        def drop(database: sqlite3.Connection) -> None:
            add_revision(database, ended, expires_at=row.expires_at)
            forget_records(database, row.grant_id)
            use_up(database, row.grant_id, SecretKind.ONE_TIME, now=now)
            delete_idle_subject(database, row.subject_id)

        await self._changed(drop)
        await self._store.scrub()

    async def narrow(self, grant_id: GrantId, narrowing: Narrowing, *, expected_revision: int) -> tuple[Grant, Offsets]:
        """Take something away from a live grant."""
        record = await self.live(grant_id, expected_revision)
        end = record.validity.expires_at
        if narrowing.expires_at is not None and narrowing.expires_at > end:
            raise ApiError(422, "QC-7", "A grant can be shortened so, not prolonged.", "Renew it.")
        if narrowing.expires_at is not None and narrowing.expires_at <= self._clock.now():
            raise ApiError(422, "nothing_left", "The grant would have ended by now.", "Withdraw it instead.")
        if not narrowing.sources <= {item.value for item in record.sources}:
            # A folder within hers, or another spelling: an answer of 200 would let her think that it is out.
            raise ApiError(422, "source_not_named", "The grant names no such source.", "Send sources as the grant shows them.")
        changes = {
            "purposes": tuple(item for item in record.purposes if item.code not in narrowing.purposes),
            "operations": tuple(item for item in record.operations if item not in narrowing.operations),
            "sources": tuple(item for item in record.sources if item.value not in narrowing.sources),
            "recipients": tuple(item for item in record.recipients if item.id not in narrowing.recipients),
            "validity": record.validity.model_copy(update={"expires_at": narrowing.expires_at or end}),
        }
        if not (changes["purposes"] and changes["operations"] and changes["sources"]):
            raise ApiError(422, "nothing_left", "Nothing would be left of the grant.", "Withdraw it instead.")
        return await self.revise(record, changes)

    async def add_region(self, grant_id: GrantId, region: FaceRegion, *, expected_revision: int | None = None) -> tuple[Grant, Offsets]:
        """She marked her face in one image. A region that is there already changes nothing."""
        record = await self.live(grant_id, expected_revision)
        if not region.box.is_inside_image:
            raise ApiError(422, "region_not_found", "The box reaches beyond the image.", "Send it relative to the image, 0 to 1.")
        if region in record.face_binding.regions:
            return record, {}
        if record.face_binding.mode is BindingMode.JOINT:
            raise ApiError(422, "X-3", "A joint grant covers everyone in the photo.", "Mark faces under single grants.")
        binding = record.face_binding.model_copy(update={"regions": (*record.face_binding.regions, region)})
        return await self.revise(record, {"face_binding": binding})

    async def row(self, grant_id: GrantId) -> GrantRow | None:
        """The row of a grant, or None."""
        return await self._store.read(lambda database: grant_row(database, grant_id))

    async def record(self, grant_id: GrantId) -> Grant:
        """The newest record. Raises ApiError 404, or RecordGoneError once it was erased."""
        last = await self._store.read(lambda database: last_revision(database, grant_id))
        if last is None:
            raise not_found("grant")
        return await self._vault.open(last)

    async def readable(self, grant_id: GrantId) -> Grant | None:
        """The newest record, or None once it was erased and where it cannot be read: its end needs none. Raises ApiError 404."""
        try:
            return await self.record(grant_id)
        except (RecordGoneError, KeyDestroyedError):
            return None
        except UNREADABLE as error:
            _LOG.error("record_unreadable", grant_id=grant_id, error=type(error).__name__)
            return None

    async def history(self, grant_id: GrantId) -> list[dict[str, object]]:
        """Every revision with its state, time and digests."""
        rows = await self._store.read(lambda database: revision_rows(database, grant_id))
        return [
            {
                "revision": row.revision,
                "state": row.state.value,
                "changed_at": row.changed_at.isoformat(),
                "sha256": row.sha256,
                "prev_hash": row.prev_hash,
            }
            for row in rows
        ]

    async def _circumstances(self, request: GrantRequest, subject: SubjectRow) -> Circumstances:
        return Circumstances(
            age_band=subject.age_band,
            residences=subject.residences,
            now=self._clock.now(),
            accepts_fixtures=self._accepts_fixtures,
            expires_max_days=self._expires_max_days,
            age_min=self._age_min,
            rules=self._rules,
            retention=self._retention,
            members=await self._live_members(request.face_binding.member_grants),
        )

    async def _live_members(self, members: Sequence[GrantId]) -> dict[GrantId, LiveMember]:
        rows = [await self.row(member) for member in members]
        now = self._clock.now()
        return {
            row.grant_id: LiveMember(row.subject_id, row.mode) for row in rows if row is not None and row.is_live and row.expires_at > now
        }

    async def _insert(self, record: Grant, secret: str) -> None:
        sealed = await self._vault.row(record)
        row = GrantRow(
            grant_id=record.grant_id,
            subject_id=record.subject.subject_id,
            revision=record.revision,
            state=record.state,
            mode=record.face_binding.mode,
            expires_at=record.validity.expires_at,
            changed_at=record.changed_at,
            published_revision=0,
            ended_wire=None,
        )
        digest = self._hashes.hash(secret, kind=SecretKind.ONE_TIME.value, owner=record.grant_id)

        def insert(database: sqlite3.Connection) -> None:
            insert_grant(database, row, sealed, record.face_binding.member_grants)
            insert_secret(database, digest, record.grant_id, SecretKind.ONE_TIME)

        await self._store.write(insert)

    async def _give(self, row: GrantRow, agreed: Grant, requested: Grant, device: DeviceYes | None, *, is_she: bool) -> Grant:
        """The second revision, given; the request is sealed again under the grant's new key. `agreed` may be less than was requested."""
        now = self._clock.now()
        if now >= row.expires_at:
            raise not_live(GrantState.EXPIRED.value)
        await self.refuse_ended_members(requested)
        given = given_of(agreed, requested, await self._controls.on(agreed.sources, agreed.source_controller), device, now)
        sealed = await self._vault.row(given)
        first = await self._store.read(lambda database: last_revision(database, row.grant_id))
        assert first is not None
        resealed = await self._vault.resealed(first)

        def give(database: sqlite3.Connection) -> None:
            refuse_further(database, row, is_she=is_she)
            add_revision(database, sealed, expires_at=row.expires_at)
            reseal(database, row.grant_id, requested.revision, resealed)

        await self._changed(give)
        return given

    async def refuse_ended_members(self, record: Grant) -> None:
        """Raises GrantRefusedError for a joint grant of which a member has ended."""
        if record.face_binding.mode is not BindingMode.JOINT:
            return
        members = record.face_binding.member_grants
        ended: list[Refusal] = list(joint_refusals(record.subject.subject_id, members, await self._live_members(members)))
        if ended:
            raise GrantRefusedError(ended)

    async def live(self, grant_id: GrantId, expected_revision: int | None = None) -> Grant:
        """The newest record of a live grant. Raises ApiError 404 or 409."""
        row = await self.row(grant_id)
        if row is None:
            raise not_found("grant")
        if not row.is_live or row.expires_at <= self._clock.now():
            raise not_live(row.state.value)
        if expected_revision is not None and expected_revision != row.revision:
            raise conflict()
        return await self.record(grant_id)

    async def revise(self, record: Grant, changes: dict[str, Any], *, is_hers: bool = True) -> tuple[Grant, Offsets]:
        """The next revision of a live grant, written and published. `is_hers` when she asked for it: then she was heard of (IL-1)."""
        following = await self._revised(record, changes, is_hers=is_hers)
        return following, await self._publish(following)

    async def _revised(self, record: Grant, changes: dict[str, Any], *, is_hers: bool = True) -> Grant:
        """The same, written and not yet published."""
        now = self._clock.now()
        following = Grant.model_validate(
            record.model_dump()
            | {name: _dumped(value) for name, value in changes.items()}
            | {
                "revision": record.revision + 1,
                "prev_hash": record.digest(),
                "changed_at": now,
                "last_interaction_at": now if is_hers else record.last_interaction_at,
            }
        )
        if is_hers and told_bytes(following) > max(MAX_TOLD_BYTES, told_bytes(record)):
            raise grant_too_large()
        sealed = await self._vault.row(following)
        await self._changed(lambda database: add_revision(database, sealed, expires_at=following.validity.expires_at))
        return following

    async def _changed(self, change: Callable[[sqlite3.Connection], None]) -> None:
        try:
            await self._store.write(change)
        except RevisionConflictError as error:
            raise conflict() from error

    async def _publish(self, record: Grant) -> Offsets:
        offsets = await self._publisher.publish([snapshot_event(snapshot(record), time=record.changed_at)])
        await self._store.write(lambda database: mark_published(database, record.grant_id, record.revision))
        await self._receipts.grant_event(record)
        return offsets


def _dumped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_dumped(item) for item in value)
    return value.model_dump() if hasattr(value, "model_dump") else value
