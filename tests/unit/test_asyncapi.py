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
STRUCTURED = GOLDEN.parent / "golden_structured"


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
    structured = {"images_scraped_v1_structured"} if topic is Topic.IMAGES_SCRAPED else set()
    assert set(channel["messages"]) == structured | {component(name) for name, model in EVENT_TYPES.items() if model.topic is topic}
    assert component(topic.dead_letters) in DOCUMENT["channels"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_golden_examples_are_valid_payloads(path: Path) -> None:
    schema = {"$ref": f"#/components/schemas/{component(path.parent.name)}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text())["value"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({})


@pytest.mark.parametrize("path", sorted(STRUCTURED.glob("*/*.json")), ids=lambda path: path.stem)
def test_the_structured_examples_are_valid_too(path: Path) -> None:
    message = DOCUMENT["components"]["messages"][f"{component(path.parent.name)}_structured"]
    example = json.loads(path.read_text())
    payload = jsonschema.Draft202012Validator(message["payload"] | {"components": DOCUMENT["components"]})
    payload.validate(example["value"])
    for spoilt in ({"id": ""}, {"specversion": "0.3"}, {"data": {}, "data_base64": "e30="}, {"type": "images.scraped.v9"}):
        with pytest.raises(jsonschema.ValidationError):
            payload.validate(example["value"] | spoilt)
    headers = {"content-type": example["content_type"], "assent-signature": "x"}
    jsonschema.Draft202012Validator(message["headers"]).validate(headers)
    assert message["contentType"] == "application/cloudevents+json"


def test_every_writer_has_its_operation() -> None:
    for topic, settings in TOPICS.items():
        for owner in settings.owners:
            assert f"{owner}_writes_{component(topic.value)}" in DOCUMENT["operations"]
