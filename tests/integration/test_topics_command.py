"""`assent topics` against Apache Kafka: missing, applied, drifted and mended; an unsafe broker is refused with the reason."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from assent.events.topics import Topic, all_topics
from assent.testing.kafka_broker import ApacheKafka, free_port
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


class CarelessKafka(ApacheKafka):
    """A broker that makes a topic for whoever mistypes a name."""

    def __init__(self, jars: Path) -> None:
        super().__init__(jars)
        plain = self._properties.read_text()
        self._properties.write_text(plain.replace("auto.create.topics.enable=false", "auto.create.topics.enable=true"))


def assent(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assent.cli.main", "topics", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def broker() -> Iterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    with ApacheKafka(jars) as made:
        yield made


async def change(broker: ApacheKafka, topic: str, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    named = {key.replace("_", "."): value for key, value in configs.items()}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=named)])
    await admin.close()


async def test_plan_apply_drift_and_mend(broker: ApacheKafka) -> None:
    at = ("--brokers", broker.bootstrap_servers)
    planned = assent("plan", *at, "--json")
    assert planned.returncode == 1, planned.stderr
    assert {fault["name"] for fault in json.loads(planned.stdout)} == set(all_topics())
    applied = assent("apply", *at)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert assent("check", *at).returncode == 0
    await change(broker, Topic.WITHDRAWALS.value, cleanup_policy="delete", retention_ms="1000")
    drifted = assent("check", *at)
    assert drifted.returncode == 1
    assert "withdrawals cleanup.policy: compact is asked for, delete was found" in drifted.stdout
    assert assent("apply", *at).returncode == 0
    assert assent("check", *at).returncode == 0


def test_an_unsafe_broker_is_refused_and_nothing_is_changed() -> None:
    jars = find_kafka()
    assert jars is not None
    with CarelessKafka(jars) as broker:
        at = ("--brokers", broker.bootstrap_servers)
        refused = assent("apply", *at)
        assert refused.returncode == 4
        assert "auto.create.topics.enable" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        missing = [fault for fault in json.loads(assent("plan", *at, "--json").stdout) if fault["kind"] == "missing"]
        assert len(missing) == len(all_topics())


def test_nobody_there_is_one_line() -> None:
    silent = assent("check", "--brokers", f"127.0.0.1:{free_port()}")
    assert silent.returncode == 3
    assert len(silent.stderr.splitlines()) == 1
