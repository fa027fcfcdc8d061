"""Brokers as fixtures: a fresh one per test module, since Tansu keeps everything in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assent.testing.kafka_broker import ApacheKafka, Tansu
from tools.outside_programs import find_kafka


@pytest.fixture(scope="module")
def tansu() -> Iterator[Tansu]:
    """Tansu, running."""
    with Tansu() as broker:
        yield broker


@pytest.fixture(scope="module")
def apache_kafka() -> Iterator[ApacheKafka]:
    """Apache Kafka, running; tests that use it carry the mark `kafka`, so it is there."""
    jars = find_kafka()
    assert jars is not None
    with ApacheKafka(jars) as broker:
        yield broker
