"""What became of each image, read from the log without a group, as anybody with access to it could; it decides nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from assent.events.envelope import UnreadableEventError, decode
from assent.events.faces import FaceEmbedded
from assent.events.images import ImageRefused, ImageScraped
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.stream.event_log import EventLog, LogUnavailableError, Tail, TopicPartition

FOLLOWED = (Topic.IMAGES_SCRAPED, Topic.IMAGES_CLEARED, Topic.IMAGES_REFUSED, Topic.FACES_EMBEDDED)
PATIENCE_S = 90.0
EMBEDDED = "embedded"


class StoryStalledError(Exception):
    """Raised when images do not reach their end in time."""


@dataclass(frozen=True, slots=True)
class End:
    """How one sighting ended for one grant (or for none): its outcome, and the rules where it was refused."""

    sighting_id: str
    image_id: str | None
    grant_id: str | None
    stage: str
    outcome: str
    rules: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


@dataclass(slots=True)
class Course:
    """The fold. `records` keeps what a later replay appends again, byte for byte."""

    scraped: dict[str, str] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    face_ids: set[str] = field(default_factory=set)
    records: list[StoredRecord] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def apply(self, record: StoredRecord) -> End | None:
        """Take one record; the end it tells, if it tells a new one."""
        try:
            event = decode(record)
        except UnreadableEventError:
            return None
        if record.topic in (Topic.IMAGES_CLEARED.value, Topic.FACES_EMBEDDED.value):
            self.records.append(record)
        match event.data:
            case ImageScraped(sighting=sighting):
                self.scraped[sighting.sighting_id] = sighting.image_id
            case ImageRefused() as refused:
                return self._end(
                    event.id,
                    End(
                        refused.sighting_id,
                        refused.image_id,
                        refused.grant_id,
                        refused.stage.value,
                        refused.outcome,
                        tuple(refused.rules),
                        tuple(refused.candidates),
                    ),
                )
            case FaceEmbedded() as face:
                self.face_ids.add(face.face_id)
                return self._end(
                    event.id,
                    End(face.sighting_id, face.image_id, face.grant_id, "embedder", EMBEDDED, candidates=tuple(face.candidates)),
                )
        return None

    def outcomes(self) -> Counter[str]:
        """Outcome to number of images, each counted once: embedded if any grant embedded it, else by its last refusal."""
        by_image: dict[str, str] = {}
        for end in self.ends:
            name = end.image_id or end.sighting_id
            if by_image.get(name) != EMBEDDED:
                by_image[name] = end.outcome
        return Counter(by_image.values())

    def refused_by_rule(self) -> Counter[str]:
        """Rule id to number of images it refused."""
        named = {(end.image_id or end.sighting_id, rule) for end in self.ends for rule in end.rules}
        return Counter(rule for _, rule in named)

    def ended_images(self) -> set[str]:
        """The images, and the places never fetched, that have an end."""
        return {end.image_id or end.sighting_id for end in self.ends}

    def _end(self, event_id: str, end: End) -> End | None:
        if event_id in self._seen:
            return None
        self._seen.add(event_id)
        self.ends.append(end)
        return end


class CourseReader:
    """Follows the log in the background and tells each end as it comes."""

    def __init__(self, log: EventLog, *, on_end: Callable[[End], None]) -> None:
        self._log = log
        self._on_end = on_end
        self._tail: Tail | None = None
        self._task: asyncio.Task[None] | None = None
        self._grown = asyncio.Condition()
        self._skipped: dict[TopicPartition, int] = {}
        self.course = Course()

    async def start(self, *, from_now: bool = False) -> None:
        """Follow from the beginning, or leave out what the log holds already."""
        if from_now:
            self._skipped = await self._log.end_offsets([topic.value for topic in FOLLOWED])
        self._tail = await self._log.tail([topic.value for topic in FOLLOWED])
        self._task = asyncio.create_task(self._follow(self._tail))

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._tail is not None:
            await self._tail.close()

    async def until(self, reached: Callable[[Course], bool], *, what: str, patience_s: float = PATIENCE_S) -> None:
        """Return once the course is there. Raises StoryStalledError."""
        try:
            async with asyncio.timeout(patience_s), self._grown:
                await self._grown.wait_for(lambda: reached(self.course))
        except TimeoutError as error:
            raise StoryStalledError(f"{what} did not come about within {patience_s:.0f} s") from error

    async def _follow(self, tail: Tail) -> None:
        while True:
            try:
                records = await tail.poll(timeout_s=1.0)
            except LogUnavailableError:
                await asyncio.sleep(0.2)
                continue
            for record in records:
                is_old = record.offset < self._skipped.get(TopicPartition(record.topic, record.partition), 0)
                end = None if is_old else self.course.apply(record)
                if end is not None:
                    self._on_end(end)
            async with self._grown:
                self._grown.notify_all()
