"""The first act: grants are given, a site is crawled, a producer sends something, and every image comes to its end; then searches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assent.ids import GrantId
from demo import photos
from demo.api import Answer
from demo.cast import Cast
from demo.control import show_control
from demo.course import CourseReader, End
from demo.narrator import end_line
from demo.producer import OutsideProducer
from demo.report import Report, SearchResult
from demo.settled import settled
from demo.site import DemoSite
from demo.state import DemoState
from demo.subject import ALBUM_GRANT, PORTRAITS_GRANT, Subject, album_request, portraits_request
from demo.world import World

Say = Callable[[str], None]
PROBE = photos.Look(margin=45, angle=5.0, light=0.9, quality=70, side=400)
"""A variation of the portrait that is nowhere on the site."""


@dataclass(slots=True)
class Stage:
    """What both acts share."""

    world: World
    site: DemoSite
    folder: Path
    state: DemoState
    report: Report
    say: Say
    started: float

    @property
    def subject(self) -> Subject:
        """The person of the story, over the interface as it is now."""
        return Subject(self.world.api, self.state)

    async def search(self, who: str, image: bytes, *, token: str | None) -> Answer:
        """Search and write down what came of it."""
        answer = await self.world.api.search(image, token=token)
        found = answer.body.get("candidates", [])
        best = max((item["score"] for item in found), default=None)
        self.report.searches.append(SearchResult(who, "self", answer.status, len(found), best))
        if found and self.report.first_match_s is None:
            self.report.first_match_s = time.monotonic() - self.started
        told = f"{len(found)} photos of hers" if found else "nothing"
        self.say(f"  {who}: " + (told if answer.status == 200 else f"refused ({answer.status}): {answer.body.get('message', '')}"))
        return answer


async def first_act(stage: Stage, *, on_end: Callable[[End], None] = lambda end: None, from_now: bool = False) -> CourseReader:
    """Play it; the reader that goes on following the log is the caller's to stop. `on_end` hears of each image's end.

    `from_now` leaves out what the log held before: where another story was played on it.
    """
    await _give_grants(stage)
    cast = Cast(stage.site, stage.world.identifiers)
    stage.report.images_seen = len(cast.images)

    def told(end: End) -> None:
        stage.say(end_line(cast.label(end.image_id, end.sighting_id), end))
        on_end(end)

    reader = CourseReader(stage.world.log, on_end=told)
    await reader.start(from_now=from_now)
    try:
        stage.say("\nEvery image and what became of it:")
        await _offer(stage, cast)
        await reader.until(lambda course: cast.have_all_ended(course.ended_images()), what="the end of every image")
        await settled(stage.world.log)
        await _count(stage, reader)
        await _searches(stage)
    except BaseException:
        await reader.stop()
        raise
    return reader


async def _give_grants(stage: Stage) -> None:
    """Two grants of one person, asked for by the operator and given with her own secrets, unless they stand from before."""
    world, state, now = stage.world, stage.state, datetime.now(UTC)
    subject = stage.subject
    proof = await show_control(world.api, stage.site, world.operator_token)
    stage.say(f"The site shows with a file of its own that {proof['controller']} controls it, until {proof['ends_at'][:10]}.")
    if state.site_port != stage.site.port or not await subject.are_live((PORTRAITS_GRANT, ALBUM_GRANT)):
        state.site_port, state.grants, state.subject_id = stage.site.port, {}, ""
        await subject.create(world.operator_token)
        await subject.grant(PORTRAITS_GRANT, portraits_request(state.subject_id, stage.site, now), world.operator_token)
        await subject.grant(ALBUM_GRANT, album_request(state.subject_id, stage.site, now), world.operator_token)
        state.write(stage.folder)
    stage.report.fixture_grants = len(state.grants)
    stage.say(f"{len(state.grants)} grants of one person are given, with her own secrets (fixtures: she agreed to nothing).")


async def _offer(stage: Stage, cast: Cast) -> None:
    """The crawl of the site, and the outside producer's picture."""
    world = stage.world
    await world.api.need("POST", f"{world.api.addresses.crawler}/v1/crawls", token=world.operator_token)
    producer = OutsideProducer(world.api, private_key=stage.state.producer_key)
    stage.state.producer_key = producer.private_key
    stage.state.write(stage.folder)
    await producer.register(world.operator_token)
    await producer.offer(cast.produced, now=datetime.now(UTC))


async def _count(stage: Stage, reader: CourseReader) -> None:
    report, course = stage.report, reader.course
    report.outcomes = dict(sorted(course.outcomes().items()))
    report.refused_by_rule = dict(sorted(course.refused_by_rule().items()))
    report.faces_embedded = len(course.face_ids)
    report.bystanders_never_embedded = stage.world.bystanders_never_embedded()
    held = [await stage.world.store.ids_of_grant(GrantId(grant_id)) for grant_id in stage.subject.grant_ids]
    stage.say(f"\n{sum(len(ids) for ids in held)} vectors are stored, all hers. Nobody else's face was embedded.")


async def _searches(stage: Stage) -> None:
    stage.say("\nSearches:")
    probe = photos.portrait(PROBE)
    token = await stage.subject.token()
    await stage.search("she, with a photo that is not on the site", probe, token=token)
    await stage.search("the same photo without a token", probe, token=None)
    await stage.search("she, with a stranger's photo", photos.stranger(), token=token)
