"""Which producers are suspended, since when and why; kept with the blobs, so that every process sees it and a restart does not forget."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from assent.blobs.blob_key import join_key
from assent.blobs.store import BlobNotFoundError, BlobStore
from assent.ids import ProducerId

AREA = "standings"
MAX_COUNTED = 1_000


class SuspensionReason(StrEnum):
    """Why a producer was suspended."""

    DEAD_IN_A_ROW = "dead_in_a_row"
    DEAD_SHARE = "dead_share"
    OPERATOR = "operator"
    UNREADABLE = "unreadable"


class ProducerStanding(BaseModel):
    """The last change. `counted` are digests of records that led to a suspension: they never count against it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_suspended: bool
    since: AwareDatetime
    reason: SuspensionReason
    counted: tuple[str, ...] = ()


class ProducerStandings:
    """One object per producer that was ever suspended: `standings/<producer_id>`; no object means good standing."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    async def of(self, producer_id: ProducerId) -> ProducerStanding | None:
        """The standing, or None where nothing was ever said; one that cannot be read suspends. Raises BlobStoreUnavailableError."""
        try:
            return ProducerStanding.model_validate_json(await self._store.get(join_key(AREA, producer_id)))
        except BlobNotFoundError:
            return None
        except ValidationError:
            # Of one producer alone: it must stop neither the gate for the others nor the registry, which takes withdrawals.
            return ProducerStanding(is_suspended=True, since=datetime.fromtimestamp(0, UTC), reason=SuspensionReason.UNREADABLE)

    async def suspend(
        self, producer_id: ProducerId, reason: SuspensionReason, *, now: datetime, counted: tuple[str, ...] = ()
    ) -> ProducerStanding:
        """Suspend it; one that is suspended already stays as it is. Raises BlobStoreUnavailableError."""
        held = await self.of(producer_id)
        if held is not None and held.is_suspended:
            return held
        kept = (*(held.counted if held is not None else ()), *counted)[-MAX_COUNTED:]
        return await self._put(producer_id, ProducerStanding(is_suspended=True, since=now, reason=reason, counted=kept))

    async def resume(self, producer_id: ProducerId, *, now: datetime) -> ProducerStanding | None:
        """End the suspension; None where there was none. Raises BlobStoreUnavailableError."""
        held = await self.of(producer_id)
        if held is None or not held.is_suspended:
            return None
        return await self._put(producer_id, held.model_copy(update={"is_suspended": False, "since": now}))

    async def suspended(self) -> dict[ProducerId, ProducerStanding]:
        """Every producer that is suspended now. Raises BlobStoreUnavailableError."""
        names = [ProducerId(entry.key.rpartition("/")[2]) async for entry in self._store.list(AREA)]
        found = {name: await self.of(name) for name in sorted(names)}
        return {name: standing for name, standing in found.items() if standing is not None and standing.is_suspended}

    async def _put(self, producer_id: ProducerId, standing: ProducerStanding) -> ProducerStanding:
        await self._store.put(join_key(AREA, producer_id), standing.model_dump_json().encode())
        return standing
