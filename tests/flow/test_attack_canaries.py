"""A name that stands in everything somebody may send is found on the image topics and nowhere else: no log, no metric, no trace."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import structlog
from PIL import Image

from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.telemetry.logging import configure_logging
from demo import photos
from demo.settled import settled
from tests.flow.assent_command import run
from tests.flow.attack_house import MONTREAL, PORTRAIT, STRANGER, Field, Victim, traces_of
from tests.flow.files_below import files_below
from tests.integration.stream_workbench import until

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


CANARY = "KanarienvogelQ7"
CONTROL = "ZeisigvogelQ8"
"""Put by the tests themselves where nothing must stand, to see that it would be found."""
MAY_HOLD_URLS = {Topic.IMAGES_SCRAPED.value, Topic.IMAGES_LOCATED.value, Topic.IMAGES_CLEARED.value}
MAY_HOLD_SOURCES = {Topic.GRANTS.value}


def with_comment(data: bytes) -> bytes:
    """The picture with a name in its EXIF, its comment and its XMP."""
    picture, out = Image.open(io.BytesIO(data)), io.BytesIO()
    exif = picture.getexif()
    exif[0x010E] = exif[0x013B] = f"{CANARY} Exif"
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc xmlns="x">{CANARY}</dc></x:xmpmeta>'.encode()
    picture.save(out, format="JPEG", exif=exif, comment=CANARY.encode(), xmp=xmp)
    return out.getvalue()


async def test_what_pages_and_pictures_say_stands_on_the_image_topics_alone(field_of: Field) -> None:
    """A name in path, title, alt text, place, EXIF, form, token and URL; of pictures that pass, are refused, or are dead."""
    site, stderr, root, before = field_of.site, io.StringIO(), logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    victim = await field_of.victim()
    site.picture(f"{victim.folder}{CANARY}.jpg", with_comment(photos.portrait(photos.Look(quality=71), place=photos.VANCOUVER)))
    site.picture(f"{victim.folder}{CANARY}-refused.jpg", with_comment(MONTREAL))
    site.picture(f"{victim.folder}{CANARY}-noai.jpg", with_comment(PORTRAIT), **{"X-Robots-Tag": f"noai, {CANARY}"})
    site.moved(f"{victim.folder}{CANARY}-moved.jpg", f"/{CANARY}/x.jpg")
    names = (CANARY, f"{CANARY}-refused", f"{CANARY}-noai", f"{CANARY}-moved")
    site.page(victim.folder, f'<title>{CANARY}</title><a href="2">' + "".join(f'<img alt="{CANARY}" src="{name}.jpg">' for name in names))
    site.page(f"{victim.folder}2", f'<meta name="geo.region" content="CA-{CANARY}"><img alt="{CANARY}" src="{CANARY}-where.jpg">')
    site.picture(f"{victim.folder}{CANARY}-where.jpg", with_comment(PORTRAIT))
    try:
        with contextlib.redirect_stderr(stderr):
            configure_logging("attacked", level=logging.DEBUG)
            await field_of.house.crawl()
            await spoken(field_of, victim)
            structlog.get_logger().warning("control", topic=CONTROL)
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
    assert len(await field_of.held(victim.grant_id)) == 1
    assert await field_of.rules(victim.grant_id) >= {"QC-3", "optout_signal"}
    assert CONTROL in stderr.getvalue(), "the lines that are searched are those that were written"
    assert CANARY not in stderr.getvalue()
    status, metrics = await field_of.ask("GET", "/metrics")
    assert (status, "assent_fetches_total" in metrics) == (200, True)
    assert CANARY not in metrics
    spans, steps = traces_of(field_of.data), ("crawler images.scraped", "geofence images.scraped", "registry images.refused")
    # The spans that are searched are those that were written.
    await until(lambda: all(step in spans.read_text() for step in steps))
    assert CANARY not in spans.read_text()
    topics = [name for topic in TOPICS for name in (topic.value, topic.dead_letters)]
    spread = {record.topic for record in await field_of.records(*topics) if CANARY.encode() in everything_in(record)}
    assert Topic.IMAGES_SCRAPED.value in spread
    assert spread <= MAY_HOLD_URLS
    assert files_with(CANARY, field_of.data) == []


async def test_decisions_about_a_source_do_not_say_which_it_is(field_of: Field) -> None:
    """A name in what grants point at: a folder, pictures and their digests; and the decisions are told again beside it all."""
    site = field_of.site
    folder = await field_of.victim(value=f"{site.origin}/her/{CANARY}/", only_me=True)
    site.page(f"/her/{CANARY}/", f'<img src="/her/{CANARY}/1.jpg"><img src="/her/{CANARY}/2.jpg"><img src="/her/{CANARY}/gone.jpg">')
    site.picture(f"/her/{CANARY}/1.jpg", photos.portrait(photos.Look(quality=83), place=photos.VANCOUVER))
    site.picture(f"/her/{CANARY}/2.jpg", photos.portrait(photos.Look(quality=84), place=photos.MONTREAL))
    alone = await field_of.victim(kind="image_url", value=f"{site.origin}/{CANARY}-alone.jpg", only_me=False)
    site.picture(f"/{CANARY}-alone.jpg", photos.portrait(photos.Look(quality=85), place=photos.VANCOUVER))
    await field_of.house.crawl()
    assert [len(await field_of.held(victim.grant_id)) for victim in (folder, alone)] == [1, 1]
    assert await field_of.rules(folder.grant_id) >= {"QC-3", "fetch_failed"}
    await folder.person.withdraw(folder.person.held()[0])
    await field_of.house.crawl()
    topics = [topic.value for topic in TOPICS]
    spread = {record.topic for record in await field_of.records(*topics) if CANARY.encode() in everything_in(record)}
    assert Topic.GRANTS.value in spread
    assert spread <= MAY_HOLD_URLS | MAY_HOLD_SOURCES
    await replayed(field_of)


async def replayed(field_of: Field) -> None:
    """By the command, while everything runs: the same answers, and no name in what it says."""
    for words in ((), ("--json",)):
        done = await asyncio.to_thread(run, "replay", "--data", field_of.data, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert CANARY not in done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["replayed"] == found["same"] >= 10
    assert set(found["not_replayable"].values()) == {0}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("blobs/grants/planted", f"left in {CONTROL} a file".encode()),
        (f"vectors/{CONTROL}/segment", b"\0"),
        (".planted.sqlite3-wal", bytes(70_000) + CONTROL.encode()),
    ],
)
async def test_what_is_planted_in_a_store_is_found(field_of: Field, path: str, content: bytes) -> None:
    """Else a search that finds nothing would say nothing."""
    planted = field_of.data / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_bytes(content)
    try:
        assert files_with(CONTROL, field_of.data) == [planted]
    finally:
        planted.unlink()


async def test_what_is_planted_on_any_topic_is_found(field_of: Field) -> None:
    """In key, value and header of records that nobody asked for."""
    record = Record(Topic.IMAGES_REFUSED.value, b"k", b"{}", ())
    planted = [
        replace(record, key=CONTROL.encode()),
        replace(record, value=CONTROL.encode()),
        replace(record, headers=(("x", CONTROL.encode()),)),
    ]
    await field_of.put(*planted)
    found = [stored for stored in await field_of.records(Topic.IMAGES_REFUSED.value) if CONTROL.encode() in everything_in(stored)]
    assert len(found) == len(planted)


def files_with(word: str, folder: Path) -> list[Path]:
    """Every file that holds the word or is named after it; of the log, the records are searched instead."""
    files = files_below(folder, but_for=("log.sqlite3",))
    return [path for path, contents in files.items() if word.encode() in contents or word in str(path)]


def everything_in(record: StoredRecord) -> bytes:
    return b"".join((record.key, record.value or b"", *(value for _, value in record.headers)))


async def spoken(field_of: Field, victim: Victim) -> None:
    """The name in everything else that somebody may send, and a record that cannot be read."""
    token = await victim.person.token()
    for path in (
        f"/{CANARY}",
        f"/v1/grants/{CANARY}",
        f"/confirm/{CANARY}?secret={CANARY}",
        f"/login?code={CANARY}",
        f"/v1/faces/{CANARY}/picture",
    ):
        await field_of.ask("GET", path, token=token, headers={"User-Agent": CANARY, "traceparent": CANARY})
    await field_of.ask("POST", "/v1/grants", token=field_of.house.token, json={CANARY: CANARY})
    await field_of.ask("POST", f"/v1/grants/{CANARY}/session", json={"grant_secret": CANARY * 2})
    await field_of.ask(CANARY, "/")
    form = aiohttp.FormData({"basis": "self", "purpose": CANARY, CANARY: CANARY})
    form.add_field("image", with_comment(PORTRAIT), filename=f"{CANARY}.jpg")
    await field_of.ask("POST", "/v1/search", token=token, data=form)
    headers = tuple((name, CANARY.encode()) for name in ("ce_id", "ce_traceparent", "ce_tracestate"))
    unreadable = Record(Topic.IMAGES_CLEARED.value, CANARY.encode(), f'{{"{CANARY}": 1}}'.encode(), headers)
    await field_of.house.world.log.append([unreadable])
    producer = await field_of.producer()
    await producer.offer(with_comment(STRANGER), now=datetime.now(UTC), final_url=f"https://host.example/{CANARY}.jpg")
    await settled(field_of.house.world.log)
