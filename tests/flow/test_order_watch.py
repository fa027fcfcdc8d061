"""The clocks of orders counted down by the policy in force, over the registry's file; the moment at which one is missed is the gate's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from assent.events.grants import Operation
from assent.ids import Jurisdiction
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import ORDER_TIME_LEFT
from assent.testing.fake_clock import FakeClock
from services.registry.desk_table import PolicyRow, insert_policy
from services.registry.order_watch import OrderWatch
from services.registry.store import RegistryStore
from tests.flow.assent_command import run
from tests.unit.policy_examples import policy_with, shipped_text

AB, AU = Jurisdiction("CA-AB"), Jurisdiction("AU")
ISSUED = date(2026, 3, 1)
OPEN = ["collect", "embed", "store", "search", "disclose"]


async def publish(store: RegistryStore, version: str, **entries: dict[str, Any]) -> None:
    policy = policy_with(**entries)
    row = PolicyRow(version, version * 64, datetime(2026, 3, 1, tzinfo=UTC), policy.canonical_json())
    await store.write(lambda database: insert_policy(database, row))


async def test_each_clock_is_counted_down_to_the_moment_at_which_the_gate_closes(tmp_path: Path) -> None:
    store, metrics, clock = RegistryStore(tmp_path), Metrics(CollectorRegistry()), FakeClock()
    watch = OrderWatch(store=store, clock=clock, metrics=metrics)

    def left(place: Jurisdiction, which: str) -> float | None:
        return metrics.value(ORDER_TIME_LEFT, jurisdiction=place, clock=which)

    await watch.look()
    assert left(AB, "report") is None, "nothing was published"
    order = {"issued": ISSUED, "report_days": 50, "destroy_days": 90}
    entries: dict[str, dict[str, Any]] = {
        "CA_AB": {"order_received": order},
        "AU": {"with_grant": OPEN, "order_received": {"issued": ISSUED, "destroy_days": 90}},
    }
    await publish(store, "a", **entries)
    rules = policy_with(**entries).rules_for(AB)
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    for days, seconds in ((1, 0), (49, 0), (50, 86_399), (51, 0), (90, 0), (91, 1)):
        now = midnight + timedelta(days=days, seconds=seconds)
        clock.set_wall(now)
        await watch.look()
        assert left(AB, "report") == (midnight + timedelta(days=51) - now).total_seconds()
        assert left(AU, "destroy") == left(AB, "destroy") == (midnight + timedelta(days=91) - now).total_seconds()
        assert left(AB, "comply") is None
        is_closed = rules.closed_by(Operation.COLLECT, now) is not None
        assert is_closed == ((left(AB, "report") or 0) <= 0), "told as missed at the very moment that closes"

    clock.set_wall(midnight + timedelta(days=60))
    await publish(store, "b", CA_AB={"order_received": order | {"met_on": ISSUED + timedelta(days=70)}})
    await watch.look()
    assert (left(AB, "report") or 0) < 0, "a day to come is no word"
    assert left(AU, "destroy") is None
    clock.set_wall(midnight + timedelta(days=70))
    await watch.look()
    assert (left(AB, "report"), left(AB, "destroy")) == (None, None)
    await store.close()


@pytest.mark.parametrize("place", ["CA-AB", None])
def test_the_command_tells_the_days_left(place: str | None, tmp_path: Path) -> None:
    issued = datetime.now(UTC).date() - timedelta(days=40)
    file = tmp_path / "policy.yaml"
    text = shipped_text()
    order = f"    order_received: {{issued: {issued}, report_days: 50, destroy_days: 30}}\n"
    file.write_text(text.replace("    authority: OIPC-AB\n", f"    authority: OIPC-AB\n{order}"))
    told = run("policy", "show", *([place] if place else []), "--policy", file)
    assert told.returncode == 0, told.stderr
    line = next(line for line in told.stdout.splitlines() if line.startswith("order"))
    assert f"report by {issued + timedelta(days=50)} (11 days left)" in line
    assert f"destroy by {issued + timedelta(days=30)} (missed 10 days ago)" in line
    assert "OVERDUE" in line
