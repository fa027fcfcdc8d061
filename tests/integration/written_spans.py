"""What seven processes wrote of their steps: each vector's way from the crawl to the index, and nothing that names a person."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.events.topics import Topic
from assent.stream.event_log import EventLog
from tests.flow.expected_story import OUTCOMES

WAY = ("crawler", "geofence", "consent", "embedder", "indexer")
READ_BY = {
    "geofence": Topic.IMAGES_SCRAPED,
    "consent": Topic.IMAGES_LOCATED,
    "embedder": Topic.IMAGES_CLEARED,
    "indexer": Topic.FACES_EMBEDDED,
}


@dataclass(frozen=True, slots=True)
class WrittenSpan:
    """One span as a process wrote it."""

    service: str
    trace_id: str
    span_id: str
    parent_id: str
    began_ns: int
    attributes: Mapping[str, Any]


async def keys_on(log: EventLog) -> set[str]:
    """Every key of the topics that a span speaks of: sightings and grants."""
    found: set[str] = set()
    topics = [Topic.IMAGES_SCRAPED.value, *(topic.value for topic in READ_BY.values())]
    for at, end in (await log.end_offsets(topics)).items():
        if end:
            found |= {record.key.decode() for record in await log.read(at, 0, max_records=end)}
    return found


def check_traces(files: Mapping[str, Path], *, secrets: Collection[str]) -> None:
    """Every vector of the story was led to by one trace, step by step, each the child of the one before."""
    texts = {service: path.read_text() for service, path in files.items()}
    for service, text in texts.items():
        assert not [secret for secret in secrets if secret in text], service
        assert "http" not in text
    by_id = {span.span_id: span for service, text in texts.items() for span in _spans(service, text)}
    ways = [_way(span, by_id) for span in by_id.values() if span.service == "indexer" and span.attributes["assent.reason"] == "indexed"]
    assert len(ways) >= OUTCOMES["embedded"]
    for way in ways:
        assert tuple(span.service for span in way) == WAY
        assert len({span.trace_id for span in way}) == 1
        assert way[0].parent_id == ""
        assert [span.began_ns for span in way] == sorted(span.began_ns for span in way)
        for span in way[1:]:
            assert span.attributes["messaging.destination.name"] == READ_BY[span.service]
            assert span.attributes["messaging.consumer.group.name"] == span.service


def _way(last: WrittenSpan, by_id: Mapping[str, WrittenSpan]) -> list[WrittenSpan]:
    """From the first step to `last`."""
    way = [last]
    while way[0].parent_id:
        way.insert(0, by_id[way[0].parent_id])
    return way


def _spans(service: str, text: str) -> list[WrittenSpan]:
    found: list[WrittenSpan] = []
    for line in text.splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": service}}]
            found += [_read(service, span) for scope in resource["scopeSpans"] for span in scope["spans"]]
    return found


def _read(service: str, span: Mapping[str, Any]) -> WrittenSpan:
    attributes = {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
    return WrittenSpan(service, span["traceId"], span["spanId"], span["parentSpanId"], int(span["startTimeUnixNano"]), attributes)
