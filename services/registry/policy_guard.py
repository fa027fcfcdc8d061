"""Follows the policy on the log and puts the newest last again when an older one landed after it."""

from __future__ import annotations

from datetime import datetime

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.events.envelope import UnreadableEventError, decode
from assent.events.grants import PolicyPublished
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.stream.event_log import EventLog, Tail
from services.registry.desk_table import latest_publication
from services.registry.policy_desk import PolicyDesk
from services.registry.store import RegistryStore

_LOG = structlog.get_logger()


class PolicyGuard:
    """Whoever reads every record keeps the newest. Where `policies` is still compacted, which keeps the last offset, an older document of
    ours that somebody put on the log again would be all that is left.
    """

    def __init__(self, *, log: EventLog, store: RegistryStore, desk: PolicyDesk, public_key: Ed25519PublicKey) -> None:
        self._log = log
        self._store = store
        self._desk = desk
        self._public_key = public_key
        self._tail: Tail | None = None
        self._last: StoredRecord | None = None

    async def look(self) -> bool:
        """Read to the end; whether the newest had to be published again."""
        if self._tail is None:
            self._tail = await self._log.tail([Topic.POLICIES.value])
        for record in await self._tail.poll(timeout_s=0.0):
            self._last = record
        ends = await self._log.end_offsets([Topic.POLICIES.value])
        positions = self._tail.positions()
        if self._last is None or any(positions.get(partition, 0) < end for partition, end in ends.items()):
            return False
        last, is_again = self._last, False
        if self._published_at(last) != await self._store.read(latest_publication):
            _LOG.error("policy_overtaken", topic=last.topic, partition=last.partition, offset=last.offset)
            is_again = await self._desk.publish_again()
        # Not before: where the log did not take it, the older one is still the last, and is looked at again.
        self._last = None
        return is_again

    async def close(self) -> None:
        """Stop following."""
        if self._tail is not None:
            await self._tail.close()
            self._tail = None

    def _published_at(self, record: StoredRecord) -> datetime | None:
        """When it was published; None where that cannot be trusted."""
        try:
            data = decode(record).data
            if not isinstance(data, PolicyPublished):
                return None
            self._public_key.verify(data.signature, data.signed_bytes())
        except (UnreadableEventError, InvalidSignature):
            return None
        return data.published_at
