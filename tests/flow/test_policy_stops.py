"""A stop under an order: one person closes at once, whatever file the registry has; two people who saw it open again, and nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assent.events.envelope import decode
from assent.events.grants import PolicyPublished
from assent.events.topics import Topic
from assent.geofence.policy import Policy
from assent.identity.errors import ApiError
from assent.ids import Jurisdiction
from assent.policies.approval import Approval
from assent.policies.stopping import ALL_OPERATIONS, Stop
from assent.stream.event_log import LogUnavailableError, TopicPartition
from services.registry.desk_table import newest_policy
from services.registry.policy_desk import StopComesFirstError
from services.registry.policy_stops import PolicyStops, StopWaitsError
from services.registry.stop_table import insert_stop
from services.registry.widening import PolicyNotApprovedError, WideningRule
from tests.flow.test_policy_publishing import NARROW, SHIPPED, WIDE, WIDER, Desk, desk_in, guard_of, policy

ORDER = "Order P26-01"
BC, AB, TX = (Jurisdiction(code) for code in ("CA-BC", "CA-AB", "US-TX"))


@dataclass(slots=True)
class Registry:
    """The desk and its stops."""

    house: Desk
    stops: PolicyStops

    async def stop(self, *places: Jurisdiction, operations: tuple[str, ...] = ALL_OPERATIONS) -> bool:
        return (await self.stops.stop(places, operations, because=ORDER, by="olga")).is_new

    async def in_force(self) -> Policy:
        """The last policy that deciders read."""
        records = await self.house.log.read(TopicPartition(Topic.POLICIES.value, 0), 0, max_records=100)
        published = decode(records[-1]).data
        assert isinstance(published, PolicyPublished)
        newest = await self.house.store.read(newest_policy)
        assert newest is not None
        assert newest.sha256 == published.sha256
        return Policy.from_canonical_json(published.document)

    async def opens(self, *places: Jurisdiction) -> list[bool]:
        found = await self.in_force()
        return [bool(found.rules_for(place).opens) for place in places]


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    async with desk_in(tmp_path) as house:
        guard = guard_of(house)
        yield Registry(house, PolicyStops(store=house.store, desk=house.desk, guard=guard, clock=house.clock))
        await guard.close()


async def test_one_person_stops_a_place_and_it_is_on_the_log_when_she_is_answered(registry: Registry) -> None:
    await registry.house.publish(SHIPPED)
    assert await registry.opens(BC, AB) == [True, True]
    assert await registry.stop(BC)
    assert await registry.opens(BC, AB) == [False, True]
    assert ORDER in (await registry.in_force()).rules_for(BC).law
    assert registry.house.acts()[-2:] == ["policy_loaded", "kill_switch"]
    assert [(row.stop.place, row.by, row.published_at is not None) for row in await registry.stops.held()] == [(BC, "olga", True)]
    assert not await registry.stop(BC), "asked again, it is closed already"
    assert registry.house.acts().count("kill_switch") == 1


async def test_a_policy_that_an_earlier_release_published_is_stopped_and_replaced_though_no_file_may_say_it_now(registry: Registry) -> None:
    """A group within a group: what cannot be read any more could be neither stopped nor followed by another."""
    house, (france, guadeloupe) = registry.house, (Jurisdiction("FR"), Jurisdiction("GP"))
    rules = SHIPPED.rules_for(BC)
    within = {france: rules.model_copy(update={"members": (guadeloupe,)}), guadeloupe: rules}
    old = SHIPPED.model_copy(update={"version": "old.1", "jurisdictions": {**SHIPPED.jurisdictions, **within}})
    assert france in SHIPPED.jurisdictions[Jurisdiction("EU")].members
    await house.publish(SHIPPED)
    assert await house.publish(old, house.signed(old, SHIPPED, "anna", "ben"))
    assert await registry.opens(france, guadeloupe, BC) == [True, True, True]
    assert await registry.stop(Jurisdiction("EU"))
    assert await registry.opens(france, guadeloupe, BC) == [False, False, True]
    assert await house.publish(NARROW)
    assert await registry.opens(france, guadeloupe, BC) == [False, False, True]


async def test_a_stop_does_not_wait_until_a_long_file_was_compared(registry: Registry) -> None:
    house = registry.house
    await house.publish(SHIPPED)
    begun, is_over = threading.Event(), threading.Event()

    class Slow(WideningRule):
        def check(self, *words: Any, **more: Any) -> tuple[Approval, ...]:
            begun.set()
            is_over.wait(60)
            return super().check(*words, **more)

    slow = Slow(**{name: getattr(house.rule, name) for name in ("signers", "approvals", "deployment", "max_age", "shipped")})
    publishing = asyncio.create_task(house.desk.publish(NARROW.canonical_json(), version=NARROW.version, widening=slow))
    try:
        await asyncio.to_thread(begun.wait, 60)
        async with asyncio.timeout(30):
            assert await registry.stop(BC)
        assert not is_over.is_set()
        assert await registry.opens(BC, AB) == [False, True]
        with pytest.raises(StopComesFirstError):
            await publishing
    finally:
        is_over.set()
    assert await house.publish(NARROW), "and the file is judged again"
    assert await registry.opens(BC, AB) == [False, True]


@pytest.mark.parametrize("code", ["UK", "EL", "US-ILL", "CA-QB"])
async def test_a_code_that_is_no_place_is_not_said_to_be_closed(registry: Registry, code: str) -> None:
    await registry.house.publish(SHIPPED)
    with pytest.raises(ApiError, match=f"{code} is no code of a place") as refused:
        await registry.stop(Jurisdiction(code))
    assert (refused.value.status, await registry.stops.held()) == (422, [])


async def test_everything_is_stopped_at_once(registry: Registry) -> None:
    await registry.house.publish(SHIPPED)
    assert await registry.stop()
    assert not any(rules.opens for rules in (await registry.in_force()).jurisdictions.values())


async def test_the_same_file_does_not_open_again_what_was_stopped(registry: Registry) -> None:
    """A start reads the file of before: it neither opens the place nor fails, and it publishes nothing twice."""
    await registry.house.publish(SHIPPED)
    await registry.stop(BC)
    before = await registry.house.on_the_log()
    assert not await registry.house.publish(SHIPPED)
    assert await registry.house.on_the_log() == before
    assert await registry.opens(BC, AB) == [False, True]


async def test_another_file_that_allows_less_keeps_the_stop(registry: Registry) -> None:
    await registry.house.publish(SHIPPED)
    await registry.stop(AB)
    assert await registry.house.publish(NARROW)
    assert await registry.opens(BC, AB) == [True, False]
    assert (await registry.in_force()).rules_for(BC).consent.expires_max_days == 100


@pytest.mark.parametrize("has_looked", [True, False], ids=["after a round", "before the first round"])
async def test_an_order_is_written_down_again_where_a_copy_of_the_file_does_not_know_the_orders(
    registry: Registry, has_looked: bool
) -> None:
    """What the file holds allows more than what is on the log, and goes out no more; the next order goes over what is in force."""
    house = registry.house
    await house.publish(SHIPPED)
    await registry.stop(BC)
    await registry.stop(AB)
    for statement in (
        "DELETE FROM policy_stops",
        "DELETE FROM policy_versions WHERE rowid > (SELECT MIN(rowid) FROM policy_versions)",
    ):
        await house.store.write(lambda database, statement=statement: database.execute(statement))  # type: ignore[misc]
    assert not await house.publish(SHIPPED), "by its own file it is the newest"
    guard = guard_of(house)
    if has_looked:
        await guard.look()
    await registry.stop(BC)
    assert await registry.opens(BC, AB) == [False, False]
    assert await registry.stop(Jurisdiction("US-IL"))
    assert await registry.opens(BC, AB, Jurisdiction("US-IL")) == [False, False, False]
    assert all(row.published_at is not None for row in await registry.stops.held())
    await guard.close()


async def test_two_people_who_saw_the_stop_end_it_and_one_or_two_who_did_not_do_not(registry: Registry) -> None:
    house = registry.house
    await house.publish(SHIPPED)
    unseen = house.signed(SHIPPED, SHIPPED, "anna", "ben")
    house.clock.advance(601)
    await registry.stop(BC)
    await registry.stop(AB)
    stopped = await registry.in_force()
    for approvals in (None, unseen, house.signed(SHIPPED, stopped, "anna"), house.signed(SHIPPED, stopped, "anna", "eve")):
        assert not await house.publish(SHIPPED, approvals)
        assert await registry.opens(BC, AB) == [False, False]
    both = house.signed(SHIPPED, stopped, "anna", "ben")
    assert await house.publish(SHIPPED, both)
    assert await registry.opens(BC, AB) == [True, True]
    assert await registry.stops.held() == []
    # Stopped once more under the very same policy: what was signed before opens nothing again.
    house.clock.advance(60)
    assert await registry.stop(BC)
    assert await registry.stop(AB)
    assert await registry.in_force() == stopped
    assert not await house.publish(SHIPPED, both)
    assert await registry.opens(BC, AB) == [False, False]


async def test_two_people_may_open_one_place_and_leave_another_stopped(registry: Registry) -> None:
    house = registry.house
    await house.publish(SHIPPED)
    await registry.stop(BC)
    await registry.stop(AB)
    one = policy("one.1", CA_AB={"with_grant": []})
    assert await house.publish(one, house.signed(one, await registry.in_force(), "anna", "ben"))
    assert await registry.opens(BC, AB) == [True, False]
    assert [row.stop.place for row in await registry.stops.held()] == [AB]
    assert await house.publish(SHIPPED), "the rest of the file is taken, and the stop stays"
    assert await registry.opens(BC, AB) == [True, False]


async def test_a_file_that_opens_something_else_says_of_itself_what_it_lacks(registry: Registry) -> None:
    house = registry.house
    await house.publish(SHIPPED)
    approvals = house.signed(WIDE, SHIPPED, "anna", "ben")
    await registry.stop(BC)
    with pytest.raises(PolicyNotApprovedError, match="look at the difference again"):
        await house.publish(WIDE, approvals)
    assert await registry.opens(BC, TX) == [False, False]
    assert await house.publish(WIDE, house.signed(WIDE, await registry.in_force(), "anna", "ben"))
    assert await registry.opens(BC, TX) == [True, True]


async def test_what_was_signed_before_a_stop_of_what_was_closed_anyhow_opens_nothing_of_it_under_another_entry(registry: Registry) -> None:
    """The stop of a group changes no policy where it is closed, and the file that was signed before takes a member out of the group."""
    house = registry.house
    await house.publish(SHIPPED)
    left = [code for code in SHIPPED.jurisdictions[Jurisdiction("EU")].members if code != "FR"]
    france = {"law": ["x"], "rule": "EU-10", "clients_rule": "EU-10", "with_grant": ["search"]}
    own = policy("france.1", EU={"members": left}, FR=france)
    approvals = house.signed(own, SHIPPED, "anna", "ben")
    house.clock.advance(60)
    assert not await registry.stop(Jurisdiction("EU"))
    with pytest.raises(PolicyNotApprovedError, match="was signed before"):
        await house.publish(own, approvals)
    assert await registry.opens(Jurisdiction("FR")) == [False]
    house.clock.advance(60)
    assert await house.publish(own, house.signed(own, SHIPPED, "anna", "ben"))


async def test_an_order_that_is_given_again_was_not_seen_by_those_who_signed_between(registry: Registry) -> None:
    house = registry.house
    await house.publish(SHIPPED)
    assert await registry.stop(BC)
    house.clock.advance(60)
    between = house.signed(SHIPPED, await registry.in_force(), "anna", "ben")
    house.clock.advance(60)
    assert not await registry.stop(BC)
    assert not await house.publish(SHIPPED, between)
    assert await registry.opens(BC) == [False]
    assert house.acts().count("kill_switch") == 1


async def test_a_later_file_opens_no_part_of_what_was_stopped(registry: Registry) -> None:
    """Nobody is in two minds about a country that was stopped because a province gets an entry later."""
    house = registry.house
    await house.publish(SHIPPED)
    await registry.stop(Jurisdiction("AU"))
    assert await registry.opens(Jurisdiction("AU")) == [False]
    with pytest.raises(PolicyNotApprovedError, match="AU"):
        await house.publish(WIDER)


async def test_a_stop_that_the_log_does_not_take_is_published_as_soon_as_it_does(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registry.house.publish(SHIPPED)

    async def is_away(records: object) -> None:
        raise LogUnavailableError("the log is away")

    with monkeypatch.context() as patched:
        patched.setattr(registry.house.log, "append", is_away)
        with pytest.raises(StopWaitsError):
            await registry.stop(BC)
        with pytest.raises(ApiError):
            await registry.stops.resume()
    assert [row.published_at for row in await registry.stops.held()] == [None]
    assert await registry.opens(BC) == [True]
    await registry.stops.resume()
    assert await registry.opens(BC) == [False]
    before = await registry.house.on_the_log()
    await registry.stops.resume()
    assert await registry.house.on_the_log() == before


async def test_a_stop_that_was_written_down_before_a_crash_holds_from_the_next_start(registry: Registry) -> None:
    house = registry.house
    await house.publish(SHIPPED)
    await house.store.write(lambda database: insert_stop(database, Stop(BC, ALL_OPERATIONS, ORDER), by="olga", now=house.clock.now()))
    assert await house.publish(SHIPPED)
    assert await registry.opens(BC) == [False]


@pytest.mark.parametrize("clock", [-400.0, 400.0])
async def test_a_clock_that_is_wrong_stops_no_stop(registry: Registry, clock: float) -> None:
    await registry.house.publish(SHIPPED)
    registry.house.clock.advance(clock * 86_400)
    assert await registry.stop(BC)
    assert await registry.opens(BC) == [False]


WRONG: dict[str, dict[str, Any]] = {
    "the unknown": {"places": (Jurisdiction("UNKNOWN"),)},
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_cannot_be_stopped_is_refused_and_not_written_down(registry: Registry, what: str) -> None:
    await registry.house.publish(SHIPPED)
    with pytest.raises(ApiError, match="never open"):
        await registry.stop(*WRONG[what]["places"])
    assert await registry.stops.held() == []


async def test_a_stop_that_never_was_on_the_log_is_ended_by_nobody_who_could_not_see_it(registry: Registry) -> None:
    """Written down while the log was away; the registry starts again with a file that two people signed before."""
    house = registry.house
    await house.publish(SHIPPED)
    approvals = house.signed(WIDE, SHIPPED, "anna", "ben")
    await house.store.write(lambda database: insert_stop(database, Stop(BC, ALL_OPERATIONS, ORDER), by="olga", now=house.clock.now()))
    with pytest.raises(PolicyNotApprovedError, match="was signed before something was stopped"):
        await house.publish(WIDE, approvals)
    assert [row.stop.place for row in await registry.stops.held()] == [BC]
    assert await house.publish(SHIPPED), "what is in force goes on without what was stopped"
    assert await registry.opens(BC, TX) == [False, False]
    seen = house.signed(WIDE, await registry.in_force(), "anna", "ben")
    assert await house.publish(WIDE, seen)
    assert await registry.opens(BC, TX) == [True, True]
    assert await registry.stops.held() == []


@pytest.mark.parametrize(("early", "late"), [(("anna", "ben"), ()), (("anna",), ("ben",))], ids=["both before", "one before"])
@pytest.mark.parametrize("seconds", [0.001, 3_600.0])
async def test_what_was_closed_and_is_stopped_stays_so_under_signatures_from_before(
    registry: Registry, seconds: float, early: tuple[str, ...], late: tuple[str, ...]
) -> None:
    """The order changes no policy, so the one that was signed against is still the newest: the time of the signatures tells."""
    house = registry.house
    await house.publish(SHIPPED)
    before = house.signed(WIDE, SHIPPED, *early)
    house.clock.advance(seconds)
    assert not await registry.stop(TX), "it is closed already"
    after = house.signed(WIDE, SHIPPED, *late)
    signed = before.model_copy(update={"signatures": (*before.signatures, *after.signatures)})
    assert await house.publish(WIDE, signed), "all that it opens is stopped, and what is left of it is no wider"
    assert await registry.opens(TX) == [False]
    assert [row.stop.place for row in await registry.stops.held()] == [TX]
    assert await house.publish(WIDE, house.signed(WIDE, await registry.in_force(), "anna", "ben"))
    assert (await registry.opens(TX), await registry.stops.held()) == ([True], [])
