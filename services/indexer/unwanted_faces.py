"""Takes out of both stores what was suppressed, opted out or taken out of a grant that goes on; query tells nothing of it before."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from assent.blobs.derivatives import Derivatives
from assent.vectors.store import PointFacts, VectorStore

_LOG = structlog.get_logger()


class UnwantedFaces:
    """Pictures first: a vector that is still there names the picture that still has to go."""

    def __init__(self, *, store: VectorStore, derivatives: Derivatives) -> None:
        self._store = store
        self._derivatives = derivatives

    async def remove(self, points: Sequence[PointFacts]) -> None:
        """Delete by id, whatever grant they stand under, and rewrite what held them. Raises the trouble of either store."""
        if not points:
            return
        for point in points:
            await self._derivatives.delete(point.grant_id, point.face_id)
        await self._store.delete([point.face_id for point in points])
        await self._store.flush()
        report = await self._store.purge()
        if not report.is_clean:
            _LOG.warning("purge_not_clean", faces=len(points), method=report.method)
