"""Declared metrics: naming rules, one shared registry, and labels that cannot name a person."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from assent.telemetry import metrics as declared
from assent.telemetry.meter import MAX_CHILDREN, Metrics
from assent.telemetry.metric_definition import CounterDefinition, GaugeDefinition, HistogramDefinition, MetricDefinitionError


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def scrape(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_names_are_declared_once() -> None:
    names = [definition.name for definition in declared.ALL]
    assert len(names) == len(set(names)) > 40


def test_counters_gauges_and_histograms_are_scraped(metrics: Metrics) -> None:
    metrics.increase(declared.RECORDS_CONSUMED, topic="images.scraped")
    metrics.increase(declared.RECORDS_CONSUMED, 2, topic="images.scraped")
    metrics.set(declared.VECTORS_WITHOUT_GRANT, 0)
    metrics.observe(declared.STAGE_DURATION, 0.3, stage="geofence")
    text = scrape(metrics)
    assert 'assent_records_consumed_total{topic="images.scraped"} 3.0' in text
    assert "assent_vectors_without_grant 0.0" in text
    assert 'assent_stage_duration_seconds_bucket{le="0.5",stage="geofence"} 1.0' in text
    assert metrics.value(declared.STAGE_DURATION, stage="geofence") == 1


def test_what_nobody_measures_is_absent(metrics: Metrics) -> None:
    metrics.set(declared.VECTORS, 4)
    assert "assent_vectors_without_grant" not in scrape(metrics)


def test_every_declared_metric_can_be_registered_and_has_the_series_it_promises(metrics: Metrics) -> None:
    for definition in declared.ALL:
        labels = dict.fromkeys(definition.labels, "x")
        match definition:
            case CounterDefinition():
                metrics.increase(definition, 1, **labels)
            case HistogramDefinition():
                metrics.observe(definition, 1, **labels)
            case GaugeDefinition():
                metrics.set(definition, 1, **labels)
    text = scrape(metrics)
    for name in declared.series_names():
        assert f"\n{name}" in text


@pytest.mark.parametrize(
    "value",
    [
        "https://pictures.example/a.jpg",
        "marie@pictures.example",
        "0190f5a2-1111-7222-8333-444455556666",
        "9f86d081884c7d659a2feaa0c55ad015",
        "Marie Tremblay",
        "",
        "x" * 65,
    ],
)
def test_a_label_that_could_name_a_person_is_replaced_and_counted(metrics: Metrics, value: str) -> None:
    metrics.increase(declared.RECORDS_CONSUMED, topic=value)
    metrics.increase(declared.RECORDS_CONSUMED, topic=value)
    assert metrics.value(declared.RECORDS_CONSUMED, topic="other") == 2
    assert metrics.value(declared.LABELS_REPLACED, metric="assent_records_consumed_total") == 2
    assert not value or value not in scrape(metrics)


def test_a_model_digest_is_allowed_where_it_is_declared(metrics: Metrics) -> None:
    metrics.set(declared.MODEL_INFO, 1, pack="sface", digest="ab" * 32)
    assert metrics.value(declared.MODEL_INFO, pack="sface", digest="ab" * 32) == 1


def test_children_are_bounded(metrics: Metrics) -> None:
    for number in range(MAX_CHILDREN + 5):
        metrics.increase(declared.RECORDS_CONSUMED, topic=f"t{number}")
    assert metrics.value(declared.RECORDS_CONSUMED, topic="other") == 5


def test_a_series_can_be_removed(metrics: Metrics) -> None:
    metrics.set(declared.CONSUMER_LAG, 7, topic="grants", partition="1")
    metrics.remove(declared.CONSUMER_LAG, topic="grants", partition="1")
    assert metrics.value(declared.CONSUMER_LAG, topic="grants", partition="1") is None
    metrics.set(declared.CONSUMER_LAG, 8, topic="grants", partition="1")
    assert metrics.value(declared.CONSUMER_LAG, topic="grants", partition="1") == 8


@pytest.mark.parametrize("labels", [{}, {"topic": "a", "extra": "b"}, {"stage": "a"}])
def test_wrong_labels_are_an_error(metrics: Metrics, labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="takes the labels"):
        metrics.increase(declared.RECORDS_CONSUMED, **labels)


def test_definitions_check_their_names() -> None:
    with pytest.raises(MetricDefinitionError, match="_total"):
        CounterDefinition("assent_things", "Things.")
    with pytest.raises(MetricDefinitionError, match="assent_"):
        GaugeDefinition("vectors", "Vectors.")
    with pytest.raises(MetricDefinitionError, match="_seconds"):
        HistogramDefinition("assent_duration_ms", "Wrong unit.")
    with pytest.raises(MetricDefinitionError, match="subject_id"):
        CounterDefinition("assent_things_total", "Things.", ("subject_id",))
    with pytest.raises(MetricDefinitionError, match="ascend"):
        HistogramDefinition("assent_x_seconds", "X.", buckets=(2.0, 1.0))
