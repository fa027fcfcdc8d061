"""`assent topics` against Apache Kafka: missing, applied, drifted and mended; an unsafe broker is refused with the reason."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from assent.events.topics import TOPICS, Topic, all_topics
from assent.stream.kafka_settings import KafkaSecurity, KafkaSettings, topic_configuration
from assent.stream.kafka_topics import KafkaTopics, Kind
from assent.testing.kafka_broker import ApacheKafka, free_port
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


DRIFTS = {
    (Topic.IMAGES_SCRAPED, "retention.ms"): "604800000",
    (Topic.IMAGES_LOCATED, "retention.bytes"): "1000000",
    (Topic.IMAGES_CLEARED, "max.message.bytes"): "1000",
    (Topic.GRANTS, "unclean.leader.election.enable"): "true",
    (Topic.GRANTS, "delete.retention.ms"): "1000",
    (Topic.WITHDRAWALS, "cleanup.policy"): "delete",
    (Topic.WITHDRAWALS, "min.compaction.lag.ms"): "0",
    (Topic.POLICIES, "min.insync.replicas"): "2",
}
UNSAFE = {
    "auto.create.topics.enable": "true",
    "log.cleaner.enable": "false",
    "unclean.leader.election.enable": "true",
}


class CarelessKafka(ApacheKafka):
    """A broker that makes a topic for whoever mistypes a name, takes a lagging leader, and never compacts."""

    def __init__(self, jars: Path) -> None:
        super().__init__(jars)
        plain = self._properties.read_text().replace("auto.create.topics.enable=false", "")
        self._properties.write_text(plain + "\n".join(f"{key}={value}" for key, value in UNSAFE.items()) + "\n")


def assent(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assent.cli.main", "topics", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def broker() -> Iterator[ApacheKafka]:
    jars = find_kafka()
    assert jars is not None
    with ApacheKafka(jars) as made:
        yield made


async def test_plan_apply_drift_and_mend(broker: ApacheKafka) -> None:
    at = ("--brokers", broker.bootstrap_servers)
    planned = assent("plan", *at, "--json")
    assert planned.returncode == 1, planned.stderr
    assert {fault["name"] for fault in json.loads(planned.stdout)} == set(all_topics())
    applied = assent("apply", *at)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert assent("check", *at).returncode == 0
    for topic in {topic for topic, _ in DRIFTS}:
        kept = topic_configuration(TOPICS[topic], replicas=1)
        others = {other: found for (where, other), found in DRIFTS.items() if where is topic}
        await broker.set_topic(topic.value, kept | others)
    drifted = assent("check", *at, "--json")
    assert drifted.returncode == 1
    told = {(fault["name"], fault["setting"]): (fault["kind"], fault["found"]) for fault in json.loads(drifted.stdout)}
    assert told == {(topic.value, key): ("drift", value) for (topic, key), value in DRIFTS.items()}
    in_words = assent("check", *at)
    assert "withdrawals cleanup.policy: compact is asked for, delete was found" in in_words.stdout
    assert assent("apply", *at).returncode == 0
    assert assent("check", *at).returncode == 0


@pytest.fixture(scope="module")
def careless() -> Iterator[CarelessKafka]:
    jars = find_kafka()
    assert jars is not None
    with CarelessKafka(jars) as made:
        yield made


def test_an_unsafe_broker_is_refused_and_nothing_is_changed(careless: CarelessKafka) -> None:
    at = ("--brokers", careless.bootstrap_servers)
    refused = assent("apply", *at)
    assert refused.returncode == 4
    assert "log.cleaner.enable is false, true is asked for: nothing is ever compacted" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    planned = json.loads(assent("plan", *at, "--json").stdout)
    assert len([fault for fault in planned if fault["kind"] == "missing"]) == len(all_topics())
    unsafe = {fault["setting"]: fault["found"] for fault in planned if fault["kind"] == "unsafe"}
    assert unsafe == UNSAFE
    assert all(fault["why"] for fault in planned if fault["kind"] == "unsafe")


async def test_counts_and_replicas_that_differ_are_refused_with_the_reason(careless: CarelessKafka) -> None:
    """Neither can be mended here: keys would move, and another broker's disk is the operator's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=careless.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(Topic.FACES_EMBEDDED.value, 3, 1)])
    await admin.close()
    at = ("--brokers", careless.bootstrap_servers)
    told = assent("check", *at)
    assert told.returncode == 1
    assert "faces.embedded partitions: 6 is asked for, 3 was found (partition counts never change: keys would move)" in told.stdout
    topics = KafkaTopics(careless.bootstrap_servers, security=KafkaSecurity(), settings=KafkaSettings(replicas=3))
    await topics.start()
    faults = await topics.faults({Topic.FACES_EMBEDDED.value: TOPICS[Topic.FACES_EMBEDDED]})
    await topics.close()
    (fault,) = (fault for fault in faults if fault.kind is Kind.REPLICAS)
    assert (fault.wanted, fault.found, fault.can_be_applied) == ("3", "1", False)
    # A service refuses it at start, in one line.
    log = careless.event_log()
    await log.start()
    with pytest.raises(ValueError, match=r"faces\.embedded has 3 partitions, 6 are asked for"):
        await log.ensure_topics(all_topics())
    await log.close()


def test_nobody_there_is_one_line() -> None:
    silent = assent("check", "--brokers", f"127.0.0.1:{free_port()}")
    assert silent.returncode == 3
    assert len(silent.stderr.splitlines()) == 1
