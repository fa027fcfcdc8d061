"""Dead letters as staff see and replay them; a replay appends the record as it lies on the log, byte for byte, or not at all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from assent.deciding.fold import DECISION_TOPICS
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.identity.errors import ApiError
from assent.stream.clock import Clock
from assent.stream.dead_letter_reader import DeadLetterReader, LetterPage, Place, SourceState, place_of
from assent.stream.dead_letters import DeadLetter
from assent.stream.event_log import EventLog, RecordTooLargeError
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import DEAD_LETTERS_REPLAYED
from services.registry.replay_table import insert_replays, replayed_at
from services.registry.store import RegistryStore

MAX_COUNTED = 100_000
"""Newest letters of a topic that are counted; more are told of, not counted."""
SCANNED = 2_000
"""Letters read at once."""
MAX_SCANNED = 10_000
"""Letters that one request looks through for those it wants."""
_LOG = structlog.get_logger()


class Replayed(StrEnum):
    """What a replay came to for one letter. `would_replay` is the word of a dry run."""

    REPLAYED = "replayed"
    WOULD_REPLAY = "would_replay"
    ALREADY = "already_replayed"
    GONE = "gone"
    DIFFERS = "differs"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant: one place, one cause, or all where nothing is said."""

    partition: int | None = None
    offset: int | None = None
    cause: str | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """This letter is meant."""
        is_place = self.offset is None or (letter.partition, letter.offset) == (self.partition, self.offset)
        return is_place and (self.cause is None or letter.cause == self.cause)


@dataclass(frozen=True, slots=True)
class CauseCount:
    """Dead letters of one topic and cause. `kept` of them are about records that retention has left."""

    topic: Topic
    cause: str
    count: int
    kept: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """`is_partial`: some topic holds more letters than were counted. `unreadable`: what is there and is no dead letter."""

    causes: tuple[CauseCount, ...]
    is_partial: bool
    unreadable: int


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """One letter, what became of its record, and when it was replayed."""

    letter: DeadLetter
    source: SourceState
    replayed_at: datetime | None


class DeadLetterDesk:
    """One replay at a time. A crash between the append and its mark lets the record be appended twice, which ids make harmless."""

    def __init__(self, *, log: EventLog, store: RegistryStore, clock: Clock, metrics: Metrics) -> None:
        self._log = log
        self._reader = DeadLetterReader(log)
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._replaying = asyncio.Lock()

    async def counts(self, topics: Sequence[Topic]) -> Counted:
        """By topic and cause. A record that died twice, by a redelivery or in two services, counts once."""
        causes: list[CauseCount] = []
        is_partial, unreadable = False, 0
        for topic, (first, end) in (await self._reader.bounds(topics)).items():
            start = max(first, end - MAX_COUNTED)
            is_partial |= start > first
            letters: dict[Place, DeadLetter] = {}
            while start < end:
                page = await self._reader.page(topic, start=start, until=end, most=SCANNED)
                letters |= {place_of(letter): letter for letter in page.letters.values()}
                unreadable, start = unreadable + page.unreadable, page.next
            causes += _by_cause(topic, letters.values(), await self._reader.kept_from(topic)) if letters else ()
        return Counted(tuple(causes), is_partial, unreadable)

    async def show(self, topic: Topic, wanted: Wanted, *, start: int, most: int) -> tuple[tuple[ShownLetter, ...], LetterPage]:
        """The wanted letters from `start` on, at most `most`, and the page that says where to go on."""
        page = await self._found(topic, wanted, start=start, until=None, most=most)
        letters = list(page.letters.values())
        states = {letter: source.state async for letter, source in self._reader.sources(topic, letters)}
        marks = await self._store.read(lambda database: replayed_at(database, letters))
        return tuple(ShownLetter(letter, states[letter], marks.get(letter)) for letter in letters), page

    async def replay(
        self, topic: Topic, wanted: Wanted, *, start: int, until: int | None, most: int, is_dry_run: bool
    ) -> tuple[dict[DeadLetter, Replayed], LetterPage]:
        """The same, appended again. `until` keeps out letters that the replay itself brings about. Raises ApiError 409."""
        if topic in DECISION_TOPICS:
            raise ApiError(
                409,
                "no_replay",
                f"Records of {topic} are not replayed: every decider reads them whole, and the key of an unreadable one is denied.",
                "Find the writer of that offset, and have the registry write the record again.",
            )
        async with self._replaying:
            page = await self._found(topic, wanted, start=start, until=until, most=most)
            letters = list(page.letters.values())
            marks = await self._store.read(lambda database: replayed_at(database, letters))
            fresh = [letter for letter in letters if letter not in marks]
            came_to = dict.fromkeys(marks, Replayed.ALREADY) | await self._append(topic, fresh, is_dry_run=is_dry_run)
        if not is_dry_run:
            for outcome, count in Counter(came_to.values()).items():
                self._metrics.increase(DEAD_LETTERS_REPLAYED, count, topic=topic.value, outcome=outcome.value)
            _LOG.info("dead_letters_replayed", topic=topic.value, count=len(came_to))
        return came_to, page

    async def _found(self, topic: Topic, wanted: Wanted, *, start: int, until: int | None, most: int) -> LetterPage:
        """Read on until enough are found, each record once, or enough was looked through."""
        found: dict[int, DeadLetter] = {}
        places: set[Place] = set()
        limit = start + MAX_SCANNED
        while True:
            page = await self._reader.page(topic, start=start, until=until, most=SCANNED)
            for offset, letter in page.letters.items():
                if wanted.takes(letter) and place_of(letter) not in places:
                    places.add(place_of(letter))
                    found[offset] = letter
                if len(found) == most:
                    return LetterPage(found, offset + 1, page.end, page.unreadable)
            start, until = page.next, page.end
            if start >= min(until, limit):
                return LetterPage(found, start, until, page.unreadable)

    async def _append(self, topic: Topic, letters: Sequence[DeadLetter], *, is_dry_run: bool) -> dict[DeadLetter, Replayed]:
        came_to: dict[DeadLetter, Replayed] = {}
        try:
            async for letter, source in self._reader.sources(topic, letters):
                if source.record is None:
                    came_to[letter] = Replayed(source.state.value)
                elif is_dry_run:
                    came_to[letter] = Replayed.WOULD_REPLAY
                else:
                    came_to[letter] = await self._append_one(source.record)
        finally:
            # Also when the log went away half way: what was appended before is not appended again.
            done = [letter for letter, outcome in came_to.items() if outcome is Replayed.REPLAYED]
            await self._store.write(lambda database: insert_replays(database, done, now=self._clock.now()))
        return came_to

    async def _append_one(self, record: StoredRecord) -> Replayed:
        """Key, value, headers and partition stay, so that signatures hold and records of one key stay together."""
        try:
            await self._log.append([Record(record.topic, record.key, record.value, record.headers, record.partition)])
        except RecordTooLargeError:
            return Replayed.TOO_LARGE
        return Replayed.REPLAYED


def _by_cause(topic: Topic, letters: Iterable[DeadLetter], kept_from: dict[int, int]) -> list[CauseCount]:
    causes: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        causes.setdefault(letter.cause, []).append(letter)
    return [
        CauseCount(
            topic=topic,
            cause=cause,
            count=len(of_cause),
            kept=sum(letter.offset >= kept_from.get(letter.partition, letter.offset + 1) for letter in of_cause),
            oldest=min(letter.seen_at for letter in of_cause),
            newest=max(letter.seen_at for letter in of_cause),
        )
        for cause, of_cause in sorted(causes.items())
    ]
