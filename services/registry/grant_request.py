"""What an operator or producer may ask a subject to agree to, and the first revision made of it; a request is never a yes."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from assent.events.grants import GrantState, Operation, SourceKindRule, SourceRule
from assent.ids import GrantId, SubjectId
from services.registry.grant_parts import (
    Annotations,
    Binding,
    CollectionMethod,
    Evidence,
    Guardian,
    NamedSource,
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
from services.registry.grant_record import Grant
from services.registry.notice_text import notice_text

EXPRESS = "express"
MAX_SOURCES = 500


class RequestedNotice(RecordPart):
    """What the operator adds to the notice that the registry writes from the request: own words, or where more is said.

    `sha256` is that of `text`, or of what stands at `url`.
    """

    version: str = Field(default="1", min_length=1, max_length=300)
    language: str = Field(default="en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    url: str = Field(default="", max_length=2048)
    text: str | None = Field(default=None, min_length=1, max_length=20_000)
    sha256: Sha256Hex | None = None
    channel: str = Field(default="web", min_length=1, max_length=300)

    @model_validator(mode="after")
    def _digest_fits(self) -> Self:
        if self.text is not None and self.sha256 not in (None, _digest(self.text)):
            raise ValueError("notice.sha256 is not the SHA-256 of notice.text; leave one of them out or correct it")
        return self


class GrantRequest(RecordPart):
    """A full grant as it is asked for. `consent_type` has one acceptable value; others are named in the refusal (CA-2)."""

    subject_id: SubjectId
    consent_type: str = EXPRESS
    guardian: Guardian | None = None
    birth_year: int | None = Field(default=None, ge=1900, le=2100)
    controller: Party
    processors: tuple[Party, ...] = ()
    authority: Party | None = None
    recipients: tuple[Recipient, ...] = Field(default=(), max_length=100)
    purposes: tuple[PurposeConsent, ...] = Field(min_length=1)
    operations: tuple[Operation, ...] = Field(default=tuple(Operation), min_length=1)
    sources: tuple[NamedSource, ...] = Field(min_length=1, max_length=MAX_SOURCES)
    controls_source: bool = False
    face_binding: Binding
    legal: tuple[RecordedBasis, ...] = Field(min_length=1)
    geographic_scope: Scope
    notice: RequestedNotice = RequestedNotice()
    evidence: tuple[Evidence, ...] = ()
    collection_method: CollectionMethod = CollectionMethod.WEB_FORM
    validity: Validity
    retention: Retention = Retention()
    annotations: Annotations | None = None
    withdrawal: WithdrawalWay = WithdrawalWay()


def first_revision(
    request: GrantRequest,
    *,
    grant_id: GrantId,
    subject: Subject,
    residence: tuple[RecordedResidence, ...],
    sources: tuple[SourceRule, ...],
    asked_by: str | None,
    now: datetime,
) -> Grant:
    """The requested grant as a record. `sources` are the request's, in their one spelling; `asked_by` as the record has it."""
    return Grant(
        grant_id=grant_id,
        revision=1,
        state=GrantState.REQUESTED,
        subject=subject,
        residence=residence,
        controller=request.controller,
        asked_by=asked_by,
        processors=request.processors,
        authority=request.authority,
        recipients=request.recipients,
        purposes=request.purposes,
        operations=request.operations,
        sources=sources,
        controls_source=request.controls_source,
        face_binding=request.face_binding,
        legal=request.legal,
        geographic_scope=request.geographic_scope,
        notice=_notice(request, subject=subject, residence=residence, sources=sources),
        evidence=request.evidence,
        collection_method=request.collection_method,
        validity=request.validity,
        last_interaction_at=now,
        retention=request.retention,
        annotations=request.annotations,
        withdrawal=request.withdrawal,
        changed_at=now,
        salt=os.urandom(32).hex(),
    )


def wire_source(source: NamedSource, grant_id: GrantId) -> SourceRule:
    """The source as it is matched; uploads are always those of this very grant."""
    value = grant_id if source.kind is SourceKindRule.UPLOAD else source.value
    return SourceRule(kind=source.kind, value=value or "-", only_me=source.only_me)


def _notice(
    request: GrantRequest, *, subject: Subject, residence: tuple[RecordedResidence, ...], sources: tuple[SourceRule, ...]
) -> Notice:
    """The digest that she confirms covers the facts, everything that decisions read, and the operator's words."""
    asked = request.notice
    text = notice_text(
        request.model_dump(mode="json")
        | {
            "subject": subject.model_dump(mode="json"),
            "residence": [place.model_dump(mode="json") for place in residence],
            "sources": [rule.model_dump(mode="json") for rule in sources],
        }
    )
    return Notice(
        version=asked.version,
        language=asked.language,
        url=asked.url,
        text=text,
        sha256=_digest(text),
        channel=asked.channel,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
