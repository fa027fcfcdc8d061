"""What the consent filter reads: located images as the geofence signs them, the grants they are under, and the shipped policy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assent.events.envelope import Event, encode, event_id
from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind
from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
    FaceBinding,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    GrantWithdrawn,
    LegalBasis,
    Operation,
    PolicyPublished,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import GrantFinding, ImageLocated, Sighting, SourceKind
from assent.events.payload import EventPayload
from assent.events.record import Record
from assent.ids import GrantId, ImageId, Jurisdiction, ProducerId, SightingId, SubjectId
from assent.intake.registry_signature import signed_by_registry
from assent.intake.stage_signatures import StageSignatures
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.signing_keys import SigningKeys
from services.registry.policy_file import read_policy

PLACE = Jurisdiction("CA-BC")
WITHDRAWN_OF = 20
"""One grant in so many is withdrawn, so that its images are refused."""
SAMPLED_OF = 100
"""One trace in so many is sampled."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """`tables` are grants, withdrawals and the policy; `images` are signed records of `images.located`."""

    tables: list[Record]
    images: list[Record]

    @property
    def value_bytes(self) -> int:
        """Mean size of an event's value."""
        return sum(len(record.value or b"") for record in self.images) // len(self.images)


def corpus(keys_folder: Path, *, images: int, grants: int) -> Corpus:
    """As many images, spread over as many grants. The keys are made in the folder."""
    keys, now = DeploymentKeys.load_or_create(keys_folder), datetime.now(UTC)
    signing = SigningKeys.load_or_create(keys_folder)
    facts: list[EventPayload] = [_policy(signing, now)]
    facts += [grant_of(index, now) for index in range(grants)]
    facts += [GrantWithdrawn(grant_id=GrantId(f"g-{index}"), withdrawn_at=now) for index in range(0, grants, WITHDRAWN_OF)]
    signatures = StageSignatures(keys)
    return Corpus(
        tables=[
            signed_by_registry(encode(Event(event_id("fact", number), "/assent/registry", now, fact)), signing.grant)
            for number, fact in enumerate(facts)
        ],
        images=[signatures.signed(encode(_located(number, number % grants, now)), "geofence") for number in range(images)],
    )


def folder_of(index: int) -> str:
    """What that grant covers, host and path."""
    return f"site.example/people/{index}/"


def grant_of(index: int, now: datetime) -> GrantSnapshot:
    """A confirmed grant of a resident of British Columbia over one folder."""
    return GrantSnapshot(
        grant_id=GrantId(f"g-{index}"),
        revision=1,
        state=GrantState.GIVEN,
        subject_id=SubjectId(f"s-{index}"),
        age_band=AgeBand.ADULT,
        residences=(Residence(jurisdiction=PLACE),),
        purposes=(Purpose.SELF_SEARCH,),
        operations=tuple(Operation),
        sources=(
            SourceRule(
                kind=SourceKindRule.URL_PREFIX,
                value=f"https://{folder_of(index)}",
                only_me=True,
                control_until=now + timedelta(days=300),
            ),
        ),
        binding=FaceBinding(mode=BindingMode.SINGLE_FACE),
        legal=(
            LegalBasis(jurisdiction=PLACE, form=ConsentForm.EXPRESS, alternative_offered=True, evidence_count=1, notice_sha256="5" * 64),
        ),
        scope=GeographicScope(collect_in=(PLACE,), store_in=(PLACE,), disclose_in=(PLACE,)),
        not_before=now - timedelta(days=30),
        expires_at=now + timedelta(days=300),
        confirmed_at=now - timedelta(days=30),
        last_interaction_at=now - timedelta(days=1),
        evidence_kinds=("form_log",),
    )


def _policy(signing: SigningKeys, now: datetime) -> PolicyPublished:
    shipped = read_policy(None)
    digest = hashlib.sha256(shipped.document.encode()).hexdigest()
    return PolicyPublished(
        version=shipped.version,
        document=shipped.document,
        sha256=digest,
        signature=signing.policy.sign(digest.encode()),
        key_id="policy",
        published_at=now,
    )


def _located(number: int, grant: int, now: datetime) -> Event[EventPayload]:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    sampled = "01" if number % SAMPLED_OF == 0 else "00"
    return Event(
        id=digest[:32],
        source="/assent/geofence",
        time=now,
        traceparent=f"00-{digest[:32]}-{digest[32:48]}-{sampled}",
        data=ImageLocated(
            sighting=Sighting(
                sighting_id=SightingId(digest),
                image_id=ImageId(digest),
                producer=ProducerId("crawler"),
                source_kind=SourceKind.WEB_PAGE,
                blob=f"quarantine/{digest}",
                sha256=digest,
                size_bytes=48_000,
                media_type="image/jpeg",
                final_url=f"https://{folder_of(grant)}{number}.jpg",
                fetched_at=now,
            ),
            findings=(
                GrantFinding(
                    grant_id=GrantId(f"g-{grant}"),
                    revision=1,
                    candidates=(PLACE,),
                    evidence=(
                        CoarseEvidence(
                            kind=EvidenceKind.GRANT_RESIDENCE,
                            connector=Connector.RESIDENCE,
                            jurisdictions=(PLACE,),
                            deny_weight=1.0,
                            allow_weight=1.0,
                        ),
                    ),
                ),
            ),
            policy_version="1",
            datasets=("ne10m",),
        ),
    )
