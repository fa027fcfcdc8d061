"""Records of the past written to their topics again, as a mirror that was set up wrongly would; nothing of them is changed."""

from __future__ import annotations

from random import Random

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

TOPICS = ("images.scraped", "images.located", "images.cleared", "faces.embedded", "grants", "erasures.requested")
MOST = 200


async def replay(bootstrap: str, topic: str, chance: Random, *, partitions: int) -> int:
    """Append a run of old records of this topic again; how many."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await consumer.start()
    await producer.start()
    try:
        at = TopicPartition(topic, chance.randrange(partitions))
        consumer.assign([at])
        first, end = (await consumer.beginning_offsets([at]))[at], (await consumer.end_offsets([at]))[at]
        if first >= end:
            return 0
        consumer.seek(at, chance.randrange(first, end))
        records = [record for batch in (await consumer.getmany(timeout_ms=2_000, max_records=MOST)).values() for record in batch]
        for record in records:
            await producer.send_and_wait(topic, record.value, key=record.key, headers=list(record.headers), partition=at.partition)
        return len(records)
    finally:
        await producer.stop()
        await consumer.stop()
