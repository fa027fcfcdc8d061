"""A face under a live grant became a vector; the vector rides sealed under the grant's key, never in the clear."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assent.events.payload import EventPayload, UtcTime, WireModel
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, ProducerId, SightingId, SubjectId


class FaceBox(WireModel):
    """A box relative to the upright image, each value in 0..1."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)

    @property
    def is_inside_image(self) -> bool:
        """Each edge lies in the image; a rounding in the last digit is nobody's fault."""
        return self.x + self.width <= 1 + 1e-6 and self.y + self.height <= 1 + 1e-6


class FaceEmbedded(EventPayload):
    """One granted face. `sealed_vector` is AES-256-GCM over little-endian float32[dimensions], unit length.

    `producer` handed the image in; None in records of releases that did not say it.
    """

    type: ClassVar[str] = "faces.embedded.v1"
    topic: ClassVar[Topic] = Topic.FACES_EMBEDDED
    face_id: FaceId
    grant_id: GrantId
    revision: int = Field(ge=1)
    subject_id: SubjectId
    image_id: ImageId
    producer: ProducerId | None = None
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

    def key(self) -> str:
        return self.grant_id
