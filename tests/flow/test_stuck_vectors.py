"""An erasure that the vector store never lets end: it is reported as done by nobody, and those of all other grants go on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from assent.ids import FaceId, GrantId
from assent.vectors.store import VectorStore
from embedded.layout import EmbeddedLayout
from embedded.system import EmbeddedSystem, Progress, running_system
from tests.flow.opened_parts import opened_parts
from tests.flow.registry_house import grant_house
from tests.flow.test_grant_faults import given, is_proven
from tests.flow.test_stores_away import metric, progress, until, withdrawn

pytestmark = pytest.mark.timeout(120)
GHOST = FaceId("01900000-0000-7000-8000-000000000000")


def still_there() -> list[FaceId]:
    return [GHOST]


def breaks() -> list[FaceId]:
    raise ValueError("a point that nobody can read")


class StuckStore:
    """The real store, which of one grant answers as the test says."""

    def __init__(self, inner: VectorStore, answer: Callable[[], list[FaceId]]) -> None:
        self._inner = inner
        self._answer = answer
        self.stuck: GrantId | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def ids_of_grant(self, grant_id: GrantId) -> list[FaceId]:
        return self._answer() if grant_id == self.stuck else list(await self._inner.ids_of_grant(grant_id))


class StuckVectors:
    """An opener that gives the product such a store."""

    def __init__(self, answer: Callable[[], list[FaceId]]) -> None:
        self._answer = answer
        self.store: StuckStore | None = None

    @asynccontextmanager
    async def opener(self, layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[EmbeddedSystem]:
        async with opened_parts(layout, host=host, port=port, progress=progress) as (shared, listener):
            self.store = StuckStore(shared.vectors, self._answer)
            shared = replace(shared, vector_store=cast(VectorStore, self.store))
            async with running_system(EmbeddedSystem(layout, shared), listener, host=host) as system:
                yield system


@pytest.mark.parametrize("answer", [still_there, breaks], ids=["a face that comes back", "a fault that nobody foresaw"])
async def test_one_grant_whose_vectors_cannot_be_erased_holds_up_no_other(tmp_path: Path, answer: Callable[[], list[FaceId]]) -> None:
    vectors = StuckVectors(answer)
    async with grant_house(tmp_path, {}, opener=vectors.opener) as house:
        stuck, other = await given(house), await given(house)
        assert vectors.store is not None
        vectors.store.stuck = GrantId(stuck.grant_id)
        erasure = (await withdrawn(house, stuck)).body["erasure_id"]
        assert (await withdrawn(house, other)).status == 200

        async def other_is_proven() -> bool:
            return await is_proven(house, other)

        await until(other_is_proven)
        assert ("vectors", "logical") not in await progress(house, erasure)
        assert (metric(house, "assent_grant_faults_total", stage="vectors") is not None) == (answer is breaks)
        assert house.world.failure() is None
