"""Every way of saying yes that some policy tells apart, as grants to put to the decision; none of them is anybody's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
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
from assent.geofence.jurisdiction_rules import ConsentRules, JurisdictionRules
from assent.ids import GrantId, Jurisdiction, SubjectId

GRANT = GrantId("form")
Signature = Literal["wet", "e_signature", "vc"] | None
SIGNATURES: tuple[Signature, ...] = ("wet", "e_signature", "vc", None)
MOST_EVIDENCE = 10


@dataclass(frozen=True, slots=True)
class GrantForm:
    """One form of a yes. `differs` says in words how it differs from the strictest one, empty for that one.

    `further` are purposes beside the first; `signed_at` the places that have another signature than `signature`.
    """

    purpose: Purpose
    signature: Signature
    notice_fields: tuple[str, ...]
    form: ConsentForm = ConsentForm.WRITTEN_RELEASE
    has_notice_digest: bool = True
    alternative_offered: bool = True
    evidence_count: int = MOST_EVIDENCE
    age_band: AgeBand = AgeBand.ADULT
    guardian: bool = False
    term_days: int = 1
    idle_days: int = 0
    further: tuple[Purpose, ...] = ()
    signed_at: tuple[tuple[Jurisdiction, Signature], ...] = ()
    differs: str = ""

    @property
    def words(self) -> str:
        """The purpose, and what is weak about this form."""
        return ", ".join(part for part in (f"for {self.purpose}", self.signed, self.differs) if part)

    @property
    def signed(self) -> str:
        """How it is signed; empty for a signature by hand, which is the strictest."""
        return {"wet": "", None: "unsigned"}.get(self.signature, f"signed by {self.signature}")

    def grant(self, *, home: Jurisdiction, reach: Iterable[Jurisdiction], at: datetime) -> GrantSnapshot:
        """A grant of a resident of `home` in this form, given for every place in `reach`, and live from `at`."""
        places, signed_at = tuple(sorted(reach)), dict(self.signed_at)
        basis = [
            LegalBasis(
                jurisdiction=place,
                form=self.form,
                signature=signed_at.get(place, self.signature),
                alternative_offered=self.alternative_offered,
                notice_fields=self.notice_fields,
                evidence_count=self.evidence_count,
                notice_sha256="0" * 64 if self.has_notice_digest else None,
            )
            for place in places
        ]
        return GrantSnapshot(
            grant_id=GRANT,
            revision=1,
            state=GrantState.GIVEN,
            subject_id=SubjectId("nobody"),
            age_band=self.age_band,
            guardian=self.guardian,
            residences=(Residence(jurisdiction=home),),
            purposes=(self.purpose, *self.further),
            operations=tuple(Operation),
            sources=(SourceRule(kind=SourceKindRule.UPLOAD, value=GRANT),),
            binding=FaceBinding(mode=BindingMode.SINGLE_FACE),
            legal=tuple(basis),
            scope=GeographicScope(collect_in=places, store_in=places, disclose_in=places),
            not_before=at,
            expires_at=at + timedelta(days=self.term_days),
            confirmed_at=at,
            last_interaction_at=at - timedelta(days=self.idle_days),
        )


def strictest_forms(rules: Iterable[ConsentRules]) -> tuple[GrantForm, ...]:
    """The strictest yes for every purpose and signature: none of these is stricter than another, so each is asked about."""
    fields = tuple(sorted({field for needs in rules for field in needs.notice_fields}))
    return tuple(GrantForm(purpose, signature, fields) for purpose in Purpose for signature in SIGNATURES)


def fullest_forms(rules: Mapping[Jurisdiction, JurisdictionRules]) -> Iterator[GrantForm]:
    """What passes in all of these places if anything does: one grant may be signed otherwise for each of them, and no purpose need be
    allowed everywhere before something is disclosed for it. Each purpose that none of them forbids is the first of one form.
    """
    purposes = [purpose for purpose in Purpose if all(purpose not in entry.purposes_forbid for entry in rules.values())]
    for first in purposes:
        yield GrantForm(
            first,
            "wet",
            tuple(sorted({field for entry in rules.values() for field in entry.consent.notice_fields})),
            further=tuple(purpose for purpose in purposes if purpose != first),
            signed_at=tuple((place, entry.consent.signature[0]) for place, entry in sorted(rules.items()) if entry.consent.signature),
            differs="and for all else that is not forbidden, signed for each place as it asks",
        )


def weaker_forms(strictest: GrantForm, rules: Sequence[ConsentRules]) -> Iterator[GrantForm]:
    """`strictest` with one thing less: of what is counted, just what the laxer of two rules lets through and the stricter does not.

    One thing at a time is enough: a decision refuses for each thing on its own, so whatever a policy lets through that another
    does not is let through for one thing. tests/unit/test_policies_comparison.py holds random combinations against it.
    """
    for form in (ConsentForm.EXPLICIT, ConsentForm.EXPRESS):
        yield replace(strictest, form=form, differs=f"in the form {form}")
    for field in strictest.notice_fields:
        left = tuple(name for name in strictest.notice_fields if name != field)
        yield replace(strictest, notice_fields=left, differs=f"with a notice that leaves out {field}")
    yield replace(strictest, has_notice_digest=False, differs="without the digest of the notice")
    yield replace(strictest, alternative_offered=False, differs="without an alternative offered")
    for count in sorted({needs.evidence_min for needs in rules}):
        yield replace(strictest, evidence_count=count, differs=f"with {count} pieces of evidence")
    for band in AgeBand:
        for guardian in (False, True):
            if band is not AgeBand.ADULT:
                words = f"of age band {band} {'with' if guardian else 'without'} a guardian"
                yield replace(strictest, age_band=band, guardian=guardian, differs=words)
    for days in sorted({needs.expires_max_days + 1 for needs in rules}):
        yield replace(strictest, term_days=days, differs=f"that lasts {days} days")
    for days in sorted({needs.last_interaction_cap_days + 1 for needs in rules}):
        yield replace(strictest, idle_days=days, differs=f"{days} days after she was last heard of")


def forms_for_two(strictest: GrantForm) -> Iterator[GrantForm]:
    """`strictest` with one purpose more: what is forbidden spoils a grant for something else that is allowed."""
    for purpose in Purpose:
        if purpose != strictest.purpose:
            yield replace(strictest, further=(purpose,), differs=f"and for {purpose}")
