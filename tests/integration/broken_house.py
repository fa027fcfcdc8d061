"""The services as processes of which some break a promise on purpose, and a person whose yes and no go through them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from assent.testing.kafka_broker import ApacheKafka, free_port
from demo import photos
from demo.settled import settled
from faults.broken import BREAKS_VARIABLE, HOLDS_VARIABLE, LAUNCHER
from faults.checker import judge, should_exist
from faults.evidence import from_kafka
from faults.hold_points import HoldPoints
from faults.people import Held, People
from faults.processes import SevenProcesses
from faults.site import GrowingSite
from faults.truth import Truth
from tests.integration.stream_workbench import until, written

PATIENCE_S = 90.0
KEPT = {"settle_s": "1", "sweep_every_s": "3600", "erase_grace_s": "3600"}
"""Of the indexer: the sweep looks once, at its start, and spares what ended less than an hour ago."""


@dataclass(slots=True)
class BrokenHouse:
    """Processes, a site, people, and the truth of what they did."""

    world: SevenProcesses
    broker: ApacheKafka
    site: GrowingSite
    folder: Path
    truth: Truth = field(default_factory=Truth)
    _pictures: int = 0

    @property
    def people(self) -> People:
        return People(self.world.api, operator_token=self.world.operator_token, truth=self.truth)

    async def begin(self, name: str, *breaks: str, holds: HoldPoints | None = None, **settings: str) -> None:
        """Start one process with these promises broken; settings are of this start alone."""
        service = name.partition("+")[0].upper()
        environment = {f"ASSENT_{service}_{key.upper()}": value for key, value in settings.items()}
        if breaks:
            environment[BREAKS_VARIABLE] = ",".join(breaks)
        if holds is not None:
            environment[HOLDS_VARIABLE] = str(holds.folder)
        self.world.begin(name, environment)
        await self.world.ready(name)

    async def stop(self, *names: str) -> None:
        """SIGTERM, and an end in order."""
        for name in names:
            code = await self.world.stop(name)
            assert code == 0, self.world.said(name)

    def holds(self, name: str) -> HoldPoints:
        """Points that nobody passed yet."""
        return HoldPoints(self.folder / "holds" / name)

    async def uploaded(self) -> Held:
        """Somebody says yes to what she uploads, and uploads one picture."""
        people = self.people
        held = await people.grant(await people.subject(), {"kind": "upload"})
        picture = self._picture()
        assert await people.upload(held, picture)
        self.truth.pictured(_digest(picture), held.grant_id, faces=1)
        return held

    async def shown(self) -> Held:
        """Somebody says yes to one picture of hers on the site."""
        people, picture = self.people, self._picture()
        url = self.site.put(f"/{self._pictures}.jpg", picture)
        held = await people.grant(await people.subject(), {"kind": "image_url", "value": url})
        self.truth.pictured(_digest(picture), held.grant_id, faces=1)
        return held

    async def withdraw(self, held: Held) -> None:
        """Her no, acknowledged."""
        await self.people.withdraw(held, uptime_s=lambda: 0.0)

    async def reported(self, held: Held) -> None:
        """Wait until the erasure of her vectors is reported as `logical`."""

        async def is_reported() -> bool:
            progress = [json.loads(record.value or b"{}") for record in await written(self.world.log, "erasures.progressed")]
            return any((item["grant_id"], item["store"], item["level"]) == (held.grant_id, "vectors", "logical") for item in progress)

        await until(is_reported, patience_s=PATIENCE_S)

    async def crawl(self) -> None:
        """One round over what live grants name, worked off by every stage."""
        await self.world.api.need("POST", f"{self.world.api.addresses.crawler}/v1/crawls", token=self.world.operator_token)
        await self.settled()

    async def settled(self) -> None:
        """Every stage has worked off its input."""
        await settled(self.world.log, patience_s=PATIENCE_S)

    async def stored(self, held: Held) -> list[str]:
        """Ids of her points, from the store itself."""
        return [str(face) for face in await self.world.store.ids_of_grant(held.grant_id)]  # type: ignore[arg-type]

    async def findings(self) -> list[str]:
        """What the checker says now. A run in which nothing should exist would prove nothing."""
        found = await from_kafka(self.broker.bootstrap_servers, f"http://127.0.0.1:{self.world.vectors_port}")
        assert should_exist(self.truth.plain(), found).total() > 0
        return judge(self.truth.plain(), found)

    async def assignor(self) -> str:
        """By which rule the broker says that the indexers share partitions."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.broker.bootstrap_servers)
        await admin.start()
        try:
            (answer,) = await admin.describe_consumer_groups(["indexer"])
            _, _, _, _, protocol, *_ = answer.groups[0]
            return str(protocol)
        finally:
            await admin.close()

    def _picture(self) -> bytes:
        self._pictures += 1
        return photos.portrait(photos.Look(side=320 + 2 * self._pictures), place=photos.VANCOUVER)


@asynccontextmanager
async def broken_house(
    broker: ApacheKafka, folder: Path, *, services: tuple[str, ...], breaks: tuple[str, ...] = ()
) -> AsyncIterator[BrokenHouse]:
    """These services started, each with these promises broken."""
    site, port = GrowingSite(), free_port()
    await site.start(port)
    world = SevenProcesses(
        folder,
        log_url=f"kafka://{broker.bootstrap_servers}",
        site_ports=(port,),
        own={"indexer": KEPT},
        environment={BREAKS_VARIABLE: ",".join(breaks)},
        launcher=(str(LAUNCHER),),
        services=services,
    )
    try:
        await world.start()
        yield BrokenHouse(world, broker, site, folder)
    finally:
        await world.close()
        await site.stop()


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
