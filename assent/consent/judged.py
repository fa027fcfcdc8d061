"""A grant as a decision looked at it, and a stand-in for it that is decided again in the same way; no source is written down."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import UTC, datetime

from assent.consent.asset import Asset
from assent.consent.decision import Stand
from assent.consent.ledger import FIXTURE_EVIDENCE, ConsentLedger
from assent.consent.member import Member
from assent.events.decisions import JudgedForm, JudgedGrant, JudgedMember, JudgedSource, JudgedTerms, MemberSource
from assent.events.face_box import FaceBox
from assent.events.grants import (
    AgeBand,
    BindingMode,
    FaceBinding,
    FaceRegion,
    GeographicScope,
    GrantSnapshot,
    GrantWithdrawn,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import SourceKind
from assent.ids import UNKNOWN, GrantId, Jurisdiction, SubjectId
from assent.optouts.signal import ContentRight

_DIGEST = "0" * 64
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""A replay asks whether control was shown, which the record says, and not until when."""
_TARGETS: dict[SourceKindRule, str] = {
    SourceKindRule.URL_PREFIX: "https://replay.invalid/site/pictures/folder/",
    SourceKindRule.IMAGE_URL: "https://replay.invalid/site/pictures/folder/1",
    SourceKindRule.ACCOUNT: "somebody@replay.invalid",
    SourceKindRule.ASSET_SHA256: _DIGEST,
    SourceKindRule.UPLOAD: "replayed",
}
STAND_IN_ASSET = Asset(
    source_kind=SourceKind.WEB_PAGE,
    final_url=_TARGETS[SourceKindRule.IMAGE_URL],
    account=_TARGETS[SourceKindRule.ACCOUNT],
    sha256=_DIGEST,
    upload_grant_id=GrantId(_TARGETS[SourceKindRule.UPLOAD]),
    page_url="https://replay.invalid/site/page",
)
"""What every stand-in for a source rule names, whatever the kind of the rule."""
_IMAGES, _IMAGES_AND_PAGES = "https://replay.invalid/site/pictures/", "https://replay.invalid/site/"
"""Folders that name every stand-in image, the second one the page as well; both less exact than what a record tells of."""
_NAMES_NOTHING = SourceRule(kind=SourceKindRule.ACCOUNT, value="nobody@replay.invalid")
_OF_MEMBER: dict[MemberSource | None, SourceRule] = {
    None: SourceRule(kind=SourceKindRule.IMAGE_URL, value=_TARGETS[SourceKindRule.IMAGE_URL]),
    MemberSource.NAMED: SourceRule(kind=SourceKindRule.IMAGE_URL, value=_TARGETS[SourceKindRule.IMAGE_URL]),
    MemberSource.UNPROVEN: SourceRule(kind=SourceKindRule.URL_PREFIX, value=_TARGETS[SourceKindRule.URL_PREFIX]),
    MemberSource.NOT_NAMED: _NAMES_NOTHING,
}
"""A source of hers that stands to every stand-in image as hers stood to the picture; where a record does not say it, nothing was asked."""
_ANY_BOX = FaceBox(x=0, y=0, width=1, height=1)


def marked_in(grant: GrantSnapshot | None, asset: Asset | None) -> int:
    """How many regions a grant marks in one image."""
    if grant is None or asset is None:
        return 0
    return sum([region.asset_sha256 == asset.sha256 for region in grant.binding.regions])


def judged_grant(found: Stand, places: Set[Jurisdiction], marked: int, *, has_terms: bool = True) -> JudgedGrant:
    """What was looked at of this grant for a verdict at these places, about an image in which it marks as many regions.

    Without terms for the geofence, which does not come to them.
    """
    grant, rule = found.grant, found.rule
    if grant is None:
        return JudgedGrant(standing=found.standing.value, withdrawn_at=found.withdrawn_at, is_readable=found.is_readable)
    return JudgedGrant(
        standing=found.standing.value,
        revision=grant.revision,
        state=grant.state,
        not_before=grant.not_before,
        expires_at=grant.expires_at,
        confirmed_at=grant.confirmed_at,
        withdrawn_at=found.withdrawn_at,
        is_readable=found.is_readable,
        is_fixture=found.is_fixture,
        binding=grant.binding.mode,
        source=None if rule is None else _judged_source(rule, found),
        terms=_terms(grant, places or {UNKNOWN}, marked) if has_terms and found.live is not None else None,
        members=tuple(_member(member, has_terms=has_terms) for member in found.members),
    )


def stand_in_ledger(judged: JudgedGrant, grant_id: GrantId, *, residences: Iterable[Jurisdiction] = ()) -> ConsentLedger:
    """A ledger that stands to this grant as the one that decided did. Raises pydantic's ValidationError for a record that is not whole."""
    ledger = ConsentLedger()
    if not judged.is_readable:
        ledger.deny(grant_id)
    if judged.withdrawn_at is not None:
        ledger.apply_withdrawal(GrantWithdrawn(grant_id=grant_id, withdrawn_at=judged.withdrawn_at))
    if judged.state is None:
        return ledger
    grant = _stand_in(judged, grant_id, tuple(residences))
    ledger.apply_grant(grant)
    for number, member in enumerate(judged.members):
        ledger.apply_grant(_stand_in_member(member, number, grant))
    return ledger


def _judged_source(rule: SourceRule, found: Stand) -> JudgedSource:
    aside = found.aside
    return JudgedSource(
        kind=rule.kind,
        only_me=rule.only_me,
        is_control_shown=found.is_shown,
        overrides=tuple(sorted(aside.image)),
        page_overrides=tuple(sorted(aside.page)),
    )


def _member(member: Member, *, has_terms: bool) -> JudgedMember:
    grant = member.grant
    places = tuple(residence.jurisdiction for residence in grant.residences)
    return JudgedMember(
        residences=places,
        not_before=grant.not_before,
        expires_at=grant.expires_at,
        source=member.source if has_terms else None,
        terms=_terms(grant, frozenset(places), 0) if has_terms else None,
    )


def _terms(grant: GrantSnapshot, places: Set[Jurisdiction], marked: int) -> JudgedTerms:
    return JudgedTerms(
        age_band=grant.age_band,
        guardian=grant.guardian,
        operations=grant.operations,
        purposes=grant.purposes,
        forms=tuple(_form(basis) for basis in grant.legal if basis.jurisdiction in places),
        collect_in=tuple(place for place in grant.scope.collect_in if place in places),
        store_in=tuple(place for place in grant.scope.store_in if place in places),
        last_interaction_at=grant.last_interaction_at,
        marked=marked,
    )


def _form(basis: LegalBasis) -> JudgedForm:
    return JudgedForm(
        jurisdiction=basis.jurisdiction,
        form=basis.form,
        explicit=basis.explicit,
        signature=basis.signature,
        alternative_offered=basis.alternative_offered,
        notice_fields=basis.notice_fields,
        evidence_count=basis.evidence_count,
        has_notice=basis.notice_sha256 is not None,
    )


def _stand_in(judged: JudgedGrant, grant_id: GrantId, residences: tuple[Jurisdiction, ...]) -> GrantSnapshot:
    """A snapshot that says what the record says, and of what it does not say as little as a snapshot can."""
    told = {
        "grant_id": grant_id,
        "revision": judged.revision,
        "state": judged.state,
        "not_before": judged.not_before,
        "expires_at": judged.expires_at,
        "confirmed_at": judged.confirmed_at,
        "evidence_kinds": (FIXTURE_EVIDENCE,) if judged.is_fixture else (),
        "subject_id": _subject(0),
        "residences": tuple(Residence(jurisdiction=place) for place in residences or (UNKNOWN,)),
        "sources": _sources(judged.source),
        "binding": _binding(judged),
    }
    return GrantSnapshot.model_validate(told | _told_terms(judged.terms, judged.not_before))


def _stand_in_member(member: JudgedMember, number: int, grant: GrantSnapshot) -> GrantSnapshot:
    """Of another person than every other member, one of whom holds the joint grant."""
    told = {
        "grant_id": _member_id(number),
        "subject_id": _subject(number),
        "residences": tuple(Residence(jurisdiction=place) for place in member.residences),
        "not_before": member.not_before,
        "expires_at": member.expires_at,
        "sources": (_OF_MEMBER[member.source],),
        "binding": FaceBinding(mode=BindingMode.SINGLE_FACE),
    }
    return GrantSnapshot.model_validate(grant.model_dump() | told | _told_terms(member.terms, member.not_before))


def _subject(number: int) -> SubjectId:
    return SubjectId(f"person {number}")


def _member_id(number: int) -> GrantId:
    return GrantId(f"member {number}")


def _told_terms(terms: JudgedTerms | None, since: datetime | None) -> dict[str, object]:
    if terms is None:
        nowhere = GeographicScope(collect_in=(), store_in=(), disclose_in=())
        least = {"operations": (Operation.COLLECT,), "purposes": (Purpose.SELF_SEARCH,), "last_interaction_at": since}
        return {"age_band": AgeBand.UNKNOWN, "legal": (), "scope": nowhere, **least}
    return {
        "age_band": terms.age_band,
        "guardian": terms.guardian,
        "operations": terms.operations,
        "purposes": terms.purposes,
        "legal": tuple(_basis(form) for form in terms.forms),
        "scope": GeographicScope(collect_in=terms.collect_in, store_in=terms.store_in, disclose_in=()),
        "last_interaction_at": terms.last_interaction_at,
    }


def _basis(form: JudgedForm) -> LegalBasis:
    return LegalBasis(
        jurisdiction=form.jurisdiction,
        form=form.form,
        explicit=form.explicit,
        signature=form.signature,
        alternative_offered=form.alternative_offered,
        notice_fields=form.notice_fields,
        evidence_count=form.evidence_count,
        notice_sha256=_DIGEST if form.has_notice else None,
    )


def _sources(judged: JudgedSource | None) -> tuple[SourceRule, ...]:
    """The rule that names the image, and behind it those that set rights aside for the image alone, and for its page as well."""
    if judged is None:
        return (_NAMES_NOTHING,)
    until = _FOR_EVER if judged.is_control_shown else None
    named = SourceRule(kind=judged.kind, value=_TARGETS[judged.kind], only_me=judged.only_me, control_until=until)
    return (named, *_overriding(_IMAGES, judged.overrides), *_overriding(_IMAGES_AND_PAGES, judged.page_overrides))


def _overriding(place: str, rights: tuple[ContentRight, ...]) -> tuple[SourceRule, ...]:
    if not rights:
        return ()
    return (SourceRule(kind=SourceKindRule.URL_PREFIX, value=place, control_until=_FOR_EVER, overrides=rights),)


def _binding(judged: JudgedGrant) -> FaceBinding:
    """A joint grant whose members did not stand is one without members."""
    marked = judged.terms.marked if judged.terms is not None else 0
    return FaceBinding(
        mode=judged.binding or BindingMode.SINGLE_FACE,
        regions=(FaceRegion(asset_sha256=_DIGEST, box=_ANY_BOX),) * marked,
        member_grants=tuple(_member_id(number) for number in range(len(judged.members))),
    )
