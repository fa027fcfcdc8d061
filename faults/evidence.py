"""Log, offsets and points read raw, by clients that the services do not share: what lies there, not what our code makes of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

Json = dict[str, Any]
COLLECTION = "faces"
GROUPS = {
    "geofence": "images.scraped",
    "consent": "images.located",
    "embedder": "images.cleared",
    "indexer": "faces.embedded",
}
_ENDS = "SELECT part, MAX(next, COALESCE((SELECT MAX(offset) + 1 FROM records WHERE lane = lanes.lane), 0)) FROM lanes WHERE topic = ?"
READ = (
    "images.scraped",
    "images.located",
    "images.cleared",
    "images.refused",
    "faces.embedded",
    "grants",
    "withdrawals",
    "erasures.progressed",
)
DEAD = ("images.scraped.dlq", "images.located.dlq", "images.cleared.dlq", "faces.embedded.dlq")


@dataclass(slots=True)
class Evidence:
    """Values per topic in order of their partitions, points of the store, records that no group has done, dead letters."""

    topics: dict[str, list[Json]] = field(default_factory=dict)
    points: list[Json] = field(default_factory=list)
    undone: dict[str, int] = field(default_factory=dict)

    @property
    def dead(self) -> list[Json]:
        """Every dead letter of the image and face topics."""
        return [letter for topic in DEAD for letter in self.topics.get(topic, [])]


async def from_kafka(bootstrap: str, store_url: str) -> Evidence:
    """Everything that a broker and a store hold."""
    found = Evidence(points=[point async for point in points(store_url)])
    for topic in (*READ, *DEAD):
        found.topics[topic] = [json.loads(value) async for value in _values(bootstrap, topic)]
    found.undone = await _undone(bootstrap)
    return found


async def from_file(path: Path, store_url: str) -> Evidence:
    """The same from the file of the embedded log, whose process has ended."""
    found = Evidence(points=[point async for point in points(store_url)])
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for topic in (*READ, *DEAD):
            rows = database.execute("SELECT value FROM records JOIN lanes USING (lane) WHERE topic = ? ORDER BY part, offset", (topic,))
            found.topics[topic] = [json.loads(value) for (value,) in rows if value is not None]
        found.undone = dict(_undone_in_file(database))
    finally:
        database.close()
    return found


async def points(store_url: str) -> AsyncIterator[Json]:
    """Id and payload of every point, by Qdrant's own interface."""
    async with aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=30)) as session:
        after = None
        while True:
            page = {"limit": 256, "with_payload": True, "with_vector": False} | ({} if after is None else {"offset": after})
            async with session.post(f"{store_url}/collections/{COLLECTION}/points/scroll", json=page) as response:
                response.raise_for_status()
                answer = (await response.json())["result"]
            for point in answer["points"]:
                yield {"id": point["id"], **point["payload"]}
            after = answer.get("next_page_offset")
            if after is None:
                return


async def _values(bootstrap: str, topic: str) -> AsyncIterator[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, part) for part in sorted(await _partitions(bootstrap, topic))]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for at, first in (await consumer.beginning_offsets(partitions)).items():
            consumer.seek(at, first)
        while any([await consumer.position(at) < end for at, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    if record.value is not None:
                        yield record.value
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str, topic: str) -> list[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
        return [one["partition"] for one in described["partitions"]]
    finally:
        await admin.close()


async def _undone(bootstrap: str) -> dict[str, int]:
    """Per group the records between its committed offsets and the end."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        undone: dict[str, int] = {}
        for group, topic in GROUPS.items():
            partitions = [TopicPartition(topic, part) for part in await _partitions(bootstrap, topic)]
            ends = await consumer.end_offsets(partitions)
            committed = await admin.list_consumer_group_offsets(group)
            undone[group] = sum(end - max(0, committed[at].offset if at in committed else 0) for at, end in ends.items())
        return undone
    finally:
        await consumer.stop()
        await admin.close()


def _undone_in_file(database: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    for group, topic in GROUPS.items():
        ends = dict(database.execute(_ENDS, (topic,)).fetchall())
        done = dict(database.execute("SELECT part, next FROM committed WHERE grp = ? AND topic = ?", (group, topic)).fetchall())
        yield group, sum(end - done.get(part, 0) for part, end in ends.items())
