"""Walks the whole store and judges every vector against tables read afterwards; what has no live grant is counted and deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.consent.ledger import Standing
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.ids import FaceId
from assent.stream.clock import Clock
from assent.vectors.store import PointFacts, VectorStore, VectorStoreError, VectorStoreUnavailableError
from services.indexer.overdue import is_doubted, is_overdue
from services.indexer.unwanted_faces import UnwantedFaces

PAGE = 512


@dataclass(frozen=True, slots=True)
class Sweep:
    """One walk: points seen, those past the grace time of their grant (deleted), those whose grant is denied (kept), those that name no
    grant at all (deleted), and when.
    """

    seen: int
    overdue: int
    doubted: int
    foreign: int
    at: datetime


class Sweeper:
    """Lists ids first, catches up, then judges: a grant that ended during the walk is seen, never missed."""

    def __init__(
        self,
        *,
        store: VectorStore,
        tables: DecisionTables,
        gate: Gate,
        unwanted: UnwantedFaces,
        clock: Clock,
        erase_grace_s: float,
        catch_up_timeout_s: float,
    ) -> None:
        self._store = store
        self._tables = tables
        self._gate = gate
        self._unwanted = unwanted
        self._clock = clock
        self._grace = timedelta(seconds=erase_grace_s)
        self._catch_up_timeout_s = catch_up_timeout_s

    async def sweep(self) -> Sweep:
        """Walk the store once and delete what no live grant names, what was taken out of one or opted out, and what must not come back."""
        points, foreign = await self._listed_without_foreign()
        await self._tables.catch_up(self._catch_up_timeout_s)
        ledger, now = self._tables.ledger, self._clock.now()
        lost = [point for point in points if ledger.standing(point.grant_id, now) is not Standing.LIVE]
        overdue = [point for point in lost if is_overdue(ledger, point.grant_id, now, self._grace)]
        if overdue:
            await self._store.delete([point.face_id for point in overdue])
            await self._store.flush()
        doubted = sum(is_doubted(ledger, point.grant_id, now) for point in lost)
        unwanted = [point for point in points if self._gate.is_image_suppressed(point.image_id)]
        await self._unwanted.remove([*unwanted, *await self._taken_away(points)])
        return Sweep(
            seen=len(points),
            overdue=len(overdue),
            doubted=doubted,
            foreign=foreign,
            at=now,
        )

    async def _taken_away(self, points: list[PointFacts]) -> list[PointFacts]:
        """Under a grant that goes on, what she took out of it and what was opted out where it came from.

        Read anew: it may have come in again under another of her sources, or from another address.
        """
        ids = [point.face_id for point in points if self._is_taken_away(point)]
        return [point for point in await self._store.retrieve(ids) if self._is_taken_away(point)]

    def _is_taken_away(self, point: PointFacts) -> bool:
        if self._gate.live(point.grant_id) is None:
            return False
        return not self._gate.may_stay(point.grant_id, source=point.source, fetched=point.fetched)

    async def _listed_without_foreign(self) -> tuple[list[PointFacts], int]:
        """One point that something else wrote must not keep all others from being judged."""
        try:
            return await self._listed(), 0
        except VectorStoreUnavailableError:
            raise
        except VectorStoreError:
            foreign = await self._store.drop_foreign()
            return await self._listed(), foreign

    async def _listed(self) -> list[PointFacts]:
        points: list[PointFacts] = []
        after: FaceId | None = None
        while page := await self._store.scroll(after, PAGE):
            points.extend(page)
            after = page[-1].face_id
        return points
