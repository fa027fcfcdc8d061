"""The registry looks by itself at the proofs that count, against a site on loopback: it renews, warns, and ends what is denied twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import CONTROL_PROOFS, CONTROL_TIME_LEFT
from services.registry.control_looks import ControlLooks
from services.registry.control_place import Showing
from services.registry.control_table import ControlRow
from tests.flow.test_control_proofs import DAY_S, DAYS, Desk, desk

__all__ = ["desk"]


@dataclass(slots=True)
class Watched:
    """The desk, and who looks."""

    desk: Desk
    looks: ControlLooks
    metrics: Metrics

    async def days_later(self, days: float) -> int:
        self.desk.clock.advance(days * DAY_S)
        return await self.looks.once()

    def standing(self) -> tuple[float | None, ...]:
        return tuple(self.metrics.value(CONTROL_PROOFS, state=state) for state in ("counts", "failing", "ended"))

    def days_left(self) -> float:
        return (self.metrics.value(CONTROL_TIME_LEFT) or 0.0) / DAY_S

    async def row(self, proof: ControlRow) -> ControlRow:
        return await self.desk.controls.one(proof.proof_id)


@pytest_asyncio.fixture
async def watched(desk: Desk) -> AsyncIterator[Watched]:
    metrics = Metrics(CollectorRegistry())
    yield Watched(
        desk,
        ControlLooks(store=desk.store, controls=desk.controls, clock=desk.clock, metrics=metrics, every_s=float(DAY_S), proof_days=DAYS),
        metrics,
    )


async def test_each_proof_that_counts_is_looked_at_once_a_day(watched: Watched) -> None:
    assert (await watched.days_later(0), watched.standing(), watched.days_left()) == (0, (0, 0, 0), DAYS)
    await watched.desk.asked("/asked/")
    first = await watched.desk.shown()
    assert await watched.days_later(0.9) == 0
    assert await watched.days_later(0.2) == 1
    assert await watched.days_later(0.5) == 0
    assert (await watched.row(first)).ends_at == first.ends_at, "a renewal is a new revision of every grant that rests on it"
    assert watched.standing() == (1, 0, 0)
    assert watched.days_left() == pytest.approx(DAYS - 1.6, abs=0.1)


async def test_it_is_renewed_when_two_thirds_of_its_time_are_over_and_by_nobody_else(watched: Watched) -> None:
    first = await watched.desk.shown()
    await watched.days_later(DAYS * 2 / 3 - 1)
    assert (await watched.row(first)).ends_at == first.ends_at
    await watched.days_later(1.1)
    assert watched.days_left() == pytest.approx(DAYS, abs=0.1)
    await watched.days_later(DAYS * 2 / 3 + 1)
    assert await watched.desk.covers()
    assert watched.days_left() == pytest.approx(DAYS, abs=0.1)


async def test_one_denial_warns_and_a_second_a_day_later_ends_the_proof(watched: Watched) -> None:
    first = await watched.desk.shown()
    lines, watched.desk.site.control_lines = watched.desk.site.control_lines, []
    assert (await watched.days_later(1.1), watched.standing(), await watched.desk.covers()) == (1, (0, 1, 0), True)
    watched.desk.site.control_lines = lines
    assert (await watched.days_later(1.1), watched.standing(), await watched.desk.covers()) == (1, (1, 0, 0), True)
    watched.desk.site.control_lines = ["# moved"]
    assert (await watched.days_later(1.1), watched.standing(), await watched.desk.covers()) == (1, (0, 1, 0), True)
    assert (await watched.row(first)).look_found is Showing.OTHER_LINES
    assert (await watched.days_later(0.5), await watched.desk.covers()) == (0, True), "not twice in one outage"
    assert (await watched.days_later(1.1), watched.standing(), await watched.desk.covers()) == (1, (0, 0, 1), False)
    assert (await watched.days_later(6), watched.standing()) == (0, (0, 0, 1))
    assert (await watched.days_later(2), watched.standing()) == (0, (0, 0, 0)), "told of for a week"


async def test_an_end_is_not_told_of_once_another_proof_of_that_place_stands(watched: Watched) -> None:
    await watched.desk.shown()
    watched.desk.site.control_lines = ["# moved"]
    await watched.days_later(1.1)
    await watched.days_later(1.1)
    assert watched.standing() == (0, 0, 1)
    await watched.desk.shown()
    assert (await watched.days_later(0), watched.standing()) == (0, (1, 0, 0))


async def test_a_silent_host_ends_nothing_and_its_proof_runs_out_aloud(watched: Watched) -> None:
    first = await watched.desk.shown()
    await watched.desk.site.stop()
    for _ in range(3):
        assert (await watched.days_later(1.1), watched.standing(), await watched.desk.covers()) == (1, (0, 1, 0), True)
    await watched.days_later(DAYS - 10)
    assert watched.days_left() < 14
    await watched.days_later(10)
    assert (watched.standing(), await watched.desk.covers()) == ((0, 0, 1), False)
    assert (await watched.days_later(30), watched.standing()) == (0, (0, 0, 1)), "until somebody renews or revokes it"
    await watched.desk.controls.revoke(first.proof_id)
    assert (await watched.days_later(0), watched.standing()) == (0, (0, 0, 0))


async def test_what_staff_revoked_is_no_news_and_what_was_shown_anew_replaces_what_ran_out(watched: Watched) -> None:
    first = await watched.desk.shown()
    await watched.desk.controls.revoke(first.proof_id)
    assert (await watched.days_later(0), watched.standing()) == (0, (0, 0, 0))
    second = await watched.desk.shown()
    await watched.desk.site.stop()
    await watched.days_later(DAYS + 1)
    assert watched.standing() == (0, 0, 1)
    await watched.desk.site.start(watched.desk.site.port)
    await watched.desk.controls.check(second.proof_id)
    assert (await watched.days_later(0), watched.standing()) == (0, (1, 0, 0))
