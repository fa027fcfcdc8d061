"""Waiting until every stage has worked off its input, stage after stage, so that nothing is still on its way when it is counted."""

from __future__ import annotations

import asyncio

from assent.events.topics import Topic
from assent.stream.event_log import EventLog, TopicPartition
from demo.course import StoryStalledError

STAGES = (
    ("geofence", Topic.IMAGES_SCRAPED),
    ("consent", Topic.IMAGES_LOCATED),
    ("embedder", Topic.IMAGES_CLEARED),
    ("indexer", Topic.FACES_EMBEDDED),
)
LOOK_EVERY_S = 0.1


async def settled(log: EventLog, *, patience_s: float = 90.0) -> None:
    """Return once each group has committed everything that lay in its topic when it was its turn. Raises StoryStalledError.

    A stage commits only after its outputs are acknowledged, so one look per stage, first to last, is enough.
    """
    for group, topic in STAGES:
        ends = await log.end_offsets([topic.value])
        try:
            async with asyncio.timeout(patience_s):
                # Nobody tells an onlooker of a commit: there is no event to wait for.
                while not await _has_committed(log, group, topic, ends):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError as error:
            raise StoryStalledError(f"the stage {group} did not work off {topic.value} within {patience_s:.0f} s") from error


async def _has_committed(log: EventLog, group: str, topic: Topic, ends: dict[TopicPartition, int]) -> bool:
    committed = await log.committed(group, [topic.value])
    return all(committed.get(at, 0) >= end for at, end in ends.items())
