"""The decisions that stand in events: on which topics they stand, and what is told of each."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from assent.deciding.recorded import DECISION_EVENTS, recorded_decisions
from assent.events.catalogue import EVENT_TYPES
from assent.events.envelope import decode
from tests.unit.test_golden_events import EXAMPLES, record_of


def test_every_topic_on_which_a_decision_stands_is_read() -> None:
    """Of every example, which there is of every type."""
    deciding = {path.parent.name for path in EXAMPLES if any(recorded_decisions(decode(record_of(path))))}
    assert {EVENT_TYPES[name].topic for name in deciding} == set(DECISION_EVENTS)
    assert {topic.value for topic in DECISION_EVENTS} == {
        "images.refused",
        "images.located",
        "images.cleared",
        "faces.embedded",
        "disclosures",
    }


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem.endswith("with_decision")], ids=lambda path: path.parent.name)
def test_a_decision_is_told_with_its_stage_its_time_its_places_and_its_image(path: Path) -> None:
    event = decode(record_of(path))
    data = json.loads(event.data.to_json())
    parts = data.get("findings") or data.get("clearances") or [data]
    at, image_id = data.get("embedded_at", event.time), data.get("image_id") or data["sighting"]["image_id"]
    stage = {"images.located.v1": "geofence", "images.cleared.v1": "consent", "faces.embedded.v1": "embedder"}[path.parent.name]
    told = list(recorded_decisions(event))
    assert [one.grant_id for one in told] == [part["grant_id"] for part in parts]
    for one, part in zip(told, parts, strict=True):
        assert (one.event_id, one.stage, one.policy_version, one.image_id) == (event.id, stage, data["policy_version"], image_id)
        assert one.at == (datetime.fromisoformat(at) if isinstance(at, str) else at)
        assert (one.rules, list(one.candidates), one.is_yes, one.basis) == ((), part["candidates"], True, None)
        assert (one.evidence is None) == ("evidence" not in part)
        assert len(one.evidence or ()) == len(part.get("evidence", ()))
        assert one.record is not None
