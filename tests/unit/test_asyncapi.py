"""The AsyncAPI document holds every topic and event, agrees with the topic enum, and its payloads take the golden examples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from assent.events.catalogue import EVENT_TYPES
from assent.events.topics import TOPICS, Topic
from tools.asyncapi import asyncapi

DOCUMENT = asyncapi()
GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def component(name: str) -> str:
    return name.replace(".", "_")


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT))):
        place = DOCUMENT
        for part in reference.split("/"):
            place = place[part]


@pytest.mark.parametrize("topic", list(Topic))
def test_each_channel_is_kept_as_the_topic_enum_says(topic: Topic) -> None:
    settings, channel = TOPICS[topic], DOCUMENT["channels"][component(topic.value)]
    binding = channel["bindings"]["kafka"]
    assert channel["address"] == topic.value
    assert binding["partitions"] == settings.partitions
    assert binding["topicConfiguration"]["cleanup.policy"] == [settings.cleanup]
    assert binding["topicConfiguration"].get("retention.ms") == (settings.retention_s * 1000 if settings.retention_s else None)
    assert set(channel["messages"]) == {component(name) for name, model in EVENT_TYPES.items() if model.topic is topic}
    assert component(topic.dead_letters) in DOCUMENT["channels"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_golden_examples_are_valid_payloads(path: Path) -> None:
    schema = {"$ref": f"#/components/schemas/{component(path.parent.name)}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text())["value"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({})


def test_every_writer_has_its_operation() -> None:
    for topic, settings in TOPICS.items():
        for owner in settings.owners:
            assert f"{owner}_writes_{component(topic.value)}" in DOCUMENT["operations"]
