"""The full grant as the registry keeps it, sealed, and what decisions may read of it; the full record never crosses the log."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

import rfc8785
from pydantic import Field

from assent.events.grants import (
    FACE_ID,
    WITH_REFERENCE,
    WITHOUT_REFERENCE,
    AgeBand,
    BindingMode,
    FaceBinding,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.payload import UtcTime, writable
from assent.ids import UNKNOWN, FaceId, GrantId, SubjectId
from services.registry.device_yes import ConfirmedWith, DeviceYes
from services.registry.grant_parts import (
    Annotations,
    Binding,
    CollectionMethod,
    Evidence,
    Notice,
    Party,
    PurposeConsent,
    Recipient,
    RecordedBasis,
    RecordedResidence,
    RecordPart,
    Retention,
    Scope,
    Sha256Hex,
    Subject,
    Validity,
    WithdrawalWay,
)

LIVE_STATES = frozenset({GrantState.GIVEN, GrantState.RENEWED})
OPEN_STATES = LIVE_STATES | {GrantState.REQUESTED}


class Grant(RecordPart):
    """One revision of one grant, with everything that shows it (ISO/IEC TS 27560, GDPR Art. 7, BIPA 15(b)).

    `prev_hash` is the digest of the revision before, so that no revision can be lost or changed unseen. `salt` hides
    the grant in the public receipt log and is shredded with the grant's key. `asked_by` is the organisation of the producer who asked, as
    its token said; None where an operator did. What may be None and is left out keeps the digest of records that did not know it.
    `reference` is one of the faces held under this grant, which she confirmed as hers: new ones are compared with it.
    `asks_each` are folders of which she said no to a picture: whoever controls them, every other one there waits for her.
    `recipients_left_out` were asked for, and are not told: her browser asked that nothing be shared when she said yes.
    """

    schema_version: Literal["assent.grant/1"] = "assent.grant/1"
    grant_id: GrantId
    revision: int = Field(ge=1)
    prev_hash: Sha256Hex | None = None
    state: GrantState
    subject: Subject
    residence: tuple[RecordedResidence, ...] = Field(min_length=1)
    controller: Party
    asked_by: str | None = Field(default=None, exclude_if=lambda org: org is None)
    processors: tuple[Party, ...] = ()
    authority: Party | None = None
    recipients: tuple[Recipient, ...] = ()
    recipients_left_out: tuple[str, ...] = Field(default=(), exclude_if=lambda left: not left)
    purposes: tuple[PurposeConsent, ...] = Field(min_length=1)
    operations: tuple[Operation, ...] = Field(min_length=1)
    sources: tuple[SourceRule, ...] = Field(min_length=1)
    asks_each: tuple[str, ...] = Field(default=(), exclude_if=lambda folders: not folders)
    controls_source: bool = False
    face_binding: Binding
    legal: tuple[RecordedBasis, ...] = Field(min_length=1)
    reference: FaceId | None = Field(default=None, pattern=FACE_ID, exclude_if=lambda face: face is None)
    geographic_scope: Scope
    notice: Notice
    evidence: tuple[Evidence, ...] = ()
    collection_method: CollectionMethod
    validity: Validity
    last_interaction_at: UtcTime
    retention: Retention = Retention()
    annotations: Annotations | None = Field(default=None, exclude_if=lambda notes: notes is None)
    withdrawal: WithdrawalWay = WithdrawalWay()
    confirmed_at: UtcTime | None = None
    confirmed_with: ConfirmedWith | None = Field(default=None, exclude_if=lambda way: way is None)
    device: DeviceYes | None = Field(default=None, exclude_if=lambda yes: yes is None)
    changed_at: UtcTime
    salt: Sha256Hex

    @property
    def source_controller(self) -> str | None:
        """Whose proofs of control count for its folders: the controller's, unless somebody else's producer only wrote its name there."""
        return self.controller.id if self.asked_by in (None, self.controller.id) else None

    def canonical(self) -> bytes:
        """Canonical JSON (RFC 8785) of the record."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def digest(self) -> str:
        """SHA-256 in hex of the canonical record."""
        return hashlib.sha256(self.canonical()).hexdigest()


def snapshot(record: Grant) -> GrantSnapshot:
    """What decisions read of the record, and nothing else."""
    return GrantSnapshot(
        schema_version=WITHOUT_REFERENCE if record.reference is None else WITH_REFERENCE,
        grant_id=record.grant_id,
        revision=record.revision,
        state=record.state,
        subject_id=record.subject.subject_id,
        age_band=record.subject.age_band,
        guardian=record.subject.guardian is not None,
        residences=tuple(Residence(jurisdiction=place.jurisdiction) for place in record.residence),
        recipients=tuple(recipient.id for recipient in record.recipients),
        purposes=tuple(purpose.code for purpose in record.purposes if purpose.explicit),
        operations=record.operations,
        sources=record.sources,
        binding=FaceBinding(
            mode=record.face_binding.mode,
            regions=record.face_binding.regions,
            member_grants=record.face_binding.member_grants,
        ),
        legal=tuple(wire_basis(basis, evidence_count=len(record.evidence), notice_sha256=_shown_notice(record)) for basis in record.legal),
        scope=GeographicScope(**record.geographic_scope.model_dump()),
        not_before=record.validity.not_before,
        expires_at=record.validity.expires_at,
        confirmed_at=record.confirmed_at,
        last_interaction_at=record.last_interaction_at,
        evidence_kinds=tuple(sorted({item.kind.value for item in record.evidence})),
        controls_source=record.controls_source,
        reference=record.reference,
    )


def told_bytes(record: Grant) -> int:
    """How long it is on the log."""
    return len(snapshot(record).model_dump_json().encode())


def ended_snapshot(
    grant_id: GrantId,
    *,
    revision: int,
    subject_id: SubjectId,
    state: GrantState,
    ended_at: datetime,
    expires_at: datetime,
) -> GrantSnapshot:
    """The last revision of a grant that has ended, emptied of every source, place, region, recipient and age.

    It opens nothing. Once the log is compacted it is all that is left there of the grant beside its withdrawal. An `expires_at` that no
    reader takes gives way to the nearest one: the end must be told.
    """
    return GrantSnapshot(
        grant_id=grant_id,
        revision=revision,
        state=state,
        subject_id=subject_id,
        age_band=AgeBand.UNKNOWN,
        residences=(Residence(jurisdiction=UNKNOWN),),
        purposes=(Purpose.SELF_SEARCH,),
        operations=(Operation.STORE,),
        sources=(SourceRule(kind=SourceKindRule.UPLOAD, value=grant_id),),
        binding=FaceBinding(mode=BindingMode.REGION),
        legal=(),
        scope=GeographicScope(collect_in=(), store_in=(), disclose_in=()),
        not_before=ended_at,
        expires_at=writable(expires_at),
        last_interaction_at=ended_at,
    )


def wire_basis(basis: RecordedBasis, *, evidence_count: int, notice_sha256: str | None) -> LegalBasis:
    """The form for one place as decisions read it, beside what the record holds for all of them."""
    return LegalBasis(
        jurisdiction=basis.jurisdiction,
        form=basis.form,
        explicit=basis.explicit,
        signature=basis.signature,
        alternative_offered=basis.alternative_offered,
        notice_fields=basis.notice_fields,
        evidence_count=evidence_count,
        notice_sha256=notice_sha256,
    )


def _shown_notice(record: Grant) -> str | None:
    return record.notice.sha256 if record.notice.shown_at is not None else None
