"""The course of one image: scraped, located, cleared or refused; only the first three carry a URL and raw evidence."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from assent.events.decisions import DecisionRecord
from assent.events.evidence import CoarseEvidence, PageEvidence
from assent.events.optouts import SeenOptOut
from assent.events.payload import EventPayload, UtcTime, WireModel
from assent.events.topics import Topic
from assent.ids import GrantId, ImageId, Jurisdiction, ProducerId, RuleId, SightingId


class SourceKind(StrEnum):
    """How the image came to the producer; there is no value for a camera in a public place."""

    WEB_PAGE = "web_page"
    UPLOAD = "upload"
    PRODUCER = "producer"


class Stage(StrEnum):
    """Where a sighting stood when it was decided."""

    CRAWLER = "crawler"
    INTAKE = "intake"
    GEOFENCE = "geofence"
    CONSENT = "consent"
    EMBEDDER = "embedder"
    INDEXER = "indexer"
    QUERY = "query"


class Sighting(WireModel):
    """One image at one place. `blob` is the key of the sealed original in quarantine; times are UTC.

    `optouts` deny or could not be read: each later hop asks whether the grant that it decides about has set them aside. `asked` is the
    keyed name of the address that the crawler asked, where a redirect led from it to `final_url`.
    """

    sighting_id: SightingId
    image_id: ImageId
    producer: ProducerId
    source_kind: SourceKind
    blob: str = Field(max_length=512)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=1)
    media_type: str
    final_url: str | None = Field(default=None, max_length=2048)
    page_url: str | None = Field(default=None, max_length=2048)
    asked: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", exclude_if=lambda asked: asked is None)
    account: str | None = Field(default=None, max_length=512)
    upload_grant_id: GrantId | None = None
    fetched_at: UtcTime
    page_evidence: tuple[PageEvidence, ...] = Field(default=(), max_length=64)
    optouts: tuple[SeenOptOut, ...] = Field(default=(), max_length=64, exclude_if=lambda seen: not seen)


class GrantFinding(WireModel):
    """What the geofence found for one covering grant: the candidate set, never a verdict of consent."""

    grant_id: GrantId
    revision: int = Field(ge=1)
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    decision: DecisionRecord | None = None


class Clearance(WireModel):
    """One grant that opens this image, as decided at `policy_version`; re-decided at every later hop."""

    grant_id: GrantId
    revision: int = Field(ge=1)
    candidates: tuple[Jurisdiction, ...]
    evidence: tuple[CoarseEvidence, ...]
    decision: DecisionRecord | None = None


class ImageScraped(EventPayload):
    """An image was fetched or handed in and lies sealed in quarantine."""

    type: ClassVar[str] = "images.scraped.v1"
    topic: ClassVar[Topic] = Topic.IMAGES_SCRAPED
    sighting: Sighting

    def key(self) -> str:
        return self.sighting.sighting_id


class ImageLocated(EventPayload):
    """The geofence knows, per covering grant, where this may be; what no grant could open was refused."""

    type: ClassVar[str] = "images.located.v1"
    topic: ClassVar[Topic] = Topic.IMAGES_LOCATED
    sighting: Sighting
    findings: tuple[GrantFinding, ...] = Field(min_length=1)
    policy_version: str
    datasets: tuple[str, ...]

    def key(self) -> str:
        return self.sighting.sighting_id


class FoundPlaces(GrantFinding):
    """A finding without the record of the geofence's decision: that is for whoever replays it, and passed over here."""

    decision: DecisionRecord | None = Field(default=None, validation_alias="")


class LocatedPlaces(ImageLocated):
    """An ImageLocated as the next stage reads it."""

    findings: tuple[FoundPlaces, ...] = Field(min_length=1)


class ImageCleared(EventPayload):
    """At least one grant opens collecting and embedding for this image."""

    type: ClassVar[str] = "images.cleared.v1"
    topic: ClassVar[Topic] = Topic.IMAGES_CLEARED
    sighting: Sighting
    clearances: tuple[Clearance, ...] = Field(min_length=1)
    policy_version: str
    datasets: tuple[str, ...]

    def key(self) -> str:
        return self.sighting.sighting_id


class ImageRefused(EventPayload):
    """A gate said no. `grant_id` is None when no grant covered the image. Holds no URL, no raw value, no bytes.

    `image_id` is None when nothing was fetched, `decision` in records of releases that did not write it. `sealed_place` is there when
    the image waits for her approval (`control_unproven`): its address under the key of her grant, so that it goes with the grant and
    only the registry shows it, to her.
    """

    type: ClassVar[str] = "images.refused.v1"
    topic: ClassVar[Topic] = Topic.IMAGES_REFUSED
    sighting_id: SightingId
    image_id: ImageId | None
    grant_id: GrantId | None
    revision: int | None = None
    producer: ProducerId
    stage: Stage
    outcome: str
    rules: tuple[RuleId, ...] = Field(min_length=1)
    candidates: tuple[Jurisdiction, ...] = ()
    evidence: tuple[CoarseEvidence, ...] = ()
    policy_version: str
    datasets: tuple[str, ...] = ()
    sealed_place: bytes | None = Field(default=None, max_length=4096)
    decided_at: UtcTime
    decision: DecisionRecord | None = None

    def key(self) -> str:
        return self.sighting_id
