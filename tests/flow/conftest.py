"""The field on which every file of attacks fights: one product per file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.flow.attack_house import Field, attacked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def field_of(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Field]:
    async with attacked(tmp_path_factory.mktemp("attacked")) as field:
        yield field
