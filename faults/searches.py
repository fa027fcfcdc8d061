"""People who search for themselves all the time, and look at pictures they were shown before; what they see after an end is a finding."""

from __future__ import annotations

import asyncio
import time
from random import Random

from demo import photos
from demo.api import DemoApi, StoryCallError
from faults.people import Held, LoadError, People
from faults.truth import Truth

PAUSE_S = 0.3
MOST_REMEMBERED = 50


class Searches:
    """Asks, and holds every answer against the ends that had been acknowledged before it was asked."""

    def __init__(self, api: DemoApi, people: People, truth: Truth, *, seed: int) -> None:
        self._api = api
        self._people = people
        self._truth = truth
        self._chance = Random(f"{seed}/searches")  # noqa: S311  a load that can be repeated, no secret
        self._sessions: dict[str, str] = {}
        self._shown: list[tuple[str, str, str]] = []
        self._probe = photos.portrait()
        self.asked = 0
        self.candidates = 0
        self.pictures = 0
        self.unanswered = 0
        self.findings: list[str] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Search until it is time."""
        while not stopping.is_set():
            if self._people.held:
                try:
                    await self._look(self._chance.choice(self._people.held[-MOST_REMEMBERED:]))
                except StoryCallError:
                    # Nobody answers, or a session is not to be had just now: nothing was told.
                    self.unanswered += 1
            await asyncio.sleep(PAUSE_S)

    async def _look(self, who: Held) -> None:
        token = self._sessions.get(who.grant_id) or await self._people.token(who)
        self._sessions[who.grant_id] = token
        ended = self._truth.ended_before(time.monotonic())
        answer = await self._api.search(self._probe, token=token)
        if answer.status == 503:
            self.unanswered += 1
            return
        if answer.status != 200:
            raise LoadError(f"a search was answered {answer.status} {answer.body}")
        self.asked += 1
        for candidate in answer.body["candidates"]:
            self.candidates += 1
            grant = self._truth.grants.get(candidate["grant_id"])
            if candidate["grant_id"] in ended:
                self.findings.append(f"a search told face {candidate['face_id']} of {candidate['grant_id']} after its end")
            if grant is not None and grant.subject_id != who.subject_id:
                self.findings.append(f"a search told {who.subject_id} a face of {grant.subject_id}")
            self._shown.append((token, candidate["grant_id"], candidate["picture"]))
        await self._picture()

    async def _picture(self) -> None:
        if not self._shown:
            return
        token, grant_id, path = self._shown[self._chance.randrange(max(0, len(self._shown) - MOST_REMEMBERED), len(self._shown))]
        ended = self._truth.ended_before(time.monotonic())
        status = await self._api.status(f"{self._api.addresses.query}{path}", token=token)
        self.pictures += status == 200
        if status == 200 and grant_id in ended:
            self.findings.append(f"a picture of {grant_id} was shown after its end")
