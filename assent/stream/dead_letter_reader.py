"""Reads dead letters back, and the records they are about as far as those still live; a letter never brings a payload with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import EventLog, TopicPartition

PARTITION = 0
"""Topics of dead letters have one partition."""

SPAN = 32
"""Records read at once to find several near each other: one read costs a connection, and a record may hold a megabyte."""

Place: TypeAlias = "tuple[str, int, int]"


class SourceState(StrEnum):
    """What became of the record that a letter is about. `differs`: another lies at its place; `damaged`: the log cannot give it."""

    LIVES = "lives"
    GONE = "gone"
    DIFFERS = "differs"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class FoundSource:
    """The record of a letter, present only while it lives."""

    state: SourceState
    record: StoredRecord | None = None


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Letters by their own offsets, in the order in which they were written.

    `next` is where to go on, `end` where to stop; `unreadable` counts records between that are no dead letters.
    """

    letters: dict[int, DeadLetter]
    next: int
    end: int
    unreadable: int


class DeadLetterReader:
    """Without a group: reading changes nothing."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def bounds(self, topics: Iterable[Topic]) -> dict[Topic, tuple[int, int]]:
        """Per topic the first offset of its dead letters and the one after the last. Raises LogUnavailableError."""
        wanted = list(topics)
        names = [topic.dead_letters for topic in wanted]
        first, end = await self._log.beginning_offsets(names), await self._log.end_offsets(names)
        return {topic: (first[_at(topic)], end[_at(topic)]) for topic in wanted}

    async def page(self, topic: Topic, *, start: int, until: int | None, most: int) -> LetterPage:
        """At most `most` letters from the offset `start` on, and none at `until` or after it. Raises LogUnavailableError."""
        first, end = (await self.bounds([topic]))[topic]
        until = end if until is None else min(until, end)
        start = max(start, first)
        if start >= until:
            return LetterPage({}, until, until, 0)
        found = await self._log.read(_at(topic), start, max_records=most)
        records = [record for record in found if record.offset < until and not record.is_marker]
        read = {record.offset: _letter(record) for record in records}
        letters = {offset: letter for offset, letter in read.items() if letter is not None and letter.topic == topic.value}
        following = min(until, found[-1].offset + 1) if found else until
        return LetterPage(letters, following, until, len(records) - len(letters))

    async def kept_from(self, topic: Topic) -> dict[int, int]:
        """Per partition of the topic itself the first offset that is left. Raises LogUnavailableError."""
        return {at.partition: offset for at, offset in (await self._log.beginning_offsets([topic.value])).items()}

    async def sources(self, topic: Topic, letters: Sequence[DeadLetter]) -> AsyncIterator[tuple[DeadLetter, FoundSource]]:
        """Each letter with its record, in the order of their places, a few at a time. Raises LogUnavailableError."""
        first, end = await self.kept_from(topic), await self._log.end_offsets([topic.value])
        for span in _spans(letters):
            at = TopicPartition(topic.value, span[0].partition)
            kept = [letter for letter in span if at in end and first[at.partition] <= letter.offset < end[at]]
            read: list[StoredRecord] = []
            if kept:
                read = await self._log.read(at, kept[0].offset, max_records=kept[-1].offset - kept[0].offset + 1)
            by_offset = {record.offset: record for record in read}
            for letter in span:
                yield letter, _found(letter, by_offset.get(letter.offset))


def place_of(letter: DeadLetter) -> Place:
    """Topic, partition and offset of the record that the letter is about."""
    return letter.topic, letter.partition, letter.offset


def _found(letter: DeadLetter, record: StoredRecord | None) -> FoundSource:
    if record is None or record.is_marker:
        return FoundSource(SourceState.GONE)
    if record.damage is not None:
        return FoundSource(SourceState.DAMAGED)
    return FoundSource(SourceState.LIVES, record) if letter.is_about(record) else FoundSource(SourceState.DIFFERS)


def _spans(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Letters of one partition that lie near each other."""
    span: list[DeadLetter] = []
    for letter in sorted(letters, key=lambda letter: (letter.partition, letter.offset)):
        if span and (letter.partition != span[0].partition or letter.offset - span[0].offset >= SPAN):
            yield span
            span = []
        span.append(letter)
    if span:
        yield span


def _letter(record: StoredRecord) -> DeadLetter | None:
    try:
        return DeadLetter.from_record(record)
    except ValueError:
        return None


def _at(topic: Topic) -> TopicPartition:
    return TopicPartition(topic.dead_letters, PARTITION)
