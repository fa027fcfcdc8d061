"""What the registry's HTTP interface takes and gives, as models; the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from assent.events.faces import FaceBox
from assent.events.grants import FACE_ID, AgeBand, GrantState, Operation, Purpose
from assent.events.payload import UtcTime
from assent.identity.principal import Role
from assent.ids import ErasureId, FaceId, GrantId, ImageId, ProducerId, SightingId, SubjectId
from assent.optouts.signal import ContentRight
from services.registry.device_yes import DeviceYes
from services.registry.grant_parts import MAX_EXACT, Place, RecordPart, Sha256Hex
from services.registry.grant_request import GrantRequest

Secret = Annotated[str, Field(min_length=16, max_length=200)]
Offsets = dict[str, int]


class SubjectIn(RecordPart):
    age_band: AgeBand
    residences: tuple[Place, ...] = Field(min_length=1, max_length=20)


class SubjectOut(RecordPart):
    subject_id: SubjectId


class RequestedOut(RecordPart):
    """`one_time_secret` is for the subject alone and is shown once."""

    grant_id: GrantId
    revision: int
    state: GrantState = GrantState.REQUESTED
    one_time_secret: str
    notice_sha256: Sha256Hex
    confirm_path: str


class BulkIn(RecordPart):
    """Every grant stays requested until its own subject confirms it."""

    grants: tuple[GrantRequest, ...] = Field(min_length=1, max_length=500)


class BulkItem(RecordPart):
    """Either what was requested, or the rule and message of the refusal."""

    requested: RequestedOut | None = None
    code: str | None = None
    message: str | None = None


class BulkOut(RecordPart):
    results: tuple[BulkItem, ...]


class ConfirmIn(RecordPart):
    """`device`: a signature by a key of her device over `assent yes v1`, the grant's id and the digest, a line each; may be left out."""

    one_time_secret: Secret
    notice_sha256: Sha256Hex
    device: DeviceYes | None = None


class ConfirmedOut(RecordPart):
    """`grant_secret` uses and ends the grant; it is shown once. `recipients_left_out` were asked for, and the grant does not name them:
    the yes came with `Sec-GPC: 1`.
    """

    grant_id: GrantId
    revision: int
    state: GrantState = GrantState.GIVEN
    grant_secret: str
    offsets: Offsets
    recipients_left_out: tuple[str, ...] = ()


class RefuseIn(RecordPart):
    one_time_secret: Secret


class RefusedOut(RecordPart):
    grant_id: GrantId
    state: GrantState = GrantState.REFUSED


class SecretIn(RecordPart):
    grant_secret: Secret


class Opening(RecordPart):
    """Keep it: it shows that a receipt is about this grant. Only the secret of the grant opens what we keep of it."""

    grant_id: GrantId
    salt: Sha256Hex


class WithdrawnOut(RecordPart):
    """The withdrawal is on the log at `offsets` and the grant's key is destroyed."""

    erasure_id: ErasureId
    withdrawn_at: AwareDatetime
    offsets: Offsets
    opening: Opening | None = None


class SessionOut(RecordPart):
    token: str
    expires_at: AwareDatetime


class RegionIn(RecordPart):
    grant_secret: Secret
    asset_sha256: Sha256Hex
    box: FaceBox
    expected_revision: int | None = Field(default=None, ge=1)


class ReferenceIn(RecordPart):
    """`face_id`: one of the faces held under this grant."""

    face_id: FaceId = Field(pattern=FACE_ID)
    expected_revision: int | None = Field(default=None, ge=1)


class RenewalOut(RecordPart):
    """What she would say yes to. Send `begins_at`, `notice_sha256` and the revision back as they are, within the hour."""

    grant_id: GrantId
    revision: int
    begins_at: AwareDatetime
    expires_at: AwareDatetime
    notice: str
    notice_sha256: Sha256Hex


class RenewalIn(RecordPart):
    """Her yes to the terms that were shown. `device`: as for the first yes, over the digest of this notice."""

    begins_at: UtcTime
    notice_sha256: Sha256Hex
    expected_revision: int = Field(ge=1)
    device: DeviceYes | None = None


class HeldFaceOut(RecordPart):
    face_id: FaceId
    embedded_at: AwareDatetime


class FacesOut(RecordPart):
    """`reference` is the face she confirmed as hers. While `is_reference_gone` nothing new is kept; None where nobody can tell."""

    reference: FaceId | None
    is_reference_gone: bool | None
    faces: tuple[HeldFaceOut, ...]


class NarrowIn(RecordPart):
    """What is taken away; `expected_revision` is the revision that was read."""

    grant_secret: Secret
    expected_revision: int = Field(ge=1)
    purposes: frozenset[Purpose] = frozenset()
    operations: frozenset[Operation] = frozenset()
    sources: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    expires_at: UtcTime | None = None


class RevisedOut(RecordPart):
    grant_id: GrantId
    revision: int
    offsets: Offsets


class RenewedOut(RecordPart):
    grant_id: GrantId
    revision: int
    offsets: Offsets
    expires_at: AwareDatetime


class GrantOut(RecordPart):
    """`record` is there for the subject and the privacy officer, and gone once the grant has ended."""

    grant_id: GrantId
    state: GrantState
    revision: int
    expires_at: AwareDatetime
    history: tuple[dict[str, Any], ...]
    erasure_id: ErasureId | None = None
    record: dict[str, Any] | None = None


class UploadedOut(RecordPart):
    sighting_id: SightingId
    revision: int


class StoreProgress(RecordPart):
    store: str
    level: str
    count_before: int
    count_after: int
    method: str
    remains: tuple[str, ...]
    reached_at: AwareDatetime


class ErasureOut(RecordPart):
    """Where an erasure stands. `waiting_for` names stores that have not reported the level."""

    erasure_id: ErasureId
    cause: str
    status: str
    requested_at: AwareDatetime
    progress: tuple[StoreProgress, ...]
    waiting_for: dict[str, tuple[str, ...]]
    receipts: tuple[str, ...]


class ReceiptKeyOut(RecordPart):
    public_key_id: str
    public_key_pem: str
    checkpoint: str


class BlobOut(RecordPart):
    """`blob` is what the event names; `image_id` is how the outcomes name these bytes."""

    blob: str
    size_bytes: int
    image_id: ImageId


class AnnouncedOut(RecordPart):
    """Where the event lies, and the ids under which its outcomes are told."""

    offsets: Offsets
    sighting_id: SightingId
    image_id: ImageId


class OutcomeOut(RecordPart):
    """`outcome` is a coarse class, `remedy` what a producer can do about it; empty where nothing is to be done.

    A record that was given up has no sighting. `place` says which it is: topic/partition/offset, as the broker acknowledged it.
    """

    sequence: int
    sighting_id: SightingId | None
    image_id: ImageId | None
    stage: str
    outcome: str
    remedy: str
    at: AwareDatetime
    place: str | None = None


class OutcomesOut(RecordPart):
    """`next` is what to send as `after` the next time."""

    outcomes: tuple[OutcomeOut, ...]
    next: int


class ProducerIn(RecordPart):
    """`public_key`: 32 bytes of a raw Ed25519 public key in hexadecimal."""

    producer_id: ProducerId
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ProducerOut(RecordPart):
    producer_id: ProducerId


class UrlIn(RecordPart):
    url: str = Field(min_length=1, max_length=2048)


class SuppressedOut(RecordPart):
    """`finds_copies`: smaller and recompressed copies are refused too; false for an address, and for what cannot be decoded."""

    suppression_key: str
    finds_copies: bool
    offsets: dict[str, int]


class TokenIn(RecordPart):
    """Whom the token is for. A subject's token is made from her secret only, never here."""

    name: str = Field(min_length=1, max_length=100)
    roles: frozenset[Role] = Field(min_length=1)
    org: str = Field(min_length=1, max_length=200)
    jurisdictions: tuple[Place, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    producer_id: ProducerId | None = None
    lifetime_s: int = Field(default=86_400, ge=60, le=90 * 86_400)


class TokenOut(RecordPart):
    token: str
    expires_at: AwareDatetime


class LoginCodeOut(RecordPart):
    """Opens `/login?code=` within ten minutes; the button there signs in once."""

    code: str
    expires_at: AwareDatetime


class StandingOut(RecordPart):
    """A registered producer. `since` and `reason` are of the last suspension or its end."""

    producer_id: ProducerId
    is_suspended: bool
    since: AwareDatetime | None = None
    reason: str | None = None


class StandingsOut(RecordPart):
    producers: tuple[StandingOut, ...]


class DeadLetterCount(RecordPart):
    """`kept` of `count` are about records that retention has left; a replay can bring back no other."""

    topic: str
    cause: str
    count: int
    kept: int
    oldest: AwareDatetime
    newest: AwareDatetime


class DeadLetterCountsOut(RecordPart):
    """`is_partial`: only the newest letters of some topic were counted. `unreadable`: what is there and is no dead letter."""

    counts: tuple[DeadLetterCount, ...]
    is_partial: bool
    unreadable: int


class DeadLetterOut(RecordPart):
    """Place, cause and digest of one record, never its payload. `source`: lives, gone, differs or damaged."""

    topic: str
    partition: int
    offset: int
    cause: str
    sha256: str
    seen_at: AwareDatetime
    source: str
    replayed_at: AwareDatetime | None = None


class DeadLettersOut(RecordPart):
    """`next` is what to send as `start` the next time; it has reached `end` when there are no more."""

    letters: tuple[DeadLetterOut, ...]
    next: int
    end: int


class ReplayIn(RecordPart):
    """Which letters: one place, one cause, or `is_all`. `start` and `until` go on where an answer said."""

    partition: int | None = Field(default=None, ge=0, le=MAX_EXACT)
    offset: int | None = Field(default=None, ge=0, le=MAX_EXACT)
    cause: str | None = Field(default=None, max_length=100)
    is_all: bool = False
    is_dry_run: bool = False
    start: int = Field(default=0, ge=0, le=MAX_EXACT)
    until: int | None = Field(default=None, ge=0, le=MAX_EXACT)
    limit: int = Field(default=100, ge=1, le=200)

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.partition is None) != (self.offset is None):
            raise ValueError("a place is a partition and an offset")
        if (self.offset is not None) + (self.cause is not None) + self.is_all != 1:
            raise ValueError("name one place, one cause, or all")
        return self


class ReplayedLetter(RecordPart):
    """`outcome`: replayed, would_replay, already_replayed, gone, differs, damaged or too_large."""

    partition: int
    offset: int
    cause: str
    outcome: str


class ReplayOut(RecordPart):
    """`next` and `end` go into `start` and `until` of the next request, as long as the first is below the second."""

    letters: tuple[ReplayedLetter, ...]
    next: int
    end: int


class ControlIn(RecordPart):
    """`place`: a host or a folder on it. `controller` as its grants name it; a producer's is its organisation."""

    place: str = Field(min_length=1, max_length=2048)
    controller: str | None = Field(default=None, min_length=1, max_length=300)


class ControlOut(RecordPart):
    """The host serves `line` in the text file at `file_url`, or its zone holds it in a TXT record at `record_name`, which an address has
    not. The proof counts until `ends_at`, unless it is revoked. `is_validated`: the name server said that it had checked DNSSEC.
    `look_found` is what the last look came to: `shown`, or why not.
    """

    proof_id: str
    controller: str
    place: str
    file_url: str
    record_name: str | None = None
    line: str
    proven_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    shown_by: Literal["file", "dns"] | None = None
    is_validated: bool | None = None
    looked_at: AwareDatetime | None = None
    look_found: str | None = None


class ControlsOut(RecordPart):
    proofs: tuple[ControlOut, ...]


class ApproveIn(RecordPart):
    """`url` of one picture under a folder that the grant names."""

    grant_secret: Secret
    url: str = Field(min_length=1, max_length=2048)
    expected_revision: int | None = Field(default=None, ge=1)


class OverrideIn(RecordPart):
    """`source` as the grant shows it. `overrides` replace those that stood there; an empty list takes them back."""

    grant_secret: Secret
    source: str = Field(min_length=1, max_length=2048)
    overrides: frozenset[ContentRight]
    expected_revision: int | None = Field(default=None, ge=1)


class WaitingImage(RecordPart):
    """A picture that was found and not fetched. `sighting_id` names it to `decline`."""

    sighting_id: SightingId
    url: str
    seen_at: AwareDatetime


class WaitingOut(RecordPart):
    images: tuple[WaitingImage, ...]


class DeclineIn(RecordPart):
    grant_secret: Secret
    sighting_id: SightingId


class DeclinedOut(RecordPart):
    grant_id: GrantId
    sighting_id: SightingId


class Problem(RecordPart):
    """Every failure. `code` is a rule id where a rule refused."""

    code: str
    message: str
    remedy: str
    request_id: str
