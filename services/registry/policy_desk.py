"""Publishes the signed policy document when its version is new, without what was stopped; never two under one version, never a wider one
that two did not sign.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.deployment.start_errors import StartError
from assent.events.grants import PolicyPublished
from assent.geofence.policy import Policy
from assent.identity.errors import ApiError
from assent.policies.approval import Approval
from assent.policies.stopping import stopped
from assent.receipts.checkpoint import public_key_id
from assent.receipts.leaves import Control
from assent.stream.clock import Clock
from services.registry.desk_table import (
    PolicyRow,
    insert_policy,
    insert_signers,
    keep_document,
    known_signers,
    last_published,
    latest_publication,
    newest_policy,
    policy_digest,
    used_signatures,
)
from services.registry.publisher import LogAwayError, Publisher, registry_event
from services.registry.receipt_desk import ReceiptDesk
from services.registry.stop_table import StopRow, end_stops, live_stops, set_published
from services.registry.store import RegistryStore
from services.registry.widening import PolicyBaseUnknownError, PolicyNotApprovedError, WideningRule


class PolicyVersionTakenError(StartError):
    """Raised when a changed policy document still has the version of one that was published: give it a new version."""


class StopComesFirstError(LogAwayError):
    """Raised when a stop came in while a policy file was compared with the newest policy: the file is judged again after it."""

    def __init__(self) -> None:
        ApiError.__init__(self, 503, "stop_comes_first", "A stop came in while the policy file was judged.", "Try again in a moment.")


@dataclass(frozen=True, slots=True)
class _Written:
    """A canonical document with its version."""

    document: str
    version: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.document.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Unheard:
    """A publication that the log has not acknowledged: it may be there all the same, and what approved it is used up then."""

    sha256: str
    written: _Written
    widening: WideningRule
    approvals: tuple[Approval, ...]
    ended: Sequence[int]


class PolicyDesk:
    """Signs the SHA-256 of the canonical document, filings included, with the time, and puts it on the log."""

    def __init__(
        self,
        *,
        store: RegistryStore,
        publisher: Publisher,
        receipts: ReceiptDesk,
        clock: Clock,
        signing_key: Ed25519PrivateKey,
        widening: WideningRule,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._receipts = receipts
        self._clock = clock
        self._key = signing_key
        self._widening = widening
        self._written: _Written | None = None
        self._unheard: _Unheard | None = None
        self._gives_way = False
        self._judging: asyncio.Future[tuple[Approval, ...]] | None = None
        # A stop comes in over HTTP while a round looks whether an older policy landed after the newest.
        self._publishing = asyncio.Lock()

    async def publish(self, document: str, *, version: str, widening: WideningRule | None = None) -> bool:
        """Publish the canonical JSON `document`, with what was stopped left out of it, unless it is the newest already; whether it was
        published now. `widening` is the rule that was read with it; the one before when there is none.

        Two people who signed exactly this document, seeing what it opens, end the stops that it opens. Raises PolicyVersionTakenError,
        PolicyNotApprovedError, PolicyBaseUnknownError, StopError: then nothing changes, and stops go over what they went over before. A
        stop does not wait until a long file was compared: then StopComesFirstError.
        """
        async with self._publishing:
            before = self._written, self._widening
            written = _Written(document, version)
            self._written, self._widening, self._gives_way = written, widening or self._widening, True
            try:
                return await self._publish_with_stops(written)
            except BaseException:
                self._written, self._widening = before
                raise
            finally:
                self._gives_way = False

    async def publish_stops(self) -> PolicyRow:
        """Publish what is written down of stops, over the document that was published last from a file, never one that was refused.
        Raises LogAwayError.
        """
        if self._judging is not None:
            self._judging.cancel()
        async with self._publishing:
            if self._written is not None:
                await self._publish_with_stops(self._written)
            newest = await self._store.read(newest_policy)
        if newest is None:
            raise LogAwayError
        return newest

    async def publish_again(self) -> bool:
        """Put the newest on the log once more, under a new time; False before it was published at all."""
        async with self._publishing:
            newest = await self._store.read(newest_policy)
            if newest is None or newest.document is None:
                return False
            row = await self._publish(newest.document, version=newest.version, sha256=newest.sha256)
            await self._store.write(lambda database: insert_policy(database, row))
            return True

    async def meet(self, newer: PolicyPublished) -> bool:
        """Take one of ours that is on the log and not in the file of the registry for the newest; whether what the registry was started
        with was published over it. Raises PolicyNotApprovedError where that would be wider, and PolicyVersionTakenError: then stops go
        over the newest, for an order must not wait for the file.
        """
        async with self._publishing:
            row, unheard = PolicyRow(newer.version, newer.sha256, newer.published_at, newer.document), self._unheard
            if unheard is not None and unheard.sha256 == newer.sha256:
                await self._keep(row, unheard.approvals, unheard.ended)
                self._written, self._widening = unheard.written, unheard.widening
                return False
            await self._store.write(lambda database: insert_policy(database, row))
            if self._written is None:
                return False
            try:
                return await self._publish_with_stops(self._written)
            except (PolicyNotApprovedError, PolicyVersionTakenError):
                self._written = _Written(newer.document, newer.version)
                raise

    async def _publish_with_stops(self, written: _Written) -> bool:
        signers = await self._met_signers()
        newest = await self._store.read(newest_policy)
        stops = await self._store.read(live_stops)
        policy = Policy.from_canonical_json(written.document)
        held = _with_stops(written, policy, stops)
        opened = [row for row in stops if row.stop.stops(policy)]
        approvals = await self._ending(written, newest, signers, opened) if opened else ()
        if approvals:
            held, ended = written, [row.number for row in opened]
        else:
            ended = []
        if newest is not None and (newest.version, newest.sha256) == (held.version, held.sha256):
            if newest.document is None:
                await self._store.write(lambda database: keep_document(database, held.sha256, held.document))
            await self._settle(stops)
            return False
        earlier = await self._store.read(lambda database: policy_digest(database, held.version))
        if earlier not in (None, held.sha256):
            raise PolicyVersionTakenError(
                f"policy version {held.version} was published with other contents; change the version in the policy file"
            )
        approvals = approvals or await self._approvals(held, written, newest, signers, stops)
        self._unheard = _Unheard(held.sha256, written, self._widening, approvals, ended)
        row = await self._publish(held.document, version=held.version, sha256=held.sha256)
        await self._keep(row, approvals, ended)
        await self._settle(stops)
        return True

    async def _settle(self, stops: Sequence[StopRow]) -> None:
        """These are on the log, and stand in the receipt log."""
        now = self._clock.now()
        new = [row for row in stops if row.published_at is None]
        for row in new:
            leaf = Control(action="kill_switch", reference=f"stop.{row.number}", happened_at=now)
            await self._receipts.control(leaf, once=f"policy stop/{row.number}")
        if new:
            await self._store.write(lambda database: set_published(database, [row.number for row in new], now=now))

    async def _ending(
        self, written: _Written, newest: PolicyRow | None, signers: Mapping[str, str], opened: Sequence[StopRow]
    ) -> tuple[Approval, ...]:
        """The approvals under which the document goes out as it is, and what it opens is stopped no more; none where it stays stopped.

        A stop of what was closed anyhow changes no policy, and one that the log has not taken stands in none: so it is the time of each
        signature that says whether that person could have seen the order.
        """
        try:
            approvals = await self._checked(written, newest, signers, now=self._clock.now())
        except (PolicyNotApprovedError, PolicyBaseUnknownError):
            return ()
        return approvals if _saw(approvals, opened) else ()

    async def _checked(
        self, written: _Written, newest: PolicyRow | None, signers: Mapping[str, str], *, now: datetime
    ) -> tuple[Approval, ...]:
        # When it was published counts also where the file does not hold what approved it, as after an end between the log and the file.
        since = await self._store.read(lambda database: last_published(database, written.sha256))
        check = functools.partial(
            self._widening.check,
            written.document,
            version=written.version,
            sha256=written.sha256,
            newest=newest,
            signers=signers,
            used=await self._store.read(used_signatures),
            since=since,
            now=now,
        )
        judging = asyncio.ensure_future(asyncio.to_thread(check))
        self._judging = judging if self._gives_way else None
        try:
            await asyncio.wait([judging])
        finally:
            # Where this task was cancelled nobody asks for the result any more.
            judging.cancel()
            self._judging = None
        if judging.cancelled():
            raise StopComesFirstError
        return judging.result()

    async def _publish(self, document: str, *, version: str, sha256: str) -> PolicyRow:
        """As it is on the log: later than any before, whatever the clock says, for readers keep the newest."""
        earlier = await self._store.read(latest_publication)
        now = self._clock.now()
        if earlier is not None:
            now = max(now, earlier + timedelta(microseconds=1))
        unsigned = PolicyPublished(
            version=version,
            document=document,
            sha256=sha256,
            signature=b"",
            key_id=public_key_id(self._key.public_key()),
            published_at=now,
        )
        published = unsigned.model_copy(update={"signature": self._key.sign(unsigned.signed_bytes())})
        await self._publisher.publish([registry_event(published, version, sha256, now.isoformat(), time=now)])
        return PolicyRow(version, sha256, now, document)

    async def _keep(self, row: PolicyRow, approvals: tuple[Approval, ...], ended: Sequence[int]) -> None:
        """It is on the log, what approved it is used up, and two people ended the stops `ended` by it."""

        def written(database: sqlite3.Connection) -> None:
            insert_policy(database, row, approvals)
            end_stops(database, ended, now=row.published_at)

        await self._store.write(written)
        self._unheard = None
        leaf = Control(action="policy_loaded", reference=row.sha256[:16], document_sha256=row.sha256, happened_at=row.published_at)
        await self._receipts.control(leaf, once=f"policy/{row.sha256}/{row.published_at.isoformat()}")

    async def _approvals(
        self, held: _Written, written: _Written, newest: PolicyRow | None, signers: Mapping[str, str], stops: Sequence[StopRow]
    ) -> tuple[Approval, ...]:
        """Those for a wider policy. One that is refused is written into the receipt log, once, and told of the file as it was signed.

        A stop that changed no policy did not change what was signed against either, and may name a group that the new file makes smaller:
        what was signed before it does not count, as after every other publication.
        """
        now = self._clock.now()
        try:
            approvals = await self._checked(held, newest, signers, now=now)
            if not _saw(approvals, stops):
                raise PolicyNotApprovedError("what was signed before a stop does not count")
            return approvals
        except PolicyNotApprovedError as error:
            sha256 = written.sha256
            leaf = Control(action="policy_rejected", reference=sha256[:16], document_sha256=sha256, happened_at=now)
            await self._receipts.control(leaf, once=f"policy rejected/{sha256}")
            await self._checked(written, newest, signers, now=now)
            raise PolicyNotApprovedError(
                f"policy {written.version} was signed before something was stopped; "
                "see what is stopped (GET /v1/policy/stops), then sign again"
            ) from error

    async def _met_signers(self) -> dict[str, str]:
        """Who may sign now. Whoever counts for the first time is remembered, and stands in the receipt log by the id of the key."""
        known = await self._store.read(known_signers)
        counting = self._widening.signers.that_count(known, deployment=self._widening.deployment)
        new = {name: key for name, key in counting.items() if key not in known}
        now = self._clock.now()
        for key in new.values():
            leaf = Control(action="key_rotation", reference=key[:16], happened_at=now)
            await self._receipts.control(leaf, once=f"policy signer/{key}")
        if new:
            await self._store.write(lambda database: insert_signers(database, new, now=now))
        return counting


def _saw(approvals: Sequence[Approval], stops: Sequence[StopRow]) -> bool:
    """Each signature is later than the publication of each stop."""
    told = [row.published_at for row in stops]
    return all(at is not None and at <= approval.signature.signed_at for at in told for approval in approvals)


def _with_stops(written: _Written, policy: Policy, stops: Sequence[StopRow]) -> _Written:
    """The document with what was stopped left out of it; `written` itself where nothing of that is open in it."""
    held = stopped(policy, [row.stop for row in stops])
    return written if held is policy else _Written(held.canonical_json(), held.version)
