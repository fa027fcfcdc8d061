"""What the registry writes into the receipt log and hands out of it; commitments only, never an identifier in clear."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

import rfc8785

from assent.events.grants import GrantState
from assent.keys.signing_keys import public_pem
from assent.receipts.checkpoint import CheckpointSigner
from assent.receipts.commitment import commit
from assent.receipts.leaves import Deletion, GrantEvent, Leaf
from assent.receipts.log import ReceiptLog
from assent.receipts.receipt import Receipt, issue_receipt
from services.registry.grant_record import Grant


class ReceiptDesk:
    """The receipt log behind coroutines: appending waits for the disk, in a thread."""

    def __init__(self, log: ReceiptLog, signer: CheckpointSigner) -> None:
        self._log = log
        self._signer = signer

    def public_key_pem(self) -> bytes:
        """The key that receipts are checked with, as a PEM file."""
        return public_pem(self._signer.public_key)

    async def checkpoint(self) -> str:
        """The signed head of the log of now."""
        return await asyncio.to_thread(self._log.checkpoint)

    async def grant_event(self, record: Grant, *, state: GrantState | None = None, revision: int | None = None) -> None:
        """A grant changed state. `state` and `revision` are given for its end, of which no record is kept."""
        number = revision or record.revision
        name = commitment_of(record)
        leaf = GrantEvent(
            grant=name,
            revision=number,
            state=(state or record.state).value,
            prev_sha256=await self._digest_of(f"grant/{name}/{number - 1}"),
            notice_sha256=record.notice.sha256 if record.confirmed_at is not None else None,
            evidence_sha256=_evidence_digest(record),
            happened_at=record.changed_at,
        )
        await self._append(leaf, once=f"grant/{name}/{number}")

    async def deletion(self, leaf: Deletion, *, kind: str) -> Receipt:
        """Append the leaf of a finished level, once, and return its receipt."""
        index = await self._append(leaf, once=f"erasure/{leaf.erasure_id}/{kind}")
        return await asyncio.to_thread(issue_receipt, self._log, index)

    async def control(self, leaf: Leaf, *, once: str) -> None:
        """An act of the operator."""
        await self._append(leaf, once=once)

    async def _append(self, leaf: Leaf, *, once: str) -> int:
        return await asyncio.to_thread(self._log.append, leaf.document(), once=once)

    async def _digest_of(self, once: str) -> str | None:
        index = await asyncio.to_thread(self._log.index_of, once)
        if index is None:
            return None
        return hashlib.sha256(rfc8785.dumps(await asyncio.to_thread(self._log.leaf, index))).hexdigest()


def commitment_of(record: Grant) -> str:
    """How the public log names the grant; without the salt nobody can tell which it is."""
    return commit("grant", record.grant_id, salt=bytes.fromhex(record.salt))


def _evidence_digest(record: Grant) -> str | None:
    digests: Sequence[str] = sorted(item.sha256 for item in record.evidence)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest() if digests else None
