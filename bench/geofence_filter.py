"""The geofence on real files: the processor of the service on sealed originals, and its reading of places against Pillow's EXIF."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD
from prometheus_client import CollectorRegistry

from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.deployment.build import open_blobs
from assent.events.envelope import Event, encode, event_id
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.geofence.areas import AreaIndex
from assent.geofence.extract import image_evidence
from assent.geofence.policy import Policy
from assent.intake.producers import CRAWLER, ProducerDirectory
from assent.intake.signature import sign_record
from assent.intake.standings import ProducerStandings
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.stream.clock import SystemClock
from assent.stream.local import SqliteEventLog
from assent.stream.outcomes import Emit
from assent.telemetry.meter import Metrics
from bench.consent_corpus import corpus
from bench.pair import Case
from bench.photographs import FORMATS, photographs
from services.geofence.processor import GeofenceProcessor
from services.geofence.senders import Senders
from services.geofence.settings import GeofenceSettings
from services.registry.policy_file import read_policy

PHOTOGRAPHS = "ASSENT_BENCH_PHOTOGRAPHS"
"""Names a folder of photographs to measure on, in place of pictures that are made here."""


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """Ours reads EXIF, XMP and IPTC and places what it finds on the map; Pillow reads EXIF alone and knows no map."""
    given = os.environ.get(PHOTOGRAPHS)
    files = photographs(Path(given) if given else None)
    paths = [folder / f"{number}.image" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    times = 1 if quick else 5
    areas, policy = AreaIndex.load(), Policy.from_canonical_json(read_policy(None).document)

    def evidence() -> list[int]:
        return [len(image_evidence(path.read_bytes(), areas=areas, location=policy.location)) for path in paths * times]

    def exif() -> list[int]:
        return [_exif_place(path.read_bytes()) is not None for path in paths * times]

    found = f"{sum(count > 0 for count in evidence()) // times} to {sum(exif()) // times} of {len(files)} files tell a place"
    sizes = sorted(len(data) for data in files)
    setting = f"{len(files)} files ({', '.join(FORMATS)}), {sizes[0] // 1000} to {sizes[-1] // 1000} kB"
    house = _House(folder, areas, files)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(house.open())
    try:
        yield [
            Case(
                name="geofence: places in a file",
                against="Pillow's EXIF alone, degrees in decimals, no map",
                units=len(files) * times,
                unit="files",
                ours=evidence,
                theirs=exif,
                quality=f"{setting}; {found}",
            ),
            Case(
                name="geofence: the whole filter",
                against="Pillow's EXIF alone, degrees in decimals, no map, no decision",
                units=len(files) * times,
                unit="files",
                ours=lambda: [loop.run_until_complete(house.filter(number)) for number in [*range(len(files))] * times],
                theirs=exif,
                quality=lambda: f"{setting}; {house.told()}",
            ),
        ]
    finally:
        loop.close()


def _exif_place(data: bytes) -> tuple[float, float] | None:
    """What a user would write."""
    with Image.open(io.BytesIO(data)) as picture:
        gps = picture.getexif().get_ifd(IFD.GPSInfo)
    if not gps:
        return None
    latitude, longitude = (sum(float(part) / 60**power for power, part in enumerate(gps[tag])) for tag in (2, 4))
    return (latitude if gps[1] == "N" else -latitude), (longitude if gps[3] == "E" else -longitude)


class _House:
    """The processor with everything it asks: the sealed originals on disk, the producers' keys, a ledger, the policy, the map."""

    def __init__(self, folder: Path, areas: AreaIndex, files: list[bytes]) -> None:
        self._facts = corpus(folder / "keys", images=1, grants=1_000)
        keys, clock = DeploymentKeys.load(folder / "keys"), SystemClock()
        self._keys = keys
        self._files = files
        self._records: list[tuple[Event[EventPayload], StoredRecord]] = []
        self._identifiers = ImageIds(keys)
        self._quarantine = Quarantine(open_blobs(f"file:{folder / 'blobs'}"), keys.quarantine_key)
        tables = DecisionTables(SqliteEventLog(folder / "log.db"), public=keys.public, clock=clock)
        self._fold = tables.fold
        store = open_blobs(f"file:{folder / 'producers'}")
        directory = ProducerDirectory(store, {CRAWLER: keys.producer_signing_key(CRAWLER).public_key()})
        senders = Senders(producers=directory, standings=ProducerStandings(store), caps=GeofenceSettings().caps(), clock=clock)
        self._processor = GeofenceProcessor(
            gate=Gate(tables.fold, clock),
            quarantine=self._quarantine,
            senders=senders,
            identifiers=self._identifiers,
            areas=areas,
            tables=tables,
            metrics=Metrics(CollectorRegistry()),
            catch_up_timeout_s=5.0,
        )
        self._seconds: list[float] = []
        self._passed = 0

    async def open(self) -> None:
        """Seal the originals and read the ledger."""
        for offset, record in enumerate(self._facts.tables):
            self._fold.apply(StoredRecord(record.topic, 0, offset, 0, record.key, record.value, record.headers))
        for number, data in enumerate(self._files):
            event = await self._scraped(number, data)
            record = sign_record(encode(event), self._keys.producer_signing_key(CRAWLER))
            self._records.append((event, StoredRecord(record.topic, 0, number, 0, record.key, record.value, record.headers)))

    async def filter(self, number: int) -> None:
        """One record, timed."""
        event, record = self._records[number]
        started = time.perf_counter()
        outcome = await self._processor.handle(event, record)
        self._seconds.append(time.perf_counter() - started)
        self._passed += isinstance(outcome, Emit)

    def told(self) -> str:
        """Time in the filter and how many passed."""
        ordered = sorted(self._seconds)
        half, most = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
        share = self._passed / len(ordered)
        return f"a file is {half * 1e3:.2f} ms in the filter, p99 {most * 1e3:.2f} ms; fetched, unsealed, hashed, placed; {share:.0%} pass"

    async def _scraped(self, number: int, data: bytes) -> Event[EventPayload]:
        # Under grant 1: one in twenty, beginning with 0, is withdrawn.
        url, image_id = f"https://site.example/p/1/{number}.jpg", self._identifiers.image_id(data)
        sighting_id = self._identifiers.sighting_id(final_url=url, image_id=image_id, producer=CRAWLER)
        sighting = Sighting(
            sighting_id=sighting_id,
            image_id=image_id,
            producer=CRAWLER,
            source_kind=SourceKind.WEB_PAGE,
            blob=await self._quarantine.put(sighting_id, data),
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            media_type="image/jpeg",
            final_url=url,
            fetched_at=datetime.now(UTC),
        )
        return Event(event_id("scraped", number), "/assent/crawler", datetime.now(UTC), ImageScraped(sighting=sighting))
