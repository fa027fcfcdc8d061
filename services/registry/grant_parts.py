"""The parts of the full grant record: who, for what, in which form, with which evidence; none of them crosses the log whole."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assent.events.grants import AgeBand, BindingMode, ConsentForm, FaceRegion, Purpose, SourceKindRule
from assent.events.payload import UtcTime
from assent.ids import GrantId, Jurisdiction, SubjectId

Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Place = Annotated[Jurisdiction, Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)$")]
"""A country, a subdivision or `EU`; a wildcard and UNKNOWN cannot be written."""
MAX_EXACT = 2**53 - 1
"""The largest integer that canonical JSON (RFC 8785) writes, and a digest covers."""
Line = Annotated[str, Field(min_length=1, max_length=300)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class RecordPart(BaseModel):
    """Frozen; an unknown field is a mistake of whoever wrote it, and is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EvidenceKind(StrEnum):
    """What shows that she said yes."""

    PDF = "pdf"
    FORM_LOG = "form_log"
    VC_JWT = "vc_jwt"
    RECORDING = "recording"
    SIGNED_JSON = "signed_json"
    DEMO_FIXTURE = "demo_fixture"


class CollectionMethod(StrEnum):
    """How the yes was asked for."""

    IN_PERSON = "in_person"
    WEB_FORM = "web_form"
    APP = "app"
    API_PARTNER = "api_partner"


class Party(RecordPart):
    """A controller, processor, authority or guardian, so that she can reach them."""

    id: Line
    name: Line
    address: str = Field(default="", max_length=500)
    contact: Line
    role: Literal["controller", "processor", "authority", "guardian"]
    type: Line = "organisation"


class Guardian(RecordPart):
    """Who says yes for a minor, and the digest of what shows that she may."""

    party: Party
    evidence_sha256: Sha256Hex


class Subject(RecordPart):
    """The person as a pseudonym. `birth_year` only where a law asks for it."""

    subject_id: SubjectId
    age_band: AgeBand
    birth_year: int | None = Field(default=None, ge=1900, le=2100)
    guardian: Guardian | None = None


class RecordedResidence(RecordPart):
    """Where she says she lives, since when, and how that is known."""

    jurisdiction: Place
    since: UtcTime | None = None
    until: UtcTime | None = None
    evidence_kind: Literal["statement", "document", "account"] = "statement"


class Recipient(RecordPart):
    """An organisation that may be told of a match; an empty list means nobody but herself."""

    id: Line
    kind: Literal["organisation", "person"] = "organisation"
    jurisdictions: tuple[Place, ...] = ()


class PurposeConsent(RecordPart):
    """One purpose with its own yes (EU-3). `necessary` would tie a service to it; it is recorded, never assumed."""

    code: Purpose
    text: str = Field(default="", max_length=1000)
    explicit: bool = True
    necessary: bool = False
    granted_at: UtcTime | None = None


class NamedSource(RecordPart):
    """One target, in the words of the request; it is brought to its one spelling when the grant is made."""

    kind: SourceKindRule
    value: str = Field(default="", max_length=2048)
    only_me: bool = False
    include_subdomains: Literal[False] = False


class Binding(RecordPart):
    """Which face is meant. `member_grants` are the single grants of everyone in the photo, for `joint`."""

    mode: BindingMode
    regions: tuple[FaceRegion, ...] = Field(default=(), max_length=500)
    member_grants: tuple[GrantId, ...] = Field(default=(), max_length=100)


class RecordedBasis(RecordPart):
    """The form of the yes for one jurisdiction, with what its law asks for beside it."""

    jurisdiction: Place
    basis: Literal["explicit_consent"] = "explicit_consent"
    form: ConsentForm
    explicit: bool = True
    signature: Literal["wet", "e_signature", "vc"] | None = None
    term_days: int | None = Field(default=None, ge=1, le=MAX_EXACT)
    alternative_offered: bool = False
    notice_fields: tuple[Line, ...] = ()
    filings: tuple[Line, ...] = ()


class Scope(RecordPart):
    """Jurisdictions per group of operations; no wildcard."""

    collect_in: tuple[Place, ...] = Field(min_length=1)
    store_in: tuple[Place, ...] = Field(min_length=1)
    disclose_in: tuple[Place, ...] = ()


class Notice(RecordPart):
    """What she was shown: the facts of the grant with every source, then the operator's words.

    `sha256` covers the UTF-8 text; `shown_at` is when she confirmed having read it.
    """

    version: Line
    language: str = Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    url: str = Field(default="", max_length=2048)
    text: str | None = Field(default=None, max_length=2_000_000)
    sha256: Sha256Hex
    shown_at: UtcTime | None = None
    channel: Line = "web"


class Evidence(RecordPart):
    """What shows the yes; the thing itself lies with whoever took it, only its digest is here, and where they say they keep it.

    `ip_country`: from where it was sent, as far as whoever took it knows. What may be None and is left out keeps the digest of records
    that did not know it.
    """

    kind: EvidenceKind
    sha256: Sha256Hex
    signed_by: str | None = Field(default=None, max_length=300)
    captured_at: UtcTime
    captured_by: Line
    stored_at_ref: Line | None = Field(default=None, exclude_if=lambda place: place is None)
    ip_country: Country | None = Field(default=None, exclude_if=lambda country: country is None)


class Annotations(RecordPart):
    """Numbers of this grant in other systems of records (W3C DPV, Kantara); no decision reads them."""

    dpv_profile: Line | None = None
    kantara_id: Line | None = None


class Validity(RecordPart):
    """From when to when. There is no grant without an end (QC-7). From `renew_by` on her page offers to renew it."""

    not_before: UtcTime
    expires_at: UtcTime
    renew_by: UtcTime | None = Field(default=None, exclude_if=lambda moment: moment is None)


class Retention(RecordPart):
    """How long anything is kept; a withdrawal always erases."""

    max_days: int = Field(default=730, ge=1, le=3650)
    after_purpose_days: int = Field(default=0, ge=0, le=365)
    on_withdrawal: Literal["erase"] = "erase"


class WithdrawalWay(RecordPart):
    """How she ends it: with the grant's own secret, never with a photo (EU-2)."""

    method_url: str = Field(default="/me", max_length=2048)
    contact: str = Field(default="", max_length=300)
    requires_photo: Literal[False] = False
