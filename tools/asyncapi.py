"""One AsyncAPI 3 document of every topic and event, generated from the models; its Kafka bindings say what the topic enum says."""

from __future__ import annotations

from typing import Any

from assent import __version__
from assent.events.catalogue import EVENT_TYPES
from assent.events.envelope import MAX_ATTRIBUTE_CHARS
from assent.events.payload import EventPayload
from assent.events.topics import DEAD_LETTER_SETTINGS, TOPICS, Topic, TopicSettings

Document = dict[str, Any]
SERVICES = ("crawler", "geofence", "consent", "embedder", "indexer", "query", "registry")
BINDING_VERSION = "0.5.0"
_HEADERS: Document = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "deterministic: the same fact has the same id"},
        "ce_source": {"type": "string"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
        "assent-signature": {
            "type": "string",
            "description": "Ed25519 over id, key and value, on images.scraped. Over the topic too: what the registry alone may say, "
            "on grants, withdrawals and erasures.requested",
        },
        "assent-stage": {
            "type": "string",
            "description": "hmac-sha256-1: and 64 hex digits, over topic, id, key and value; on what one stage hands to the next, and on "
            "erasures.progressed",
        },
    },
}

STRUCTURED_TOPIC = Topic.IMAGES_SCRAPED
"""Where outside producers write, who may send the whole event as the value; our own stages write in binary mode."""
_STRUCTURED_HEADERS: Document = {
    "type": "object",
    "required": ["content-type", "assent-signature"],
    "properties": {
        "content-type": {"type": "string", "pattern": "^application/cloudevents\\+json( *; *charset=utf-8)?$"},
        "assent-signature": {"type": "string", "description": "Ed25519 over id, key and the whole value; 64 bytes or their base64"},
    },
}


def asyncapi() -> Document:
    """The document as plain JSON values."""
    schemas: Document = {}
    messages = {_component(name): _message(name, model, schemas) for name, model in sorted(EVENT_TYPES.items())}
    messages |= {_structured(name): _structured_message(name, model) for name, model in _named(STRUCTURED_TOPIC)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Assent events",
            "version": __version__,
            "description": (
                "CloudEvents 1.0 in the Kafka binding, binary mode; on images.scraped structured mode is read too. "
                "Vectors ride sealed; image bytes never do."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {**{_component(topic.value): _channel(topic) for topic in TOPICS}, **_dead_letter_channels()},
        "operations": _operations(),
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(name: str, model: type[EventPayload], schemas: Document) -> Document:
    schema = model.model_json_schema(mode="validation", ref_template="#/components/schemas/{model}")
    for inner, definition in schema.pop("$defs", {}).items():
        schemas[inner] = definition
    schemas[_component(name)] = schema
    return {
        "name": name,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{_component(name)}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": TOPICS[model.topic].key}, "bindingVersion": BINDING_VERSION}},
    }


def _structured_message(name: str, model: type[EventPayload]) -> Document:
    """The same event as one document (CloudEvents 1.0, JSON format)."""
    text = {"type": "string", "minLength": 1, "maxLength": MAX_ATTRIBUTE_CHARS}
    return {
        "name": f"{name}, structured",
        "title": f"{model.__name__}, the whole event as the value",
        "summary": "From outside producers. Extension attributes are allowed; data_base64 may stand for data.",
        "contentType": "application/cloudevents+json",
        "headers": _STRUCTURED_HEADERS,
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "time"],
            "properties": {
                "specversion": {"type": "string", "const": "1.0"},
                **dict.fromkeys(("id", "source"), text),
                "type": {"type": "string", "const": name},
                "time": {"type": "string", "format": "date-time"},
                "datacontenttype": {"type": "string"},
                "data": {"$ref": f"#/components/schemas/{_component(name)}"},
                "data_base64": {"type": "string", "contentEncoding": "base64"},
            },
            "oneOf": [{"required": ["data"]}, {"required": ["data_base64"]}],
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": TOPICS[model.topic].key}, "bindingVersion": BINDING_VERSION}},
    }


def _named(topic: Topic) -> list[tuple[str, type[EventPayload]]]:
    return [(name, model) for name, model in sorted(EVENT_TYPES.items()) if model.topic is topic]


def _structured(name: str) -> str:
    return f"{_component(name)}_structured"


def _channel(topic: Topic) -> Document:
    messages = [_component(name) for name, _ in _named(topic)]
    if topic is STRUCTURED_TOPIC:
        messages += [_structured(name) for name, _ in _named(topic)]
    return {
        "address": topic.value,
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in messages},
        "bindings": {"kafka": _binding(TOPICS[topic])},
    }


def _dead_letter_channels() -> Document:
    described = {"description": "topic, partition, offset, cause and digest of what could not be read; never the payload"}
    return {
        _component(topic.dead_letters): {
            "address": topic.dead_letters,
            **described,
            "messages": {},
            "bindings": {"kafka": _binding(DEAD_LETTER_SETTINGS)},
        }
        for topic in TOPICS
    }


def _binding(settings: TopicSettings) -> Document:
    configuration: Document = {"cleanup.policy": [settings.cleanup]}
    if settings.retention_s is not None:
        configuration["retention.ms"] = settings.retention_s * 1000
    return {"partitions": settings.partitions, "replicas": 3, "topicConfiguration": configuration, "bindingVersion": BINDING_VERSION}


def _operations() -> Document:
    """Who writes what; everybody else only reads."""
    return {
        f"{service}_writes_{_component(topic.value)}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_component(topic.value)}"},
            "title": f"{service} writes {topic.value}",
        }
        for topic, settings in TOPICS.items()
        for service in settings.owners
        if service in SERVICES
    }


def _component(name: str) -> str:
    """A name without dots: they would end a reference."""
    return name.replace(".", "_")
