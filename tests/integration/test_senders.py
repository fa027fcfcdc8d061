"""Whose dead records suspend whom, over a real store: two processes, a restart, and those who would like a rival suspended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assent.deployment.build import open_blobs
from assent.events.content_mode import STRUCTURED_CONTENT
from assent.events.envelope import Event, decode, encode
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import ImageId, ProducerId, SightingId
from assent.intake.producer_window import ProducerCaps
from assent.intake.producers import CRAWLER, ProducerDirectory
from assent.intake.signature import sign_record
from assent.intake.standings import ProducerStandings, SuspensionReason
from assent.stream.clock import SystemClock
from assent.stream.outcomes import PoisonMessageError
from services.geofence.senders import Senders

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AGENCY, RIVAL = ProducerId("agency"), ProducerId("rival")
CAPS = ProducerCaps(window=10, max_dead_share=0.5, max_dead_in_a_row=4)


class Place:
    """A deployment with two producers and the crawler, and as many geofences as are asked for."""

    def __init__(self, folder: Path) -> None:
        self.keys = {name: Ed25519PrivateKey.generate() for name in (AGENCY, RIVAL, CRAWLER)}
        self.directory = ProducerDirectory(open_blobs(f"file:{folder / 'keys'}"), {CRAWLER: self.keys[CRAWLER].public_key()})
        self.standings = ProducerStandings(open_blobs(f"file:{folder / 'blobs'}"))

    async def register(self) -> None:
        for name in (AGENCY, RIVAL):
            await self.directory.register(name, self.keys[name].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def geofence(self) -> Senders:
        return Senders(producers=self.directory, standings=self.standings, caps=CAPS, clock=SystemClock())

    def malformed(self, number: int, *, named: ProducerId = AGENCY, by: ProducerId = AGENCY) -> StoredRecord:
        """Signed, and no event."""
        value = json.dumps({"sighting": {"producer": named, "number": number}}).encode()
        return stored(sign_record(Record(Topic.IMAGES_SCRAPED.value, b"k", value, (("ce_id", b"e"),)), self.keys[by]), number)

    def good(self, number: int, *, by: ProducerId = AGENCY) -> StoredRecord:
        sighting = Sighting(
            sighting_id=SightingId(f"s-{number}"),
            image_id=ImageId("i-1"),
            producer=by,
            source_kind=SourceKind.PRODUCER,
            blob=f"intake/{by}/" + "0" * 64,
            sha256="0" * 64,
            size_bytes=1,
            media_type="image/jpeg",
            fetched_at=NOW,
        )
        return stored(sign_record(encode(Event(f"e-{number}", "/x", NOW, ImageScraped(sighting=sighting))), self.keys[by]), number)


def stored(record: Record, offset: int) -> StoredRecord:
    return StoredRecord(record.topic, 0, offset, 0, record.key, record.value, record.headers)


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    await made.register()
    return made


async def send_dead(place: Place, senders: Senders, numbers: range) -> None:
    for number in numbers:
        await senders.unreadable(place.malformed(number))


async def send_good(senders: Senders, record: StoredRecord, *, by: ProducerId = AGENCY) -> None:
    """Raises PoisonMessageError where it is not taken."""
    await senders.require(by, record, event_id=decode(record).id)


async def test_dead_records_under_its_own_signature_suspend_a_producer_and_nobody_else(place: Place) -> None:
    senders = place.geofence()
    await send_dead(place, senders, range(3))
    await send_good(senders, place.good(10))
    await send_dead(place, senders, range(3, 4))
    with pytest.raises(PoisonMessageError, match="producer_suspended"):
        await send_good(senders, place.good(11))
    await send_good(senders, place.good(12, by=RIVAL), by=RIVAL)
    held = await place.standings.of(AGENCY)
    assert held is not None
    assert (held.reason, len(held.counted)) == (SuspensionReason.DEAD_IN_A_ROW, 4)


async def test_the_share_counts_too(place: Place) -> None:
    senders = place.geofence()
    for number in range(10):
        if number % 5 < 2:
            await senders.passed(AGENCY, place.good(number))
        else:
            await senders.dead(AGENCY, place.good(number))
    held = await place.standings.of(AGENCY)
    assert held is not None
    assert held.reason is SuspensionReason.DEAD_SHARE


async def test_a_suspension_holds_in_every_process_and_over_a_restart(place: Place) -> None:
    first, second = place.geofence(), place.geofence()
    await send_good(second, place.good(1))
    await send_dead(place, first, range(4))
    second.ask_anew()
    for senders in (second, place.geofence()):
        with pytest.raises(PoisonMessageError, match="producer_suspended"):
            await send_good(senders, place.good(2))


FORGERIES: dict[str, Callable[[Place, int], StoredRecord]] = {
    "signed by another": lambda place, number: place.malformed(number, by=RIVAL),
    "not signed": lambda place, number: replace(place.malformed(number), headers=(("ce_id", b"e"),)),
    "a copy": lambda place, number: replace(place.malformed(0), offset=number),
    "a good one under spoiled headers": lambda place, number: respelled(place.good(number)),
}


def respelled(record: StoredRecord) -> StoredRecord:
    return replace(record, headers=tuple((name, b"images.scraped.v9" if name == "ce_type" else value) for name, value in record.headers))


@pytest.mark.parametrize("kind", FORGERIES)
async def test_nobody_gets_a_rival_suspended(place: Place, kind: str) -> None:
    senders = place.geofence()
    for number in range(50):
        await senders.unreadable(FORGERIES[kind](place, number))
    assert await place.standings.suspended() == {}


async def test_after_its_end_a_suspension_is_not_brought_back_by_the_same_records(place: Place) -> None:
    senders = place.geofence()
    await send_dead(place, senders, range(4))
    await place.standings.resume(AGENCY, now=NOW)
    for after in (senders, place.geofence()):
        after.ask_anew()
        await send_dead(place, after, range(4))
        await send_good(after, place.good(1))
    await send_dead(place, senders, range(4, 7))
    await send_good(senders, place.good(2))
    await send_dead(place, senders, range(7, 8))
    assert set(await place.standings.suspended()) == {AGENCY}, "new ones count, from nought"


async def test_what_a_suspended_producer_sends_does_not_count(place: Place) -> None:
    senders = place.geofence()
    await place.standings.suspend(AGENCY, SuspensionReason.OPERATOR, now=NOW)
    await send_dead(place, senders, range(20))
    held = await place.standings.of(AGENCY)
    assert held is not None
    assert (held.reason, held.counted) == (SuspensionReason.OPERATOR, ())


async def test_our_own_crawler_is_never_suspended(place: Place) -> None:
    senders = place.geofence()
    for number in range(20):
        await senders.unreadable(place.malformed(number, named=CRAWLER, by=CRAWLER))
        await senders.dead(CRAWLER, place.good(number, by=CRAWLER))
    await send_good(senders, place.good(1, by=CRAWLER), by=CRAWLER)
    assert await place.standings.suspended() == {}


async def test_in_structured_mode_the_id_of_the_value_was_signed(place: Place) -> None:
    """A record that any client of CloudEvents writes: no header but the content type and the signature."""
    senders = place.geofence()
    for number in range(4):
        value = json.dumps({"id": f"e-{number}", "data": {"sighting": {"producer": AGENCY}}}).encode()
        signed = sign_record(Record(Topic.IMAGES_SCRAPED.value, b"k", value, (("ce_id", f"e-{number}".encode()),)), place.keys[AGENCY])
        headers = (("content-type", STRUCTURED_CONTENT), *(header for header in signed.headers if header[0] != "ce_id"))
        await senders.unreadable(replace(stored(signed, number), headers=headers))
    assert set(await place.standings.suspended()) == {AGENCY}


@pytest.mark.parametrize(("named", "cause"), [("nobody", "unknown_producer"), ("rival", "bad_signature")])
async def test_strangers_and_forgers_are_turned_away(place: Place, named: str, cause: str) -> None:
    with pytest.raises(PoisonMessageError, match=cause):
        await send_good(place.geofence(), place.good(1), by=ProducerId(named))
