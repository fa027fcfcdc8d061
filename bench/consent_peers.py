"""What a user would write instead of the consent filter: read, validate with the same model, write one record for each, commit.

None of them decides anything, checks a signature or keeps a table, and only one counts and carries traces: that flatters them. All wait
for every acknowledgement (acks=all); those of FastStream that take a message at a time commit now and then, the others after each batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import confluent_kafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.opentelemetry import KafkaTelemetryMiddleware
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import CollectorRegistry

from assent.events.images import ImageLocated
from assent.events.topics import Topic
from assent.stream.kafka_settings import KafkaSettings
from bench.consent_corpus import SAMPLED_OF
from bench.pair import Took

BATCH = 500
POLL_S = 0.5
FETCH_WAIT_MS = int(KafkaSettings().fetch_wait_s * 1000)
"""As ours: with a client's usual 500 ms a partition that is read to its end may hold up another for as long."""
LARGE_BATCH_BYTES = 262_144
"""As ours. The client's own is 16 kB."""
DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True)
class Course:
    """From where to where, and how many records make one round."""

    bootstrap_servers: str
    records: int
    source: str = Topic.IMAGES_LOCATED.value
    target: str = Topic.IMAGES_CLEARED.value


async def bare_send(course: Course) -> Took:
    """aiokafka as its guide shows it: one `send` per record, all awaited, then the commit; batches of the size that the client has."""
    return await _bare(course, _send_each)


async def bare_send_large(course: Course) -> Took:
    """The same with batches as large as ours."""
    return await _bare(course, _send_each, max_batch_size=LARGE_BATCH_BYTES)


async def _send_each(course: Course, producer: AIOKafkaProducer, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
    sent = []
    for records in found.values():
        for record in records:
            value = ImageLocated.model_validate_json(record.value).model_dump_json().encode()
            sent.append(await producer.send(course.target, value, key=record.key, headers=list(record.headers)))
    await asyncio.gather(*sent)


async def bare_send_batch(course: Course) -> Took:
    """aiokafka, whole batches built by hand, as large as ours: an output lies on the partition of its input."""
    return await _bare(course, _send_batches, max_batch_size=LARGE_BATCH_BYTES)


async def _send_batches(course: Course, producer: AIOKafkaProducer, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
    sent = []
    for at, records in found.items():
        batch = producer.create_batch()
        for record in records:
            value = ImageLocated.model_validate_json(record.value).model_dump_json().encode()
            if batch.append(key=record.key, value=value, timestamp=None, headers=list(record.headers)) is None:
                sent.append(await producer.send_batch(batch, course.target, partition=at.partition))
                batch = producer.create_batch()
                batch.append(key=record.key, value=value, timestamp=None, headers=list(record.headers))
        sent.append(await producer.send_batch(batch, course.target, partition=at.partition))
    await asyncio.gather(*sent)


async def _bare(course: Course, write: Any, **settings: int) -> Took:
    consumer = AIOKafkaConsumer(
        course.source,
        bootstrap_servers=course.bootstrap_servers,
        group_id=f"bare-{uuid4()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    producer = AIOKafkaProducer(bootstrap_servers=course.bootstrap_servers, acks="all", **settings)
    await producer.start()
    await consumer.start()
    left, began = course.records, 0.0
    try:
        while left > 0:
            found = await consumer.getmany(timeout_ms=int(POLL_S * 1000), max_records=BATCH)
            began = began or (time.perf_counter() if found else 0.0)
            if found:
                await write(course, producer, found)
                await consumer.commit({at: records[-1].offset + 1 for at, records in found.items()})
            left -= sum(len(records) for records in found.values())
        return Took(time.perf_counter() - began)
    finally:
        await consumer.stop()
        await producer.stop()


def confluent(course: Course) -> Took:
    """confluent-kafka, the same loop on librdkafka's threads."""
    servers = {"bootstrap.servers": course.bootstrap_servers}
    consumer = confluent_kafka.Consumer(
        {
            **servers,
            "group.id": f"confluent-{uuid4()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": FETCH_WAIT_MS,
        }
    )
    producer = confluent_kafka.Producer({**servers, "acks": "all", "linger.ms": 0, "queue.buffering.max.messages": 1_000_000})
    failed: list[object] = []
    consumer.subscribe([course.source])
    left, began = course.records, 0.0
    try:
        while left > 0:
            found = [record for record in consumer.consume(BATCH, timeout=POLL_S) if record.error() is None]
            began = began or (time.perf_counter() if found else 0.0)
            for record in found:
                value = ImageLocated.model_validate_json(record.value() or b"").model_dump_json().encode()
                producer.produce(
                    course.target,
                    value,
                    key=record.key(),
                    headers=record.headers(),
                    on_delivery=lambda error, _: failed.append(error) if error is not None else None,
                )
                producer.poll(0)
            if found:
                producer.flush()
                assert not failed, "the broker refused a record"
                consumer.commit(asynchronous=False)
            left -= len(found)
        return Took(time.perf_counter() - began)
    finally:
        consumer.close()


async def faststream_each(course: Course) -> Took:
    """FastStream as its guide shows it: a message is a model, and one is published for it. The client commits now and then."""
    return await _faststream_each(course, AckPolicy.ACK_FIRST)


async def faststream_watched(course: Course) -> Took:
    """The same with FastStream's own metrics and traces: contexts are carried on, and the spans of those sampled written to a file."""
    with tempfile.TemporaryFile("w+") as spans:
        traces = TracerProvider(sampler=ParentBased(TraceIdRatioBased(1 / SAMPLED_OF)))
        traces.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(out=spans, formatter=_line_of)))
        metrics = KafkaPrometheusMiddleware(registry=CollectorRegistry())
        try:
            return await _faststream_each(course, AckPolicy.ACK_FIRST, metrics, KafkaTelemetryMiddleware(tracer_provider=traces))
        finally:
            traces.shutdown()


def _line_of(span: ReadableSpan) -> str:
    """FastStream puts the key of a record among the attributes as bytes, which the exporter's own form cannot hold."""
    context = span.get_span_context()
    place = (context.trace_id, context.span_id) if context is not None else ()
    told = {"name": span.name, "place": place, "from": span.start_time, "to": span.end_time, "attributes": dict(span.attributes or {})}
    return json.dumps(told, default=repr) + "\n"


async def _faststream_each(course: Course, acknowledged: AckPolicy, *middlewares: Any) -> Took:
    broker = KafkaBroker(course.bootstrap_servers, acks="all", logger=None, middlewares=middlewares)
    count, publisher = _Count(course.records), broker.publisher(course.target)

    @broker.subscriber(
        course.source,
        group_id=f"faststream-{uuid4()}",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        ack_policy=acknowledged,
    )
    async def handle(located: ImageLocated) -> None:
        count.begin()
        await publisher.publish(located)
        count.end(1)

    return await _faststream(broker, count)


async def faststream_batch(course: Course) -> Took:
    """FastStream's batch subscriber and publisher; offsets are committed after each batch."""
    broker = KafkaBroker(course.bootstrap_servers, acks="all", logger=None, max_batch_size=1_000_000)
    count, publisher = _Count(course.records), broker.publisher(course.target, batch=True)

    @broker.subscriber(
        course.source,
        group_id=f"faststream-{uuid4()}",
        auto_offset_reset="earliest",
        batch=True,
        max_records=BATCH,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(located: list[ImageLocated]) -> None:
        count.begin()
        await publisher.publish(*located)
        count.end(len(located))

    return await _faststream(broker, count)


class _Count:
    """Notes when the first record was in hand and when the last one was written."""

    def __init__(self, records: int) -> None:
        self._left = records
        self._began = 0.0
        self.took = 0.0
        self.is_done = asyncio.Event()

    def begin(self) -> None:
        """Records are in hand."""
        self._began = self._began or time.perf_counter()

    def end(self, records: int) -> None:
        """So many were written and acknowledged."""
        self._left -= records
        if self._left <= 0:
            self.took = time.perf_counter() - self._began
            self.is_done.set()


async def _faststream(broker: KafkaBroker, count: _Count) -> Took:
    running = asyncio.create_task(FastStream(broker, logger=None).run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await count.is_done.wait()
    finally:
        await broker.stop()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return Took(count.took)
