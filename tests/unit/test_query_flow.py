"""The fold behind the console: counts, decisions, a bound on memory, and no URL."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

from assent.events.envelope import Event, encode
from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind, PageEvidence
from assent.events.faces import FaceBox, FaceEmbedded
from assent.events.grants import GrantWithdrawn
from assent.events.images import (
    Clearance,
    GrantFinding,
    ImageCleared,
    ImageLocated,
    ImageRefused,
    ImageScraped,
    Sighting,
    SourceKind,
    Stage,
)
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, ProducerId, RuleId, SightingId, SubjectId
from services.query.flow import MOST_COUNTED, Flow

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
G = GrantId("g-1")
PLACES = (Jurisdiction("CA-BC"),)
URL = "https://secret.example/ada.jpg"


def stored(data: EventPayload, event: str) -> StoredRecord:
    record = encode(Event(id=event, source="/test", time=AT, data=data))
    return StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)


def sighting(number: int = 1) -> Sighting:
    return Sighting(
        sighting_id=SightingId(f"sighting-{number}"),
        image_id=ImageId(f"image-{number}"),
        producer=ProducerId("crawler"),
        source_kind=SourceKind.WEB_PAGE,
        blob="quarantine/1",
        sha256="0" * 64,
        size_bytes=1,
        media_type="image/jpeg",
        final_url=URL,
        page_url=URL,
        account="ada-of-secret",
        fetched_at=AT,
        page_evidence=(PageEvidence(kind=EvidenceKind.CAPTION, value="raw-caption-of-ada"),),
    )


def refused(number: int = 1, *, grant_id: GrantId | None = G) -> ImageRefused:
    seen = sighting(number)
    return ImageRefused(
        sighting_id=seen.sighting_id,
        image_id=seen.image_id,
        grant_id=grant_id,
        producer=seen.producer,
        stage=Stage.GEOFENCE,
        outcome="unknown_place",
        rules=(RuleId("X-1"),),
        candidates=PLACES,
        evidence=(
            CoarseEvidence(kind=EvidenceKind.CAPTION, connector=Connector.SHOWN, jurisdictions=PLACES, deny_weight=0.3, allow_weight=0.1),
        ),
        policy_version="1",
        decided_at=AT,
    )


def embedded(number: int = 1) -> FaceEmbedded:
    seen = sighting(number)
    return FaceEmbedded(
        face_id=FaceId(f"face-{number}"),
        grant_id=G,
        revision=1,
        subject_id=SubjectId("s-1"),
        image_id=seen.image_id,
        sighting_id=seen.sighting_id,
        region_index=0,
        box=FaceBox(x=0.1, y=0.1, width=0.2, height=0.2),
        detection_score=0.9,
        model_digest="m",
        dimensions=128,
        sealed_vector=b"vector-sealed",
        derivative="grants/1/1",
        candidates=PLACES,
        policy_version="1",
        embedded_at=AT,
    )


def folded(*events: EventPayload, history: int = 100) -> Flow:
    flow = Flow(history=history)
    for number, data in enumerate(events):
        flow.apply(stored(data, f"event-{number}"))
    return flow


def course() -> list[EventPayload]:
    found: Any = {"grant_id": G, "revision": 1, "candidates": PLACES, "evidence": ()}
    versions: Any = {"policy_version": "1", "datasets": ()}
    return [
        ImageScraped(sighting=sighting()),
        ImageLocated(sighting=sighting(), findings=(GrantFinding(**found),), **versions),
        ImageCleared(sighting=sighting(), clearances=(Clearance(**found),), **versions),
        embedded(),
        refused(2),
        GrantWithdrawn(grant_id=G, withdrawn_at=AT),
    ]


def test_every_gate_is_counted() -> None:
    flow = folded(*course())
    assert dict(flow.gates) == dict.fromkeys(("scraped", "located", "cleared", "embedded", "refused", "withdrawn"), 1)
    assert dict(flow.refused) == {("geofence", "unknown_place"): 1}


def test_refusals_are_counted_by_rule_and_place_whether_or_not_a_grant_covers_them() -> None:
    both = refused(3, grant_id=None).model_copy(
        update={"rules": (RuleId("QC-3"), RuleId("X-1")), "candidates": (Jurisdiction("CA-QC"), *PLACES)}
    )
    unplaced = refused(4).model_copy(update={"rules": (RuleId("suppressed"),), "candidates": ()})
    flow = folded(refused(2), both, unplaced)
    assert flow.reasons == {
        ("geofence", "X-1", "CA-BC"): 2,
        ("geofence", "X-1", "CA-QC"): 1,
        ("geofence", "QC-3", "CA-BC"): 1,
        ("geofence", "QC-3", "CA-QC"): 1,
        ("geofence", "suppressed", "none"): 1,
    }


def test_reasons_and_places_that_are_counted_apart_are_bounded() -> None:
    rules = [RuleId(f"r-{number}") for number in range(MOST_COUNTED + 3)]
    flow = folded(*(refused(number).model_copy(update={"rules": (rule,)}) for number, rule in enumerate([*rules, rules[0]])))
    assert len(flow.reasons) == MOST_COUNTED + 1
    assert (flow.reasons["geofence", "r-0", "CA-BC"], flow.reasons["geofence", "other", "other"]) == (2, 3)


def test_an_event_that_comes_twice_counts_once() -> None:
    flow = folded(*course())
    for number, data in enumerate(course()):
        flow.apply(stored(data, f"event-{number}"))
    assert set(flow.gates.values()) == {1}
    assert len(flow.last(10)) == 2


def test_an_unreadable_record_changes_nothing() -> None:
    flow = folded(*course())
    flow.apply(StoredRecord("images.refused", 0, 9, 0, b"k", b"{", ()))
    flow.apply(StoredRecord("images.refused", 0, 9, 0, b"k", None, ()))
    assert set(flow.gates.values()) == {1}


def test_decisions_are_newest_first_and_of_the_grants_that_are_asked_for() -> None:
    flow = folded(refused(1), embedded(2), refused(3, grant_id=None), refused(4))
    assert [item.number for item in flow.last(10)] == [4, 3, 2, 1]
    assert [item.number for item in flow.last(2, grants=frozenset({G}))] == [4, 2]
    assert flow.last(10, grants=frozenset()) == []
    assert [item.outcome for item in flow.of_image(ImageId("image-2"))] == ["embedded"]
    assert flow.of_image(ImageId("image-3"), grants=frozenset({G})) == []


def test_what_is_remembered_is_bounded_and_boxes_go_with_it() -> None:
    flow = folded(embedded(1), *(refused(number) for number in range(2, 30)), history=5)
    assert [item.number for item in flow.last(100)] == [29, 28, 27, 26, 25]
    assert flow.box(FaceId("face-1")) is None
    assert flow.gates["refused"] == 28


def test_nothing_that_could_lead_to_the_place_or_the_face_is_held() -> None:
    flow = folded(*course())
    held = pickle.dumps([vars(flow)[name] for name in vars(flow) if name != "grown"])
    for trace in (b"secret", b"raw-caption", b"vector-sealed", b"quarantine"):
        assert trace not in held


async def test_whoever_waits_is_woken_by_each_event_and_at_the_end() -> None:
    flow = Flow(history=10)
    first = flow.grown
    flow.apply(stored(refused(), "one"))
    assert first.is_set()
    second = flow.grown
    assert not second.is_set()
    flow.wake()
    assert second.is_set()
