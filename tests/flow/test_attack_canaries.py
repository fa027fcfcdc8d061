"""A name that stands in everything somebody may send is found on the image topics and nowhere else."""

from __future__ import annotations

import contextlib
import io
import logging
from datetime import UTC, datetime

import aiohttp
import pytest
import structlog
from PIL import Image

from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.telemetry.logging import configure_logging
from demo import photos
from demo.settled import settled
from tests.flow.attack_house import MONTREAL, PORTRAIT, STRANGER, Field, Victim

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


CANARY = "KanarienvogelQ7"
MAY_HOLD_URLS = {Topic.IMAGES_SCRAPED.value, Topic.IMAGES_LOCATED.value, Topic.IMAGES_CLEARED.value}


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
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
    assert len(await field_of.held(victim.grant_id)) == 1
    assert await field_of.rules(victim.grant_id) >= {"QC-3", "optout_signal"}
    assert CANARY not in stderr.getvalue()
    assert CANARY not in (await field_of.ask("GET", "/metrics"))[1]
    topics = [name for topic in TOPICS for name in (topic.value, topic.dead_letters)]
    spread = {record.topic for record in await field_of.records(*topics) if CANARY.encode() in everything_in(record)}
    assert Topic.IMAGES_SCRAPED.value in spread
    assert spread <= MAY_HOLD_URLS
    files = [path for path in field_of.data.rglob("*") if path.is_file() and not path.name.startswith("log.sqlite3")]
    assert [path for path in files if CANARY.encode() in path.read_bytes() or CANARY in str(path)] == []


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
    unreadable = Record(Topic.IMAGES_CLEARED.value, CANARY.encode(), f'{{"{CANARY}": 1}}'.encode(), (("ce_id", CANARY.encode()),))
    await field_of.house.world.log.append([unreadable])
    producer = await field_of.producer()
    await producer.offer(with_comment(STRANGER), now=datetime.now(UTC), final_url=f"https://host.example/{CANARY}.jpg")
    await settled(field_of.house.world.log)
