"""A log that asks for TLS and a login: the settings reach it, and a wrong one ends in an error that says so, never in plaintext."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assent.deployment.build import open_log
from assent.events.topics import Topic, all_topics
from assent.stream.event_log import EventLog, LogUnavailableError
from services.consent.settings import ConsentSettings
from tests.integration.secure_kafka import PASSWORD, USER, SecureKafka
from tests.integration.stream_workbench import inputs
from tools.outside_programs import find_kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    jars = find_kafka()
    assert jars is not None
    with SecureKafka(jars, tmp_path_factory.mktemp("certificates")) as made:
        yield made


def log_with(broker: SecureKafka, **changes: Any) -> EventLog:
    told: dict[str, Any] = {
        "log_url": f"kafka://{broker.bootstrap_servers}",
        "kafka_protocol": "SASL_SSL",
        "kafka_ca_file": broker.ca_file,
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_username": USER,
        "kafka_password": PASSWORD,
    }
    settings = ConsentSettings(**(told | changes))
    return open_log(settings.log_url, settings)


async def begun(log: EventLog) -> None:
    await log.start()
    await log.ensure_topics(all_topics())


async def test_with_the_right_login_it_appends_and_reads(broker: SecureKafka) -> None:
    log = log_with(broker)
    await begun(log)
    try:
        await log.append(inputs("one"))
        tail = await log.tail([Topic.WITHDRAWALS.value])
        records = [record for _ in range(5) for record in await tail.poll(timeout_s=1.0)]
        assert [record.key for record in records] == [b"one"]
        await tail.close()
    finally:
        await log.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"kafka_password": "another"},
        {"kafka_ca_file": None},
        {"kafka_protocol": "SASL_PLAINTEXT"},
        {"kafka_protocol": "PLAINTEXT"},
    ],
    ids=["wrong password", "unknown authority", "no encryption", "no login"],
)
async def test_with_a_wrong_one_it_does_not_start(broker: SecureKafka, changes: dict[str, Any]) -> None:
    log = log_with(broker, **changes)
    try:
        with pytest.raises(LogUnavailableError) as caught:
            await begun(log)
    finally:
        await log.close()
    assert PASSWORD not in str(caught.value)


def test_half_a_login_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="kafka_username"):
        ConsentSettings(kafka_protocol="SASL_SSL", kafka_username=USER)
    with pytest.raises(ValidationError, match="go together"):
        ConsentSettings(kafka_certificate_file=tmp_path / "certificate.pem")
