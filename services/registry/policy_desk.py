"""Publishes the signed policy document when its version is new; never two under one version, never a wider one that two did not sign."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.deployment.start_errors import StartError
from assent.events.grants import PolicyPublished
from assent.policies.approval import Approval
from assent.receipts.checkpoint import public_key_id
from assent.receipts.leaves import Control
from assent.stream.clock import Clock
from services.registry.desk_table import (
    PolicyRow,
    insert_policy,
    insert_signers,
    keep_document,
    known_signers,
    latest_publication,
    newest_policy,
    policy_digest,
    used_signatures,
)
from services.registry.publisher import Publisher, registry_event
from services.registry.receipt_desk import ReceiptDesk
from services.registry.store import RegistryStore
from services.registry.widening import PolicyNotApprovedError, WideningRule


class PolicyVersionTakenError(StartError):
    """Raised when a changed policy document still has the version of one that was published: give it a new version."""


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

    async def publish(self, document: str, *, version: str) -> bool:
        """Publish the canonical JSON `document` unless it is the newest already; whether it was published now.

        Raises PolicyVersionTakenError, PolicyNotApprovedError, PolicyBaseUnknownError.
        """
        sha256 = hashlib.sha256(document.encode()).hexdigest()
        signers = await self._met_signers()
        newest = await self._store.read(newest_policy)
        if newest is not None and (newest.version, newest.sha256) == (version, sha256):
            if newest.document is None:
                await self._store.write(lambda database: keep_document(database, sha256, document))
            return False
        earlier = await self._store.read(lambda database: policy_digest(database, version))
        if earlier not in (None, sha256):
            raise PolicyVersionTakenError(
                f"policy version {version} was published with other contents; change the version in the policy file"
            )
        approvals = await self._approvals(document, version, sha256, newest, signers, now=self._clock.now())
        now = await self._publish(document, version=version, sha256=sha256, approvals=approvals)
        reference = sha256[:16]
        leaf = Control(action="policy_loaded", reference=reference, document_sha256=sha256, happened_at=now)
        await self._receipts.control(leaf, once=f"policy/{sha256}/{now.isoformat()}")
        return True

    async def publish_again(self) -> bool:
        """Put the newest on the log once more, under a new time; False before it was published at all."""
        newest = await self._store.read(newest_policy)
        if newest is None or newest.document is None:
            return False
        await self._publish(newest.document, version=newest.version, sha256=newest.sha256)
        return True

    async def _publish(self, document: str, *, version: str, sha256: str, approvals: tuple[Approval, ...] = ()) -> datetime:
        """When it was published: later than any before, whatever the clock says, for readers keep the newest."""
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
        row = PolicyRow(version, sha256, now, document)
        await self._store.write(lambda database: insert_policy(database, row, approvals))
        return now

    async def _approvals(
        self, document: str, version: str, sha256: str, newest: PolicyRow | None, signers: Mapping[str, str], *, now: datetime
    ) -> tuple[Approval, ...]:
        """Those for a wider policy. One that is refused is written into the receipt log, once."""
        used = await self._store.read(used_signatures)
        try:
            return await asyncio.to_thread(
                self._widening.check, document, version=version, sha256=sha256, newest=newest, signers=signers, used=used, now=now
            )
        except PolicyNotApprovedError:
            leaf = Control(action="policy_rejected", reference=sha256[:16], document_sha256=sha256, happened_at=now)
            await self._receipts.control(leaf, once=f"policy rejected/{sha256}")
            raise

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
