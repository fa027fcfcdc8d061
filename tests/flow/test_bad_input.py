"""Bad pictures and bad events over the whole product: each ends in one counted outcome, and the pipeline goes on."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageOps

from assent.events.envelope import Event, encode
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.events.record import Record
from assent.events.topics import Topic
from assent.ids import ImageId, ProducerId, SightingId
from demo import photos
from demo.command import demo_layout
from demo.control import show_control
from demo.course import CourseReader, StoryStalledError
from demo.embedded_world import EmbeddedWorld
from demo.first_act import Stage
from demo.report import Report
from demo.settled import settled
from demo.site import PORTRAITS, DemoSite, Photo
from demo.state import DemoState
from demo.subject import PORTRAITS_GRANT, portraits_request

pytestmark = pytest.mark.timeout(180)


def portrait() -> Image.Image:
    return Image.open(io.BytesIO(photos.portrait(photos.Look(side=420))))


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return buffer.getvalue()


def turned() -> bytes:
    """A picture that lies on its side, and an orientation that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(portrait().rotate(90, expand=True), "JPEG", exif=exif)


def huge_png(side: int = 25_000) -> bytes:
    """One bit per pixel, all of them zero: a file of 74 KiB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def no_face() -> bytes:
    return saved(Image.effect_noise((480, 360), 40).convert("RGB"), "JPEG")


def phone_photo() -> bytes:
    """As a phone held upright writes it: lying, turned by a property, and EXIF says the same of its orientation once more."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    pillow_heif.from_pillow(portrait().rotate(90, expand=True)).save(buffer, quality=85, exif=exif.tobytes())
    return buffer.getvalue()


CASES: dict[str, tuple[bytes, str]] = {
    "text.jpg": (b"this is not an image", "unreadable_image"),
    "empty.jpg": (b"", "unreadable_image"),
    "truncated.jpg": (photos.portrait()[:-2_000], "unreadable_image"),
    "huge.png": (huge_png(), "unreadable_image"),
    "jp2.jpg": (saved(portrait(), "JPEG2000"), "unreadable_image"),
    "tiff.jpg": (saved(portrait(), "TIFF"), "unreadable_image"),
    "noface.jpg": (no_face(), "no_face"),
    "many.jpg": (photos.group(), "bystander"),
    "polyglot.jpg": (photos.portrait(photos.Look(quality=88)) + b"PK\x03\x04 and more", "embedded"),
    "cmyk.jpg": (saved(portrait().convert("CMYK"), "JPEG", quality=92), "embedded"),
    "turned.jpg": (turned(), "embedded"),
    "mirrored.png": (saved(ImageOps.mirror(portrait()), "PNG"), "embedded"),
    "modern.webp": (saved(portrait(), "WEBP", quality=85), "embedded"),
    "phone.heic": (phone_photo(), "embedded"),
    "cut.heic": (phone_photo()[:-2_000], "unreadable_image"),
    "film.heic": (phone_photo().replace(b"ftypheic", b"ftypmsf1", 1), "unreadable_image"),
    "modern.avif": (saved(portrait(), "AVIF"), "unreadable_image"),
}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    site = DemoSite()
    site.photos = {path: photo for path, photo in site.photos.items() if path == f"{PORTRAITS}1.jpg"}
    site.photos |= {f"{PORTRAITS}{name}": Photo(f"{PORTRAITS}{name}", data) for name, (data, _) in CASES.items()}
    await site.start()
    world = EmbeddedWorld(demo_layout(tmp_path, site), host="127.0.0.1", port=0, progress=lambda _: None)
    try:
        await world.start()
        await show_control(world.api, site, world.operator_token)
        stage = Stage(world, site, tmp_path, DemoState(), Report(), lambda _: None, time.monotonic())
        await stage.subject.create(world.operator_token)
        yield stage
    finally:
        await world.stop()
        await site.stop()


async def grant_and_crawl(stage: Stage) -> None:
    request = portraits_request(stage.state.subject_id, stage.site, datetime.now(UTC))
    await stage.subject.grant(PORTRAITS_GRANT, request, stage.world.operator_token)
    api = stage.world.api
    await api.need("POST", f"{api.addresses.crawler}/v1/crawls", token=stage.world.operator_token)


async def test_every_bad_picture_has_its_outcome_and_the_good_ones_pass(stage: Stage) -> None:
    reader = CourseReader(stage.world.log, on_end=lambda end: None)
    await reader.start()
    await grant_and_crawl(stage)
    await settled(stage.world.log)
    names = named(stage)
    with contextlib.suppress(StoryStalledError):
        # Those that have no end then are missed below, by name.
        await reader.until(
            lambda course: len({names.get(name) for name in course.ended_images()}) > len(CASES),
            what="an end of every picture",
            patience_s=10,
        )
    got = {name: end.outcome for end in reader.course.ends for name in [names.get(end.image_id or end.sighting_id)] if name}
    await reader.stop()
    assert got == {name: outcome for name, (_, outcome) in CASES.items()} | {"1.jpg": "embedded"}
    vectors = await stage.world.store.count()
    assert vectors == sum(outcome == "embedded" for outcome in got.values())
    # Nothing of the refused ones lies anywhere.
    assert not [path for path in (stage.folder / "blobs").rglob("*") if path.is_file() and "quarantine" in path.parts]


def named(stage: Stage) -> dict[str, str]:
    """Under which names the log may know each picture: its id, and that of its place where the crawler decided."""
    identifiers, names = stage.world.identifiers, dict[str, str]()
    for path, photo in stage.site.photos.items():
        place = identifiers.sighting_id(final_url=f"{stage.site.origin}{path}", image_id=None, producer=ProducerId("crawler"))
        names[place] = names[identifiers.image_id(photo.data)] = path.removeprefix(PORTRAITS)
    return names


def sighting_event() -> Event[ImageScraped]:
    sighting = Sighting(
        sighting_id=SightingId("s-1"),
        image_id=ImageId("i-1"),
        producer=ProducerId("nobody"),
        source_kind=SourceKind.PRODUCER,
        blob="intake/nobody/" + "0" * 64,
        sha256="0" * 64,
        size_bytes=1,
        media_type="image/jpeg",
        fetched_at=datetime.now(UTC),
    )
    return Event("e-1", "/nobody", datetime.now(UTC), ImageScraped(sighting=sighting))


def bad_records() -> dict[str, Record]:
    good = encode(sighting_event())
    newer = tuple((name, b"images.scraped.v9" if name == "ce_type" else value) for name, value in good.headers)
    unsigned_crawler = sighting_event().data.sighting.model_copy(update={"producer": ProducerId("crawler")})
    return {
        "malformed": replace(good, value=b"{"),
        "oversize": replace(good, value=b'{"padding": "' + b"x" * 600_000 + b'"}'),
        "unknown_type": replace(good, headers=newer),
        "wrong_key": replace(good, key=b"another"),
        "no_value": replace(good, value=None),
        "unknown_producer": good,
        "bad_signature": encode(replace(sighting_event(), data=ImageScraped(sighting=unsigned_crawler))),
    }


async def test_bad_events_become_dead_letters_with_their_cause_and_the_rest_goes_on(stage: Stage) -> None:
    log, bad = stage.world.log, bad_records()
    await log.append(list(bad.values()))
    await grant_and_crawl(stage)
    await settled(log)
    tail = await log.tail([Topic.IMAGES_SCRAPED.dead_letters])
    letters = [json.loads(record.value) for record in await tail.poll(timeout_s=5.0) if record.value is not None]
    await tail.close()
    assert Counter(letter["cause"] for letter in letters) == Counter(bad.keys())
    assert not any("nobody" in json.dumps(letter) for letter in letters), "a dead letter holds no part of the payload"
    assert await stage.world.store.count() > 0


async def test_an_operator_cannot_say_yes_and_a_wildcard_is_no_source(stage: Stage) -> None:
    api, token = stage.world.api, stage.world.operator_token
    registry = api.addresses.registry
    request = portraits_request(stage.state.subject_id, stage.site, datetime.now(UTC))
    asked = await api.need("POST", f"{registry}/v1/grants", token=token, json=request)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    confirmed = await api.ask("POST", f"{registry}/v1/grants/{asked['grant_id']}/confirm", token=token, json=yes)
    assert (confirmed.status, confirmed.body["code"]) == (403, "staff_cannot_confirm")
    for source in ("https://*.example/ada/", "https://site.example/", "https://site.example/*"):
        wide = request | {"sources": [{"kind": "url_prefix", "value": source}]}
        refused = await api.ask("POST", f"{registry}/v1/grants", token=token, json=wide)
        assert (refused.status, refused.body["code"]) == (422, "AIA-2"), source
    assert await stage.world.store.count() == 0
