"""Follows the policy on the log: puts the newest last again when an older one landed after it, and takes one that it does not know of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.deciding.fold import UntrustedPolicyError, trusted_policy
from assent.events.envelope import UnreadableEventError, decode
from assent.events.grants import PolicyPublished
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.geofence.policy import PolicyError
from assent.stream.event_log import EventLog, LogUnavailableError, Tail, UnknownTopicError
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import POLICY_FILE_REFUSED
from services.registry.desk_table import latest_publication
from services.registry.policy_desk import PolicyDesk, PolicyVersionTakenError
from services.registry.publisher import LogAwayError
from services.registry.store import RegistryStore
from services.registry.widening import PolicyNotApprovedError

POLL_S = 0.5
_LOG = structlog.get_logger()


class PolicyGuard:
    """Whoever reads every record keeps the newest. Where `policies` is still compacted, which keeps the last offset, an older document of
    ours that somebody put on the log again would be all that is left.

    One of ours that is newer than any in the registry's file was published by it before that file was brought back from a copy: to put
    what the file holds behind it would undo a stop, or open what was closed meanwhile.
    """

    def __init__(self, *, log: EventLog, store: RegistryStore, desk: PolicyDesk, public_key: Ed25519PublicKey, metrics: Metrics) -> None:
        self._log = log
        self._store = store
        self._desk = desk
        self._public_key = public_key
        self._metrics = metrics
        self._tail: Tail | None = None
        self._last: StoredRecord | None = None
        self._newest: PolicyPublished | None = None
        self._looking = asyncio.Lock()

    async def look(self, *, timeout_s: float = 0.0) -> bool:
        """Read to the end, where that takes no longer than this; whether another policy had to be published."""
        async with self._looking:
            return await self._look(timeout_s)

    async def catch_up(self, *, timeout_s: float) -> None:
        """Look, and know that it was to the end. Raises LogAwayError where the log does not show its end in this time.

        What is published next is compared with the newest: one of which only the log knows must have been met by then.
        """
        until = asyncio.get_running_loop().time() + timeout_s
        while True:
            left_s = max(0.0, until - asyncio.get_running_loop().time())
            try:
                await self.look(timeout_s=min(left_s, POLL_S))
                if self._tail is not None and not await self._is_behind(self._tail):
                    return
            except (LogUnavailableError, UnknownTopicError) as error:
                raise LogAwayError from error
            if not left_s:
                raise LogAwayError

    async def _look(self, timeout_s: float) -> bool:
        if self._tail is None:
            self._tail = await self._log.tail([Topic.POLICIES.value])
        self._note(await self._tail.poll(timeout_s=0.0))
        if timeout_s and await self._is_behind(self._tail):
            self._note(await self._tail.poll(timeout_s=timeout_s))
        if await self._is_behind(self._tail) or self._last is None:
            return False
        latest = await self._store.read(latest_publication)
        if self._newest is not None and (latest is None or self._newest.published_at > latest):
            return await self._meet(self._newest)
        last, is_again = self._last, False
        if self._published_at(last) != latest:
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

    def _note(self, records: Sequence[StoredRecord]) -> None:
        for record in records:
            self._last = record
            published = self._trusted(record)
            if published is not None and (self._newest is None or published.published_at > self._newest.published_at):
                self._newest = published

    async def _is_behind(self, tail: Tail) -> bool:
        ends, positions = await self._log.end_offsets([Topic.POLICIES.value]), tail.positions()
        return any(positions.get(partition, 0) < end for partition, end in ends.items())

    async def _meet(self, newer: PolicyPublished) -> bool:
        """The newest by now is that one. What the registry was started with goes out over it where it allows no more; the next look sees
        to what landed last.
        """
        _LOG.error("policy_unknown_here", policy_version=newer.version)
        try:
            return await self._desk.meet(newer)
        except (PolicyNotApprovedError, PolicyVersionTakenError):
            self._metrics.set(POLICY_FILE_REFUSED, 1.0)
            return False

    def _trusted(self, record: StoredRecord) -> PolicyPublished | None:
        """A policy of ours with a signed time; None for anything else."""
        try:
            data = decode(record).data
            if not isinstance(data, PolicyPublished):
                return None
            _, since = trusted_policy(data, self._public_key)
        except (UnreadableEventError, UntrustedPolicyError, PolicyError):
            return None
        return None if since is None else data

    def _published_at(self, record: StoredRecord) -> datetime | None:
        """When it was published; None where that cannot be trusted."""
        published = self._trusted(record)
        return None if published is None else published.published_at
