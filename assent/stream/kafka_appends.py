"""How records go to Apache Kafka's client: one by one when they are few, as whole batches when they are many; in order per partition.

The client makes a future for every record it is sent alone, which costs more than the record. But only what is sent alone shares a
batch with what other tasks send, so a few are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from assent.events.record import Record
from assent.stream.event_log import Position, TopicPartition

MANY = 16


class Appending:
    """One append on its way. `send` hands it over; `landed` is known once every future is done."""

    def __init__(self, producer: AIOKafkaProducer, records: Sequence[Record], places: Sequence[int]) -> None:
        self._producer = producer
        self._records = records
        self._places = places
        self._sent: list[tuple[asyncio.Future[Any], list[int]]] = []

    async def send(self) -> None:
        """Hand everything over to the client and wait until the broker answered for all of it, whatever it answered."""
        if len(self._records) < MANY:
            await self._send_each()
        else:
            await self._send_batches()
        if self._sent:
            await asyncio.wait([future for future, _ in self._sent])

    def landed(self) -> list[Position]:
        """Where each record lies. Raises what the client raised for the first that failed."""
        found: dict[int, Position] = {}
        for future, indexes in self._sent:
            first = future.result()
            found.update({index: Position(first.topic, first.partition, first.offset + n) for n, index in enumerate(indexes)})
        return [found[index] for index in range(len(self._records))]

    async def _send_each(self) -> None:
        for index, (record, part) in enumerate(zip(self._records, self._places, strict=True)):
            future = await self._producer.send(
                record.topic, key=record.key, value=record.value, headers=list(record.headers), partition=part
            )
            self._note(future, [index])

    async def _send_batches(self) -> None:
        of_partition: dict[TopicPartition, list[int]] = {}
        for index, (record, part) in enumerate(zip(self._records, self._places, strict=True)):
            of_partition.setdefault(TopicPartition(record.topic, part), []).append(index)
        waiting = list(of_partition.items())
        # A partition takes one batch at a time: a second one for it waits until all others have had their first.
        while waiting:
            left: list[tuple[TopicPartition, list[int]]] = []
            for at, indexes in waiting:
                batch = self._producer.create_batch()
                taken = self._fill(batch, indexes)
                self._note(await self._producer.send_batch(batch, at.topic, partition=at.partition), indexes[:taken])
                if taken < len(indexes):
                    left.append((at, indexes[taken:]))
            waiting = left

    def _fill(self, batch: Any, indexes: Sequence[int]) -> int:
        """As many as fit, at least one; closed, so that nobody else's record comes in between."""
        taken = 0
        for index in indexes:
            record = self._records[index]
            if batch.append(key=record.key, value=record.value, headers=list(record.headers), timestamp=None) is None:
                break
            taken += 1
        batch.close()
        if not taken:
            raise ValueError("the client takes no record of this size into a batch")
        return taken

    def _note(self, future: asyncio.Future[Any], indexes: list[int]) -> None:
        # A future that nobody awaits any more after a time-out must not complain that nobody asked.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._sent.append((future, indexes))
