"""Whether a grant was given in the form that a jurisdiction asks for; it never takes one place's form for another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from assent.events.grants import AgeBand, ConsentForm, LegalBasis
from assent.geofence.policy import ConsentRules, JurisdictionRules
from assent.ids import Jurisdiction, RuleId

FORM_STRENGTH: dict[ConsentForm, int] = {
    ConsentForm.EXPRESS: 0,
    ConsentForm.EXPLICIT: 1,
    ConsentForm.WRITTEN_RELEASE: 2,
}
MINORS: dict[AgeBand, range] = {
    AgeBand.MINOR_14_17: range(14, 18),
    AgeBand.MINOR_UNDER_14: range(14),
}
"""The ages that a stated band may stand for. `adult` is of age where she lives, whichever age that is there."""

_ADULT = AgeBand.ADULT


class GivenForm(Protocol):
    """What is looked at of a grant, or of what one will be once she has said yes to it."""

    @property
    def legal(self) -> tuple[LegalBasis, ...]: ...

    @property
    def age_band(self) -> AgeBand: ...

    @property
    def guardian(self) -> bool: ...


def form_rules(grant: GivenForm, jurisdiction: Jurisdiction, rules: JurisdictionRules) -> Iterator[RuleId]:
    """Every rule of form that this grant fails in this jurisdiction."""
    for basis in grant.legal:
        if basis.jurisdiction == jurisdiction:
            yield from _basis_rules(basis, rules.consent)
            break
    else:
        yield RuleId("legal_form_missing")
    yield from _age_rules(grant, rules.consent)


def _basis_rules(basis: LegalBasis, needs: ConsentRules) -> Iterator[RuleId]:
    if FORM_STRENGTH[basis.form] < FORM_STRENGTH[needs.form]:
        yield RuleId("legal_form_missing")
    if needs.explicit and not basis.explicit:
        yield RuleId("CA-2")
    if needs.signature and basis.signature not in needs.signature:
        yield RuleId("IL-3")
    if any([field not in basis.notice_fields for field in needs.notice_fields]):
        yield RuleId("IL-2")
    if needs.alternative_offered and not basis.alternative_offered:
        yield RuleId("QC-7")
    if basis.evidence_count < needs.evidence_min:
        yield RuleId("EU-1")
    if needs.notice_sha256 and basis.notice_sha256 is None:
        yield RuleId("EU-8")


def _age_rules(grant: GivenForm, needs: ConsentRules) -> Iterator[RuleId]:
    """CA-6: under the age, or of unknown age, only with a guardian; a guardian cures only below `guardian_below`."""
    if grant.age_band is _ADULT:
        return
    ages = MINORS.get(grant.age_band)
    cured_below = needs.guardian_below if grant.guardian else 0
    if ages is None or any(cured_below <= age < needs.age_min for age in ages):
        yield RuleId("CA-6")
