"""A grant as decisions read it, its end, and the policy they read it under; the full record stays in the registry, never here."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from assent.events.face_box import FaceBox
from assent.events.payload import ComparedTime, EventPayload, UtcTime, WireModel
from assent.events.topics import Topic
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SubjectId
from assent.optouts.signal import ContentRight

FACE_ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
WITHOUT_REFERENCE: Literal["assent.grant/1"] = "assent.grant/1"
WITH_REFERENCE: Literal["assent.grant/2"] = "assent.grant/2"
"""What a grant says of itself as soon as it names a reference: a reader that would pass over that denies the grant instead."""


class GrantState(StrEnum):
    """Only `given` and `renewed` are live."""

    REQUESTED = "requested"
    GIVEN = "given"
    RENEWED = "renewed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"


class Operation(StrEnum):
    """What may be done under a grant."""

    COLLECT = "collect"
    EMBED = "embed"
    STORE = "store"
    SEARCH = "search"
    DISCLOSE = "disclose"


class Purpose(StrEnum):
    """What face recognition is for here; anything else is refused before a probe is decoded."""

    SELF_SEARCH = "self_search"
    VERIFY = "verify"
    GALLERY_SEARCH = "gallery_search"


class SourceKindRule(StrEnum):
    """How a source rule names its target; a wildcard cannot be written."""

    URL_PREFIX = "url_prefix"
    ACCOUNT = "account"
    IMAGE_URL = "image_url"
    ASSET_SHA256 = "asset_sha256"
    UPLOAD = "upload"


class BindingMode(StrEnum):
    """How the grant says which face is meant; `reference_match` answers `not_supported`."""

    SINGLE_FACE = "single_face"
    REGION = "region"
    JOINT = "joint"
    REFERENCE_MATCH = "reference_match"


class ConsentForm(StrEnum):
    """The legal form of the yes."""

    EXPRESS = "express"
    EXPLICIT = "explicit"
    WRITTEN_RELEASE = "written_release"


class AgeBand(StrEnum):
    """Age as stated; unknown is treated as the strictest."""

    ADULT = "adult"
    MINOR_14_17 = "minor_14_17"
    MINOR_UNDER_14 = "minor_u14"
    UNKNOWN = "unknown"


class Residence(WireModel):
    """Where the subject says she lives."""

    jurisdiction: Jurisdiction


class SourceRule(WireModel):
    """One named target. `only_me` is her evidenced statement that nobody else's face appears there.

    `value` is a normalised URL prefix, an account name, an image URL, a sha256 in hex, or the grant's own id for uploads.
    `control_until` is set by the registry alone: the grant's controller has shown that it controls this prefix or account, and the proof
    counts until then. `overrides` are content rights that she has set aside for this target, expressly and by name; they count only
    while `control_until` does. Both are left out where there is nothing, so that records of releases that did not know them keep their
    digest.
    """

    kind: SourceKindRule
    value: str = Field(min_length=1, max_length=2048)
    only_me: bool = False
    control_until: ComparedTime | None = Field(default=None, exclude_if=lambda until: until is None)
    overrides: tuple[ContentRight, ...] = Field(default=(), exclude_if=lambda rights: not rights)


class FaceRegion(WireModel):
    """The box she marked in one asset."""

    asset_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    box: FaceBox


class FaceBinding(WireModel):
    """Which face; `member_grants` are the grants of everyone in the photo for `joint`."""

    mode: BindingMode
    regions: tuple[FaceRegion, ...] = ()
    member_grants: tuple[GrantId, ...] = ()


class LegalBasis(WireModel):
    """The form in which this grant was given for one jurisdiction, with what that law asks for beside it."""

    jurisdiction: Jurisdiction
    form: ConsentForm
    explicit: bool = True
    signature: Literal["wet", "e_signature", "vc"] | None = None
    alternative_offered: bool = False
    notice_fields: tuple[str, ...] = ()
    evidence_count: int = Field(default=0, ge=0)
    notice_sha256: str | None = None


class GeographicScope(WireModel):
    """Jurisdictions per group of operations; no wildcard."""

    collect_in: tuple[Jurisdiction, ...]
    store_in: tuple[Jurisdiction, ...]
    disclose_in: tuple[Jurisdiction, ...]


class GrantSnapshot(EventPayload):
    """What decisions read of one grant at one revision.

    `controls_source` is a word of whoever asked for the grant and proves nothing; `control_until` of a source does. An unknown
    `schema_version` denies the grant: a reader that does not know a restriction must not ignore it. `reference` is one of the faces held
    under this grant, which she confirmed as hers; a joint grant has none of its own.
    """

    type: ClassVar[str] = "grants.v1"
    topic: ClassVar[Topic] = Topic.GRANTS
    schema_version: Literal["assent.grant/1", "assent.grant/2"] = WITHOUT_REFERENCE
    grant_id: GrantId
    revision: int = Field(ge=1)
    state: GrantState
    subject_id: SubjectId
    age_band: AgeBand
    guardian: bool = False
    residences: tuple[Residence, ...] = Field(min_length=1)
    recipients: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = Field(min_length=1)
    operations: tuple[Operation, ...] = Field(min_length=1)
    sources: tuple[SourceRule, ...] = Field(min_length=1)
    binding: FaceBinding
    legal: tuple[LegalBasis, ...]
    scope: GeographicScope
    not_before: ComparedTime
    expires_at: ComparedTime
    confirmed_at: ComparedTime | None = None
    last_interaction_at: ComparedTime
    evidence_kinds: tuple[str, ...] = ()
    controls_source: bool = False
    reference: FaceId | None = Field(default=None, pattern=FACE_ID, exclude_if=lambda face: face is None)

    @model_validator(mode="after")
    def _says_what_it_restricts(self) -> Self:
        if (self.schema_version == WITH_REFERENCE) != (self.reference is not None):
            raise ValueError(f"a grant is {WITH_REFERENCE} where it names a reference, and nowhere else")
        if self.reference is not None and self.binding.mode is BindingMode.JOINT:
            raise ValueError("a joint grant has no reference of its own")
        return self

    def key(self) -> str:
        return self.grant_id


class GrantWithdrawn(EventPayload):
    """The grant has ended for ever. Absorbing: nothing revives this grant_id."""

    type: ClassVar[str] = "withdrawals.v1"
    topic: ClassVar[Topic] = Topic.WITHDRAWALS
    grant_id: GrantId
    withdrawn_at: UtcTime

    def key(self) -> str:
        return self.grant_id


class PolicyPublished(EventPayload):
    """One signed policy document, replaced whole. `sha256` is that of `document`, canonical JSON; `signature` covers `signed_bytes`.

    Releases before signed the digest alone.
    """

    type: ClassVar[str] = "policies.v1"
    topic: ClassVar[Topic] = Topic.POLICIES
    version: str
    document: str
    sha256: str
    signature: bytes
    key_id: str
    published_at: UtcTime

    def signed_bytes(self) -> bytes:
        """The document and when it was published: an older one must not come back into force by being put on the log again."""
        return f"{self.sha256}|{self.published_at.isoformat(timespec='microseconds')}".encode()

    def key(self) -> str:
        return "policy"


class SuppressionAdded(EventPayload):
    """A picture that must not come back. `suppression_key` is a keyed hash of its bytes or of an address; no template is kept.

    `image_id` lets go of what is held of these bytes, `perceptual_hash` (64 hex digits, masked) finds their copies; an address has neither.
    """

    type: ClassVar[str] = "suppressions.v1"
    topic: ClassVar[Topic] = Topic.SUPPRESSIONS
    suppression_key: str
    kind: Literal["sha256"] = "sha256"
    added_at: UtcTime
    image_id: ImageId | None = None
    perceptual_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    def key(self) -> str:
        return self.suppression_key
