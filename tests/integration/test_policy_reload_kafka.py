"""A changed policy file over a real broker: published and read back, waited for while the broker is away, and behind what the log knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.stream.kafka import KafkaEventLog
from assent.stream.kafka_settings import KafkaSettings
from assent.testing.kafka_broker import ApacheKafka
from services.registry.publisher import LogAwayError
from tests.flow.policy_running import running_again, running_in
from tests.flow.test_policy_publishing import NARROW, SHIPPED, WIDE, desk_in, forget_the_newest, policy
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.timeout(180), pytest.mark.kafka]
IMPATIENT = KafkaSettings(request_timeout_s=2.0)


async def test_a_changed_file_over_a_broker_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    jars = find_kafka()
    assert jars is not None
    (tmp_path / "files").mkdir()
    async with ApacheKafka(jars) as broker, desk_in(tmp_path, KafkaEventLog(broker.bootstrap_servers, settings=IMPATIENT)) as house:
        running = await running_in(house, tmp_path / "files")
        running.put(NARROW)
        broker.pause()
        try:
            await running.reload.once()
            with pytest.raises(LogAwayError):
                await running.reload.reload()
            assert (running.is_refused(), running.in_force.current.version) == (False, SHIPPED.version)
        finally:
            broker.resume()
        await running.reload.once()
        assert (await running.newest(), running.in_force.current.version) == (NARROW.version, NARROW.version)
        running.put(WIDE)
        await running.reload.once()
        assert (running.is_refused(), await running.newest()) == (True, NARROW.version)
        running.put(WIDE, house.signed(WIDE, NARROW, "anna", "ben"))
        await running.reload.once()
        assert (running.is_refused(), await running.newest()) == (False, "wide.1")
        running.put(NARROW)
        await running.reload.once()

        # The registry's own file knows no more that it went back; the new policy file is narrower than the one it knows of.
        await forget_the_newest(house)
        assert (await running.reload._newest()).version == "wide.1"
        again = await running_again(running)
        again.put(policy("part.1", US_TX={"with_grant": ["collect"]}))
        await again.reload.once()
        assert (again.is_refused(), await again.newest()) == (True, NARROW.version)
        await again.guard.close()
        await running.guard.close()
