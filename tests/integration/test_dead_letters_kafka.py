"""The story of a suspended producer over Apache Kafka; and an unreadable grant there, which denies itself and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from assent.consent.ledger import Standing
from assent.deployment.gauges import Gauges
from assent.events.record import Record
from assent.events.topics import Topic
from assent.ids import GrantId
from assent.telemetry.meter import Metrics
from assent.testing.kafka_broker import ApacheKafka
from demo import photos
from demo.settled import settled
from demo.site import PORTRAITS
from tests.flow.dead_letter_story import GEOFENCE, agency, embedded, granted, play_suspension_and_replay
from tests.flow.registry_house import grant_house
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
SITE = {f"{PORTRAITS}1.jpg": photos.portrait()}


@pytest.fixture
def broker() -> Iterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    with ApacheKafka(jars) as made:
        yield made


async def test_a_producer_is_suspended_another_goes_on_and_what_was_set_aside_comes_back(broker: ApacheKafka, tmp_path: Path) -> None:
    common = {"log_url": f"kafka://{broker.bootstrap_servers}"}
    async with grant_house(tmp_path / "data", SITE, common=common, geofence=GEOFENCE) as house:
        await play_suspension_and_replay(house, tmp_path)


@pytest.mark.parametrize("topic", [Topic.GRANTS, Topic.WITHDRAWALS])
async def test_an_unreadable_grant_or_withdrawal_denies_its_grant_and_the_rest_goes_on(
    broker: ApacheKafka, tmp_path: Path, topic: Topic
) -> None:
    common = {"log_url": f"kafka://{broker.bootstrap_servers}"}
    hers, another = photos.portrait(photos.Look(side=400)), photos.portrait(photos.Look(side=380))
    async with grant_house(tmp_path / "data", SITE, common=common) as house:
        her_grant, other_grant = await granted(house, hers), await granted(house, another)
        await house.world.log.append([Record(topic.value, her_grant.encode(), b'{"a later": "version"}')])
        sender = await agency(house, "careful")
        for image in (hers, another):
            await sender.hand_in(image)
            await sender.send(image)
        await settled(house.world.log)
        assert (await embedded(house, her_grant), await embedded(house, other_grant)) == (0, 1)
        shared = house.world.system.shared
        await shared.tables.catch_up(10.0)
        assert shared.tables.ledger.standing(her_grant, datetime.now(UTC)) is Standing.DENIED
        assert shared.tables.ledger.standing(other_grant, datetime.now(UTC)) is Standing.LIVE
        metrics = Metrics(CollectorRegistry())
        Gauges(shared.tables, metrics).turn()
        assert (metrics.registry.get_sample_value("assent_table_unreadable_records_total", {"table": topic.value}) or 0.0) >= 1.0
        # What comes after it is read: a grant given later lives.
        later = photos.portrait(photos.Look(side=420))
        assert await embedded(house, GrantId(await granted(house, later))) == 0
        await sender.hand_in(later)
        await sender.send(later)
        await settled(house.world.log)
        assert await house.world.store.count() == 2
        assert house.world.failure() is None
