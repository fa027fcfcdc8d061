"""A face under a live grant became a vector; the vector rides sealed under the grant's key, never in the clear."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assent.events.decisions import DecisionRecord
from assent.events.face_box import FaceBox
from assent.events.fetched_from import FetchedFrom
from assent.events.payload import EventPayload, UtcTime
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, ProducerId, SightingId, SubjectId

__all__ = ["FaceBox", "FaceEmbedded"]


class FaceEmbedded(EventPayload):
    """One granted face. `sealed_vector` is AES-256-GCM over little-endian float32[dimensions], unit length.

    `producer` handed the image in; `source` is the keyed name of the source rule that covered it; `fetched` is where the picture was.
    Each is None in records of releases that did not say it, as `decision` is.
    """

    type: ClassVar[str] = "faces.embedded.v1"
    topic: ClassVar[Topic] = Topic.FACES_EMBEDDED
    face_id: FaceId
    grant_id: GrantId
    revision: int = Field(ge=1)
    subject_id: SubjectId
    image_id: ImageId
    producer: ProducerId | None = None
    source: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    fetched: FetchedFrom | None = None
    sighting_id: SightingId
    region_index: int = Field(ge=0)
    box: FaceBox
    detection_score: float
    model_digest: str
    dimensions: int = Field(ge=8, le=4096)
    sealed_vector: bytes
    derivative: str
    candidates: tuple[Jurisdiction, ...]
    policy_version: str
    embedded_at: UtcTime
    decision: DecisionRecord | None = None

    def key(self) -> str:
        return self.grant_id
