"""The load: grants, pictures, joint grants, withdrawals, in an order that a seed fixes; what is acknowledged goes into the truth."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

from demo.producer import OutsideProducer
from faults import pictures
from faults.people import Held, LoadError, People
from faults.site import GrowingSite
from faults.truth import Truth

PAUSE_S = (0.1, 0.5)
MOST_HELD = 12


class Load:
    """One worker. Several may run at once, each with a seed and a number of its own."""

    def __init__(
        self,
        *,
        number: int,
        seed: int,
        people: People,
        producer: OutsideProducer,
        site: GrowingSite,
        truth: Truth,
        uptime_s: Callable[[], float],
    ) -> None:
        self._number = number
        self._chance = Random(f"{seed}/{number}")  # noqa: S311  a load that can be repeated, no secret
        self._people = people
        self._producer = producer
        self._site = site
        self._truth = truth
        self._uptime_s = uptime_s
        self._held: list[tuple[Held, bytes | None]] = []
        self._folders = 0
        self.done: Counter[str] = Counter()
        self.unended: list[Held] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until it is time. Raises LoadError and StoryCallError."""
        kinds: dict[Callable[[], Awaitable[None]], int] = {
            self.uploaded: 6,
            self.crawled: 4,
            self.produced: 3,
            self.together: 2,
            self.from_a_closed_place: 1,
            self.unasked: 1,
            self.withdrawn: 5,
            self.withdrawn_and_given_anew: 2,
            self.withdrawn_while_uploading: 3,
        }
        while not stopping.is_set():
            (kind,) = self._chance.choices(list(kinds), weights=list(kinds.values()))
            if len(self._held) > MOST_HELD:
                kind = self.withdrawn
            await kind()
            self.done[kind.__name__] += 1
            await asyncio.sleep(self._chance.uniform(*PAUSE_S))

    async def uploaded(self) -> None:
        """One to three portraits under an upload grant."""
        held = await self._people.grant(await self._people.subject(), {"kind": "upload"})
        if held.secret:
            for _ in range(self._chance.randint(1, 3)):
                self._hold(held, await self._upload(held, faces=1))

    async def crawled(self) -> None:
        """A folder of her own on the web; sometimes with a picture that only she may not answer for."""
        folder = f"/{self._number}/{self._folders}/"
        self._folders += 1
        portraits = [await self._picture() for _ in range(self._chance.randint(1, 2))]
        pair = await asyncio.to_thread(pictures.pair, self._chance) if self._chance.random() < 0.3 else None
        for index, picture in enumerate(portraits):
            self._site.put(f"{folder}{index}.jpg", picture)
        if pair is not None:
            self._site.put(f"{folder}pair.jpg", pair)
        source = {"kind": "url_prefix", "value": f"{self._site.origin}{folder}", "only_me": True}
        held = await self._people.grant(await self._people.subject(), source)
        for picture in portraits:
            self._truth.pictured(_digest(picture), held.grant_id, faces=1)
        if pair is not None:
            self._truth.pictured(_digest(pair), held.grant_id, faces=0)
        self._hold(held, None)

    async def produced(self) -> None:
        """An outside producer hands a picture in, perhaps twice, under a grant for these bytes."""
        picture = await self._picture()
        source = {"kind": "asset_sha256", "value": _digest(picture)}
        held = await self._people.grant(await self._people.subject(), source)
        self._truth.pictured(_digest(picture), held.grant_id, faces=1)
        for _ in range(self._chance.randint(1, 2)):
            await self._producer.offer(picture, now=datetime.now(UTC))
        self._hold(held, None)

    async def together(self) -> None:
        """Two people, each with a grant of her own that names it, and one picture of both under a joint grant."""
        picture = await asyncio.to_thread(pictures.pair, self._chance)
        path = f"/{self._number}/{self._folders}.jpg"
        self._folders += 1
        source = {"kind": "image_url", "value": self._site.put(path, picture)}
        members = [await self._people.grant(await self._people.subject(), {"kind": "upload"}, source) for _ in range(2)]
        if not members[0].secret:
            return  # Without the secret of her own grant she cannot show that the yes to the joint one is hers.
        ids = tuple(member.grant_id for member in members)
        joint = await self._people.grant(members[0].subject_id, source, members=ids)
        self._truth.pictured(_digest(picture), joint.grant_id, faces=2)
        for member in members:
            # Which of two faces is hers is not said there.
            self._truth.pictured(_digest(picture), member.grant_id, faces=0)
        for member in members:
            if member.secret:
                self._hold(member, await self._upload(member, faces=1))

    async def from_a_closed_place(self) -> None:
        """A portrait that its own metadata puts where nothing is open."""
        held = await self._people.grant(await self._people.subject(), {"kind": "upload"})
        if held.secret:
            picture = await asyncio.to_thread(pictures.portrait_from_montreal, self._chance)
            await self._upload(held, faces=0, picture=picture)

    async def unasked(self) -> None:
        """A picture that no grant covers."""
        picture = await self._picture()
        self._truth.pictured(_digest(picture), None, faces=0)
        await self._producer.offer(picture, now=datetime.now(UTC))

    async def withdrawn(self) -> None:
        """One of hers ends."""
        held, _ = self._take()
        if held is not None:
            await self._people.withdraw(held, uptime_s=self._uptime_s)

    async def withdrawn_and_given_anew(self) -> None:
        """The end, and then the same picture under a new yes."""
        held, picture = self._take()
        if held is None:
            return
        await self._people.withdraw(held, uptime_s=self._uptime_s)
        if picture is not None:
            # Somebody whose last grant has ended is not known any more: she comes as a new subject.
            again = await self._people.grant(await self._people.subject(), {"kind": "upload"})
            if again.secret:
                self._hold(again, await self._upload(again, faces=1, picture=picture))

    async def withdrawn_while_uploading(self) -> None:
        """The end overtakes a picture that is on its way."""
        held = await self._people.grant(await self._people.subject(), {"kind": "upload"})
        if not held.secret:
            return
        await self._upload(held, faces=1)
        picture = await self._picture()
        self._truth.pictured(_digest(picture), held.grant_id, faces=1)
        await asyncio.gather(self._people.upload(held, picture), self._people.withdraw(held, uptime_s=self._uptime_s))

    async def _upload(self, held: Held, *, faces: int, picture: bytes | None = None) -> bytes:
        picture = await self._picture() if picture is None else picture
        if not await self._people.upload(held, picture):
            raise LoadError("an upload under a live grant was refused")
        self._truth.pictured(_digest(picture), held.grant_id, faces=faces)
        return picture

    async def _picture(self) -> bytes:
        return await asyncio.to_thread(pictures.portrait, self._chance)

    def _hold(self, held: Held, picture: bytes | None) -> None:
        if held.secret and all(held.grant_id != one.grant_id for one, _ in self._held):
            self._held.append((held, picture))

    def _take(self) -> tuple[Held | None, bytes | None]:
        return self._held.pop(self._chance.randrange(len(self._held))) if self._held else (None, None)


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
