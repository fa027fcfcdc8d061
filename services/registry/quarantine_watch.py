"""When the originals of an ended grant are gone from quarantine; it deletes what she handed in and waits for the rest, never guesses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from assent.blobs.quarantine import Quarantine
from assent.blobs.store import BlobStore
from assent.events.envelope import Event
from assent.events.erasures import ErasureLevel, ErasureProgressed
from assent.events.payload import EventPayload
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from services.registry.data_map import DATA_MAP, Store
from services.registry.erasure_table import ErasureRow, without
from services.registry.outcome_table import forget_sightings, sightings_of
from services.registry.publisher import Publisher, registry_event
from services.registry.store import RegistryStore
from services.registry.trouble import one_by_one

_AREAS = ("quarantine", "intake")
_CLOCKS_APART = timedelta(seconds=2)
"""How far the clock of the blob store may be behind ours."""


class QuarantineWatch:
    """Nobody can read an original to disclose it, so `logical` is reached when hers are deleted.

    An original does not say whose face it shows, so `physical` is reached when everything that lay in quarantine at the end
    of the grant has gone: in seconds as a rule, after `quarantine_max_s` at the latest, because then it is swept.
    """

    def __init__(
        self,
        *,
        store: RegistryStore,
        quarantine: Quarantine,
        blobs: BlobStore,
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._quarantine = quarantine
        self._blobs = blobs
        self._publisher = publisher
        self._clock = clock
        self._each = one_by_one(metrics)

    async def work(self) -> None:
        """One round over the erasures that wait for quarantine."""
        for erasure in await self._store.read(lambda database: without(database, Store.QUARANTINE.value, ErasureLevel.LOGICAL)):
            with self._each.alone("quarantine", erasure.grant_id):
                await self._delete_own(erasure)
        waiting = await self._store.read(lambda database: without(database, Store.QUARANTINE.value, ErasureLevel.PHYSICAL))
        if not waiting:
            return
        oldest = await self._oldest()
        gone = [erasure for erasure in waiting if oldest is None or oldest > erasure.requested_at + _CLOCKS_APART]
        await self._report(gone, ErasureLevel.PHYSICAL, before=dict.fromkeys((item.erasure_id for item in gone), 0))

    async def _delete_own(self, erasure: ErasureRow) -> None:
        sightings = await self._store.read(lambda database: sightings_of(database, erasure.grant_id))
        for sighting_id in sightings:
            await self._quarantine.delete(sighting_id)
        await self._report([erasure], ErasureLevel.LOGICAL, before={erasure.erasure_id: len(sightings)})
        await self._store.write(lambda database: forget_sightings(database, erasure.grant_id))

    async def _oldest(self) -> datetime | None:
        moments = [entry.modified_at for area in _AREAS async for entry in self._blobs.list(area)]
        return min(moments, default=None)

    async def _report(self, erasures: Sequence[ErasureRow], level: ErasureLevel, *, before: dict[str, int]) -> None:
        now = self._clock.now()
        events: list[Event[EventPayload]] = [
            registry_event(
                ErasureProgressed(
                    erasure_id=erasure.erasure_id,
                    grant_id=erasure.grant_id,
                    store=Store.QUARANTINE.value,
                    level=level,
                    count_before=before[erasure.erasure_id],
                    count_after=0,
                    method="unlink",
                    remains=DATA_MAP[Store.QUARANTINE].remains,
                    reached_at=now,
                ),
                erasure.erasure_id,
                Store.QUARANTINE.value,
                level.value,
                time=now,
            )
            for erasure in erasures
        ]
        if events:
            await self._publisher.publish(events)
