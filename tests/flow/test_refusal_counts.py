"""Refusals are counted by place and reason, also of what was dropped and of what no grant covers; each once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assent.events.envelope import decode
from assent.events.images import ImageRefused, Stage
from assent.events.record import Record
from assent.events.topics import Topic
from assent.telemetry.metrics import RECORDS_CONSUMED, REFUSALS
from demo import photos
from demo.settled import settled
from tests.flow.attack_house import MONTREAL, STRANGER, Field
from tests.integration.stream_workbench import until

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def refusals(field_of: Field) -> list[ImageRefused]:
    found = [decode(record).data for record in await field_of.records(Topic.IMAGES_REFUSED.value)]
    return [data for data in found if isinstance(data, ImageRefused)]


def counted(field_of: Field, stage: Stage, rule: str, place: str) -> float:
    return field_of.shared.metrics.value(REFUSALS, stage=stage.value, rule=rule, jurisdiction=place) or 0.0


def consumed(field_of: Field) -> float:
    return field_of.shared.metrics.value(RECORDS_CONSUMED, topic=Topic.IMAGES_REFUSED.value) or 0.0


async def test_the_crawler_counts_by_place_what_no_grant_covers(field_of: Field) -> None:
    """A page of Quebec under her folder shows a picture that is nobody's: it is never asked for, and counted all the same."""
    site, victim = field_of.site, await field_of.victim()
    site.page(victim.folder, '<meta name="geo.region" content="CA-QC"><img src="/nobodys/1.jpg">')
    site.picture("/nobodys/1.jpg", STRANGER)
    await field_of.house.crawl()
    (refused,) = await refusals(field_of)
    assert (refused.stage, refused.grant_id, refused.rules, refused.outcome) == (Stage.CRAWLER, None, ("no_grant",), "no_grant")
    assert refused.candidates == ("CA-QC", "UNKNOWN")
    assert site.requests["/nobodys/1.jpg"] == 0
    await until(lambda: [counted(field_of, Stage.CRAWLER, "no_grant", place) for place in ("CA-QC", "UNKNOWN", "none")] == [1, 1, 0])


async def test_the_geofence_counts_by_place_what_no_grant_covers_once_however_often_it_is_told(field_of: Field) -> None:
    """A producer hands in a picture from Montreal for which nobody said yes."""
    producer = await field_of.producer()
    await producer.offer(MONTREAL, now=datetime.now(UTC))
    await settled(field_of.house.world.log)
    reasons = [(rule, place) for rule in ("QC-3", "X-1", "no_grant") for place in ("CA-QC", "UNKNOWN")]
    await until(lambda: [counted(field_of, Stage.GEOFENCE, *reason) for reason in reasons] == [1] * 6)
    (again,) = [record for record in await field_of.records(Topic.IMAGES_REFUSED.value) if b'"stage":"geofence"' in (record.value or b"")]
    await settled(field_of.house.world.log)
    before = consumed(field_of)
    await field_of.put(Record(again.topic, again.key, again.value, again.headers))
    await until(lambda: consumed(field_of) > before)
    assert counted(field_of, Stage.GEOFENCE, "QC-3", "CA-QC") == 1


async def test_what_is_refused_before_any_place_is_looked_at_is_counted_under_none(field_of: Field) -> None:
    image = photos.portrait(photos.Look(quality=61), place=photos.MONTREAL)
    await field_of.house.api.need("POST", f"{field_of.url}/v1/suppressions/images", token=field_of.house.token, data=image)
    producer = await field_of.producer()
    await producer.offer(image, now=datetime.now(UTC))
    await settled(field_of.house.world.log)
    await until(lambda: counted(field_of, Stage.GEOFENCE, "suppressed", "none") == 1)


async def test_a_picture_that_waits_for_her_is_counted_once(field_of: Field) -> None:
    """Under a folder whose control nobody has shown it is asked about on her page, and fetched by nobody before she answered."""
    site = field_of.site
    victim = await field_of.victim(value=f"http://localhost:{site.port}/waits/", only_me=True)
    site.page("localhost/waits/", '<img src="1.jpg">')
    for _ in range(2):
        await field_of.house.crawl()
    assert await field_of.held(victim.grant_id) == []
    await until(lambda: counted(field_of, Stage.CRAWLER, "control_unproven", "CA-BC") == 1)
