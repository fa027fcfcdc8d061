"""Who sent a record, and whether too much of what a producer sends is dead: then that producer is suspended, and nobody else."""

from __future__ import annotations

from datetime import datetime

import structlog

from assent.events.record import StoredRecord
from assent.ids import ProducerId
from assent.intake.attribution import is_readable_as_signed
from assent.intake.producer_window import ProducerCaps, ProducerWindow, record_digest
from assent.intake.producers import INNER_PRODUCERS, ProducerDirectory
from assent.intake.proven_sender import proven_sender
from assent.intake.signature import is_signed_by
from assent.intake.standings import ProducerStanding, ProducerStandings, SuspensionReason
from assent.stream.clock import Clock
from assent.stream.outcomes import PoisonMessageError

SUSPENDED = "producer_suspended"
_LOG = structlog.get_logger()


class Senders:
    """Counts per producer, as far as this process sees its records; the suspension itself holds for every process.

    Only what a producer's own signature stands under counts against it. The crawler and the uploads are ours and never suspended.
    """

    def __init__(self, *, producers: ProducerDirectory, standings: ProducerStandings, caps: ProducerCaps, clock: Clock) -> None:
        self._producers = producers
        self._standings = standings
        self._caps = caps
        self._clock = clock
        self._asked: dict[ProducerId, ProducerStanding | None] = {}
        self._windows: dict[ProducerId, tuple[datetime | None, ProducerWindow]] = {}

    def ask_anew(self) -> None:
        """Before a batch: a suspension or its end that was written meanwhile is seen now."""
        self._asked.clear()

    async def require(self, producer: ProducerId, record: StoredRecord, *, event_id: str) -> None:
        """A known producer signed this and is not suspended. Raises PoisonMessageError, RetryLaterError."""
        public_key = await self._producers.public_key(producer)
        if public_key is None:
            raise PoisonMessageError("unknown_producer")
        if not is_signed_by(record, public_key, event_id=event_id):
            raise PoisonMessageError("bad_signature")
        if await self._is_suspended(producer):
            raise PoisonMessageError(SUSPENDED)

    async def passed(self, producer: ProducerId, record: StoredRecord) -> None:
        """The record could be handled; what became of it then does not matter here."""
        if producer not in INNER_PRODUCERS:
            (await self._window(producer)).note(record_digest(record), is_dead=False)

    async def dead(self, producer: ProducerId, record: StoredRecord) -> None:
        """A record under this producer's signature is dead; the producer may be suspended by it. Raises RetryLaterError."""
        if producer in INNER_PRODUCERS or await self._is_suspended(producer):
            return
        window = await self._window(producer)
        is_new = window.note(record_digest(record), is_dead=True)
        reason = window.exceeded()
        if is_new and reason is not None:
            await self._suspend(producer, reason, window)

    async def unreadable(self, record: StoredRecord) -> None:
        """The same for a record that is no event; under nobody's signature it counts for nobody. Raises RetryLaterError."""
        producer = await proven_sender(record, self._producers)
        if producer is not None and not is_readable_as_signed(record):
            await self.dead(producer, record)

    async def _suspend(self, producer: ProducerId, reason: SuspensionReason, window: ProducerWindow) -> None:
        self._asked[producer] = await self._standings.suspend(producer, reason, now=self._clock.now(), counted=window.dead())
        _LOG.warning("producer_suspended", producer=producer, reason=reason.value)

    async def _is_suspended(self, producer: ProducerId) -> bool:
        standing = None if producer in INNER_PRODUCERS else await self._standing(producer)
        return standing is not None and standing.is_suspended

    async def _standing(self, producer: ProducerId) -> ProducerStanding | None:
        if producer not in self._asked:
            self._asked[producer] = await self._standings.of(producer)
        return self._asked[producer]

    async def _window(self, producer: ProducerId) -> ProducerWindow:
        """Begun anew whenever the standing changed: what led to a suspension does not count after its end."""
        standing = await self._standing(producer)
        since = standing.since if standing is not None else None
        held = self._windows.get(producer)
        if held is None or held[0] != since:
            held = (since, ProducerWindow(self._caps, ignored=standing.counted if standing is not None else ()))
            self._windows[producer] = held
        return held[1]
