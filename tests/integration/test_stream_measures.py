"""What a runner tells of itself, on the real embedded log: lag, holds, moved commits, dead letters, spans."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from assent.deployment.observer import MetricsObserver
from assent.events.envelope import Event, encode
from assent.events.payload import EventPayload
from assent.events.record import Record
from assent.events.topics import TOPICS
from assent.stream.clock import SystemClock
from assent.stream.event_log import TopicPartition
from assent.stream.outcomes import Emit, Outcome, RetryLaterError
from assent.stream.runner import Runner
from assent.telemetry.meter import Metrics
from assent.telemetry.spans import Span
from assent.telemetry.tracing import TraceContext
from tests.integration.stream_workbench import (
    GROUP,
    IN,
    NAMES,
    OUT,
    QUICK,
    Crash,
    FaultyLog,
    Seen,
    Worker,
    answer,
    inputs,
    is_done,
    runner_of,
    running,
    until,
    withdrawn,
    written,
)


async def test_lag_is_counted_in_records(log: FaultyLog) -> None:
    trouble = True

    async def wait(event: Event[EventPayload]) -> Outcome | None:
        if trouble:
            raise RetryLaterError("later")
        return None

    seen = Seen()
    await log.append(inputs(*NAMES[:7], partition=2))
    runner = runner_of(log, Worker(wait), seen=seen)
    async with running(runner):
        await until(lambda: seen.lags.get(2) == 7)
        assert runner.lag_records[TopicPartition(IN.value, 2)] == 7
        trouble = False
        await is_done(log, 7)
        await until(lambda: seen.lags.get(2) == 0)
    assert set(seen.lags) == set(range(TOPICS[IN].partitions))


class Kept:
    """An exporter that keeps what it was given."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def export(self, spans: Sequence[Span]) -> None:
        self.spans += spans


async def test_an_output_names_the_step_that_made_it(log: FaultyLog) -> None:
    async def pass_on(event: Event[EventPayload]) -> Outcome | None:
        return Emit((replace(answer(event), traceparent=event.traceparent),))

    first, kept = TraceContext.start(), Kept()
    await log.append([encode(replace(withdrawn("g-1"), traceparent=first.header()))])
    log.commit_crashes = True
    with pytest.raises(Crash):
        await runner_of(log, Worker(pass_on), spans=kept).run()
    assert kept.spans == []
    log.commit_crashes = False
    async with running(runner_of(log, Worker(pass_on), spans=kept)):
        await is_done(log, 1)
        await until(lambda: bool(kept.spans))
    (span,) = kept.spans
    assert (span.name, span.attributes["assent.outcome"]) == (f"{GROUP} {IN.value}", "emit")
    assert (span.context.trace_id, span.parent_span_id) == (first.trace_id, first.span_id)
    headers = [TraceContext.parse((record.header("traceparent") or b"").decode()) for record in await written(log, OUT.value)]
    assert headers[-1] == span.context
    assert len({header.span_id for header in headers if header is not None}) == 2


async def test_a_trace_that_nobody_records_is_handed_on_as_it_came(log: FaultyLog) -> None:
    async def pass_on(event: Event[EventPayload]) -> Outcome | None:
        return Emit((replace(answer(event), traceparent=event.traceparent),))

    silent, kept = replace(TraceContext.start(), is_sampled=False).header(), Kept()
    await log.append([encode(replace(withdrawn("g-1"), traceparent=silent))])
    async with running(runner_of(log, Worker(pass_on), spans=kept)):
        await is_done(log, 1)
    assert [record.header("traceparent") for record in await written(log, OUT.value)] == [silent.encode()]
    assert kept.spans == []


async def test_what_a_runner_does_is_measured(log: FaultyLog) -> None:
    """Lag in records and in seconds, which grows while nothing moves; holds, dead letters, rebalances, moved commits, progress."""
    trouble = {"b-1"}

    async def wait(event: Event[EventPayload]) -> Outcome | None:
        if event.data.key() in trouble:
            raise RetryLaterError("blob store is away", after_s=0.01)
        return None

    registry = CollectorRegistry()
    observer = MetricsObserver(Metrics(registry), SystemClock())

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, labels) or 0.0

    def time_lag() -> float:
        return value("assent_consumer_time_lag_seconds", topic=IN.value)

    at = {"topic": IN.value, "partition": "4"}
    await log.append([*inputs("b-0", "b-1", "b-2", partition=4), Record(IN.value, b"k", b"unreadable", partition=3)])
    runner = Runner(log, Worker(wait), member="m", clock=SystemClock(), observer=observer, settings=QUICK)
    async with running(runner):
        await until(lambda: value("assent_consumer_lag_records", **at) == 2)
        await until(lambda: time_lag() > 0.4)
        before = time_lag()
        await until(lambda: time_lag() > before)
        assert value("assent_consumer_held", stage=GROUP, cause="RetryLaterError") == 1
        assert value("assent_consumer_retries_total", stage=GROUP, error="RetryLaterError") >= 1
        stood_at = value("assent_consumer_last_progress_timestamp_seconds", group=GROUP)
        trouble.clear()
        await is_done(log, 4)
        await until(lambda: value("assent_consumer_lag_records", **at) == 0 and time_lag() == 0)
        await until(lambda: value("assent_consumer_last_progress_timestamp_seconds", group=GROUP) > stood_at)
        assert value("assent_consumer_held", stage=GROUP, cause="RetryLaterError") == 0
        assert value("assent_records_consumed_total", topic=IN.value) == 4
        assert value("assent_records_outcome_total", stage=GROUP, outcome="emit", reason="emitted") == 3
        assert (
            sum(sample.value for metric in registry.collect() for sample in metric.samples if sample.name == "assent_dlq_records_total")
            == 1
        )
        other = Runner(log, Worker(), member="n", clock=SystemClock(), observer=Seen(), settings=QUICK)
        async with running(other):
            await until(lambda: value("assent_rebalances_total", group=GROUP) == 1)


async def test_a_commit_whose_partition_moved_is_counted(log: FaultyLog) -> None:
    entered, go_on, registry = asyncio.Event(), asyncio.Event(), CollectorRegistry()

    async def slow(event: Event[EventPayload]) -> Outcome | None:
        entered.set()
        await go_on.wait()
        return None

    await log.append(inputs("g-1", partition=5))
    observer = MetricsObserver(Metrics(registry), SystemClock())
    settings = replace(QUICK, drain_deadline_s=0.1)
    first = Runner(log, Worker(slow), member="a", clock=SystemClock(), observer=observer, settings=settings)
    async with running(first):
        await entered.wait()
        async with running(runner_of(log, Worker(), member="b")):
            await is_done(log, 1)
            go_on.set()
            await until(lambda: registry.get_sample_value("assent_commit_failures_total", {"stage": GROUP}) == 1)


async def test_the_lag_of_a_partition_that_moved_away_is_told_no_more_and_its_old_owner_is_not_stuck(log: FaultyLog) -> None:
    async def wait(event: Event[EventPayload]) -> Outcome | None:
        raise RetryLaterError("later")

    registry = CollectorRegistry()
    last = await log.partitions(IN.value) - 1

    def lag() -> float | None:
        return registry.get_sample_value("assent_consumer_lag_records", {"topic": IN.value, "partition": str(last)})

    def progress() -> float:
        return registry.get_sample_value("assent_consumer_last_progress_timestamp_seconds", {"group": GROUP}) or 0.0

    await log.append(inputs("g-1", partition=last))
    observer = MetricsObserver(Metrics(registry), SystemClock())
    async with running(Runner(log, Worker(wait), member="a", clock=SystemClock(), observer=observer, settings=QUICK)):
        await until(lambda: lag() == 1)
        async with running(runner_of(log, Worker(), member="b")):
            await is_done(log, 1)
            await until(lambda: lag() is None)
            stood_at = progress()
            await until(lambda: progress() > stood_at)
