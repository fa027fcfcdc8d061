"""Whatever files are put there, signed, broken and taken away, with stops and starts between: nothing opens that two did not sign."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from assent.events.envelope import decode
from assent.events.grants import PolicyPublished
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from assent.policies.approval import Approvals, Proposed
from assent.policies.stopping import ALL_OPERATIONS
from assent.stream.event_log import LogUnavailableError, TopicPartition
from services.registry.policy_approvals import approvals_path
from services.registry.policy_stops import PolicyStops, StopWaitsError
from tests.flow.policy_running import Running, running_again, running_in, text_of
from tests.flow.test_policy_publishing import HERE, NARROW, PEOPLE, SHIPPED, WIDE, WIDER, desk_in, digest, policy

POLICIES = (SHIPPED, NARROW, WIDE, WIDER, policy("closed.1", CA_BC={"with_grant": []}), WIDE.model_copy(update={"version": "narrow.1"}))
PLACES = ("CA-BC", "US-TX", "CA")
MOVES = st.one_of(
    st.tuples(st.just("put"), st.integers(0, len(POLICIES) - 1)),
    st.tuples(st.just("sign"), st.sampled_from([("anna", "ben"), ("anna", "ben"), ("anna",), ("anna", "mallory"), ("eve", "mallory")])),
    st.tuples(st.just("half"), st.floats(0.0, 1.0)),
    st.tuples(st.just("delete"), st.booleans()),
    st.tuples(st.just("ask"), st.none()),
    st.tuples(st.just("stop"), st.sampled_from(PLACES)),
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("lose"), st.booleans()),
    st.tuples(st.just("replay"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 3_600, 40 * 86_400])),
)
Opened = frozenset[tuple[str, str]]


@dataclass(slots=True)
class Story:
    """What people did, kept apart from what the registry keeps: who signed which step, and what stands in the file."""

    running: Running
    file: Policy = SHIPPED
    signed: set[tuple[str, str, tuple[str, ...], str]] = field(default_factory=set)

    async def move(self, verb: str, how: Any) -> None:
        """One thing that happens to a registry, and then its looks and rounds."""
        await getattr(self, f"_{verb}")(how)
        if verb != "wait":
            await self._look()

    async def _put(self, number: int) -> None:
        self.file = POLICIES[number]
        self.running.put(self.file)

    async def _half(self, part: float) -> None:
        text = text_of(self.file)
        self.running.file.write_text(text[: int(len(text) * part)], encoding="utf-8")

    async def _delete(self, is_policy: bool) -> None:
        (self.running.file if is_policy else approvals_path(self.running.file)).unlink(missing_ok=True)

    async def _start(self, _: None) -> None:
        await self.running.guard.close()
        again = await running_again(self.running)
        again.stops = PolicyStops(store=again.house.store, desk=again.house.desk, guard=again.guard, clock=again.house.clock)
        self.running = again

    async def _replay(self, number: int) -> None:
        records = await self._records()
        old = records[number % len(records)]
        await self.running.house.log.append([Record(old.topic, old.key, old.value, old.headers)])

    async def _wait(self, seconds: float) -> None:
        self.running.house.clock.advance(seconds)

    async def _ask(self, _: None) -> None:
        await self.running.reload.once(is_asked=True)

    async def _look(self) -> None:
        await self.running.reload.once()
        await self.running.stops.resume()
        await self.running.guard.look()

    async def _sign(self, names: tuple[str, ...]) -> None:
        base = await self._newest()
        proposed = Proposed(self.file.version, digest(self.file), base.sha256, HERE)
        at = self.running.house.clock.now()
        signatures = tuple(proposed.signed(PEOPLE[name], at=at) for name in names)
        approvals = Approvals(
            version=proposed.version,
            policy_sha256=proposed.policy_sha256,
            base_sha256=proposed.base_sha256,
            deployment=HERE,
            signatures=signatures,
        )
        self.signed.add((base.sha256, digest(self.file), names, at.isoformat()))
        self.running.put(self.file, approvals)

    async def _stop(self, place: str) -> None:
        await self.running.stops.stop([Jurisdiction(place)], ALL_OPERATIONS, because="Order P26-01", by="olga")
        policy_now = Policy.from_canonical_json((await self._newest()).document)
        assert not policy_now.rules_for(Jurisdiction(place)).opens

    async def _lose(self, landed: bool) -> None:
        """The log takes what is appended or does not, and says that it is away; then it is back."""
        log = self.running.house.log
        append = log.append

        async def unheard(records: list[Record]) -> None:
            if landed:
                await append(records)
            raise LogUnavailableError("away")

        log.append = unheard  # type: ignore[method-assign, assignment]
        try:
            await self.running.reload.once(is_asked=True)
            await self.running.stops.stop([Jurisdiction("AU")], ALL_OPERATIONS, because="Order P26-02", by="olga")
        except StopWaitsError:
            pass
        finally:
            log.append = append  # type: ignore[method-assign]

    async def _records(self) -> list[StoredRecord]:
        return await self.running.house.log.read(TopicPartition(Topic.POLICIES.value, 0), 0, max_records=500)

    async def published(self) -> list[PolicyPublished]:
        """What deciders took, in order: what is older than the newest they leave alone."""
        found: list[PolicyPublished] = []
        for record in await self._records():
            data = decode(record).data
            assert isinstance(data, PolicyPublished)
            if not found or data.published_at > found[-1].published_at:
                found.append(data)
        return found

    async def _newest(self) -> PolicyPublished:
        return (await self.published())[-1]


def opened(document: str) -> Opened:
    """Every place with every operation that a grant opens there."""
    found = Policy.from_canonical_json(document)
    return frozenset((place, name) for place, rules in found.jurisdictions.items() for name in rules.with_grant)


def unsigned_widenings(published: list[PolicyPublished], signed: set[tuple[str, str, tuple[str, ...], str]]) -> list[str]:
    """Steps that opened something and that Anna and Ben have not both signed, once for each step."""
    left, found = set(signed), []
    for before, after in itertools.pairwise(published):
        if opened(after.document) <= opened(before.document):
            continue
        step = next((one for one in left if one[:2] == (before.sha256, after.sha256) and set(one[2]) >= {"anna", "ben"}), None)
        if step is None:
            found.append(f"{before.version} -> {after.version}")
        else:
            left.discard(step)
    return found


async def told(folder: Path, moves: list[tuple[str, Any]]) -> None:
    (folder / "files").mkdir()
    async with desk_in(folder) as house:
        story = Story(await running_in(house, folder / "files", settled_s=0.0))
        for verb, how in moves:
            await story.move(verb, how)
            published = await story.published()
            assert unsigned_widenings(published, story.signed) == []
            in_force = opened(published[-1].document)
            for row in await story.running.stops.held():
                if row.published_at is not None:
                    policy_now = Policy.from_canonical_json(published[-1].document)
                    assert row.stop.place is not None
                    assert not policy_now.rules_for(row.stop.place).opens, (row.stop.place, in_force)
        await story.running.guard.close()


@settings(max_examples=15)
@given(st.lists(MOVES, min_size=3, max_size=9))
def test_nothing_opens_that_two_people_did_not_sign(moves: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(told(Path(folder), moves))


def test_the_story_itself_opens_where_two_people_signed_and_is_seen_to(tmp_path: Path) -> None:
    """Else the property would hold because nothing ever opens."""

    async def opens() -> None:
        (tmp_path / "files").mkdir()
        async with desk_in(tmp_path) as house:
            story = Story(await running_in(house, tmp_path / "files", settled_s=0.0))
            for verb, how in (("put", 2), ("sign", ("anna", "ben")), ("stop", "US-TX"), ("sign", ("anna", "ben"))):
                house.clock.advance(601)
                await story.move(verb, how)
            published = await story.published()
            assert [one.version.partition("-stop")[0] for one in published] == [SHIPPED.version, "wide.1", "wide.1", "wide.1"]
            assert unsigned_widenings(published, story.signed) == []
            assert unsigned_widenings(published, set()) == [
                f"{SHIPPED.version} -> wide.1",
                f"{published[2].version} -> wide.1",
            ]
            await story.running.guard.close()

    asyncio.run(opens())
