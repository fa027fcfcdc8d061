"""The consent filter over a broker, whole: the runner and the processor of the service, between two topics of Apache Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from prometheus_client import CollectorRegistry

from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.deployment.build import open_blobs
from assent.deployment.garbage import spare_the_tables
from assent.deployment.observer import MetricsObserver
from assent.events.topics import all_topics
from assent.intake.stage_signatures import StageSignatures
from assent.keys.deployment_keys import DeploymentKeys
from assent.stream.clock import SystemClock
from assent.stream.kafka import KafkaEventLog
from assent.stream.runner import Runner
from assent.telemetry.meter import Metrics
from assent.telemetry.span_file import SpanFile
from assent.testing.kafka_broker import ApacheKafka, Broker, Tansu
from bench import consent_peers as peers
from bench.consent_corpus import SAMPLED_OF, corpus
from bench.pair import Case, Took
from services.consent.app import RUNNER
from services.consent.processor import ConsentProcessor
from tools.outside_programs import find_kafka

GRANTS = 10_000
IMAGES = 5_000


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """Ours against each peer in turn, over the same records on the same broker."""
    jars = find_kafka()
    found = corpus(folder / "keys", images=200 if quick else IMAGES, grants=100 if quick else GRANTS)
    with ApacheKafka(jars) if jars is not None else Tansu() as broker:
        loop = asyncio.new_event_loop()
        log = broker.event_log()
        house = House(log, folder)
        loop.run_until_complete(house.open())
        try:
            loop.run_until_complete(_append(log, [*found.tables, *found.images]))
            loop.run_until_complete(house.settle())
            course = peers.Course(broker.bootstrap_servers, len(found.images))
            yield _cases(loop, house, course, f"{_name(broker)}, values of {found.value_bytes} bytes, one trace in {SAMPLED_OF} sampled")
        finally:
            loop.run_until_complete(house.close())
            loop.close()


def _cases(loop: asyncio.AbstractEventLoop, house: House, course: peers.Course, setting: str) -> list[Case]:
    def ours() -> Took:
        return loop.run_until_complete(house.filter_all(course.records))

    against = {
        "FastStream, a message at a time, with its own metrics and traces; it decides nothing": peers.faststream_watched,
        "FastStream, a message at a time, with neither; it decides nothing": peers.faststream_each,
        "FastStream, batches of 500; it decides nothing": peers.faststream_batch,
        "a bare aiokafka loop, 500 a turn, send; it decides nothing": peers.bare_send,
        "the same with batches as large as ours; it decides nothing": peers.bare_send_large,
        "a bare aiokafka loop, 500 a turn, send_batch; it decides nothing": peers.bare_send_batch,
    }
    made = [
        Case(
            name="consent filter, Kafka to Kafka",
            against=name,
            units=course.records,
            unit="records",
            ours=ours,
            theirs=lambda work=work: loop.run_until_complete(work(course)),  # type: ignore[misc]
            quality=lambda: f"{setting}; {house.told()}",
        )
        for name, work in against.items()
    ]
    made.append(
        Case(
            name="consent filter, Kafka to Kafka",
            against="a confluent-kafka loop, batches of 500; it decides nothing",
            units=course.records,
            unit="records",
            ours=ours,
            theirs=lambda: peers.confluent(course),
            quality=lambda: f"{setting}; {house.told()}",
        )
    )
    return made


class House:
    """What one process of the service holds, built as the service builds it."""

    def __init__(self, log: KafkaEventLog, folder: Path) -> None:
        keys = DeploymentKeys.load(folder / "keys")
        self._log = log
        self._clock = SystemClock()
        self._signatures = StageSignatures(keys)
        self._tables = DecisionTables(log, public=keys.public, clock=self._clock)
        self._quarantine = Quarantine(open_blobs(f"file:{folder / 'blobs'}"), keys.quarantine_key)
        self._observer = _Observer()
        self._spans = SpanFile(folder / "spans.jsonl", service="consent")

    async def open(self) -> None:
        """Connect and create the topics."""
        self._spans.open()
        await self._log.start()
        await self._log.ensure_topics(all_topics())
        await self._tables.start()

    async def settle(self) -> None:
        """As a process of the service does once its tables are ready."""
        await self._tables.catch_up(60.0)
        await spare_the_tables(self._tables)

    async def close(self) -> None:
        """Let go."""
        await self._tables.stop()
        await self._log.close()
        self._spans.close()

    async def filter_all(self, records: int) -> Took:
        """A new group reads everything; timed from the first batch in hand to the last commit."""
        await self._tables.catch_up(30.0)
        processor = _Processor(
            gate=Gate(self._tables.fold, self._clock), tables=self._tables, quarantine=self._quarantine, catch_up_timeout_s=5.0
        )
        runner = Runner(
            self._log,
            processor,
            member=f"bench-{uuid4()}",
            group=f"consent-{uuid4()}",
            clock=self._clock,
            observer=self._observer,
            settings=RUNNER,
            tables=(self._tables,),
            is_genuine=self._signatures.holds,
            signed=lambda record: self._signatures.signed(record, processor.name),
            spans=self._spans,
        )
        self._observer.begin(records, runner)
        await runner.run()
        return Took(self._observer.ended - processor.began)

    def told(self) -> str:
        """Time in the filter, and what became of the records."""
        return self._observer.told()


class _Processor(ConsentProcessor):
    """The service's own, which notes when its first batch was in hand."""

    began = 0.0

    async def before_batch(self) -> None:
        self.began = self.began or time.perf_counter()
        await super().before_batch()


class _Observer(MetricsObserver):
    """The service's own, which ends the run with its last record. Time inside: decoded, verified, decided, encoded."""

    def __init__(self) -> None:
        super().__init__(Metrics(CollectorRegistry()), SystemClock())
        self._left = 0
        self._runner: Runner | None = None
        self._seconds: list[float] = []
        self._seen: dict[str, int] = {}
        self.ended = 0.0

    def begin(self, records: int, runner: Runner) -> None:
        """So many are awaited."""
        self._left, self._runner = records, runner

    def finished(self, stage: str, outcome: str, reason: str, seconds: float) -> None:
        super().finished(stage, outcome, reason, seconds)
        self._seconds.append(seconds)
        self._seen[outcome] = self._seen.get(outcome, 0) + 1
        self._left -= 1
        if self._left == 0 and self._runner is not None:
            self.ended = time.perf_counter()
            self._runner.stop()

    def told(self) -> str:
        """In microseconds."""
        ordered = sorted(self._seconds)
        half, most = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
        parts = ", ".join(f"{outcome} {count / len(ordered):.0%}" for outcome, count in sorted(self._seen.items()))
        return f"a record is {half * 1e6:.0f} us in the filter, p99 {most * 1e6:.0f} us; {parts}"


async def _append(log: KafkaEventLog, records: list) -> None:  # type: ignore[type-arg]
    for start in range(0, len(records), 500):
        await log.append(records[start : start + 500])


def _name(broker: Broker) -> str:
    return "Apache Kafka" if isinstance(broker, ApacheKafka) else "Tansu, in memory, since no Java is here"
