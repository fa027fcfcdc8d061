"""What a request lacks of the form that decisions will ask of the grant, found by their own function; pure, and no form of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assent.consent.legal_form import form_rules
from assent.events.grants import AgeBand, LegalBasis
from assent.geofence.jurisdiction_rules import JurisdictionRules
from assent.ids import Jurisdiction, RuleId
from services.registry.grant_record import wire_basis
from services.registry.grant_request import GrantRequest

_SHOWN = "0" * 64
"""Stands for the digest of the notice: which one it is, is written down when she says yes, and decisions ask only that there is one."""
LACKS: dict[str, tuple[str, str]] = {
    "legal_form_missing": (
        "The grant reaches {place}, and no legal basis is given in the form that counts there ({form}).",
        "Add it to legal.",
    ),
    "CA-2": ("{place} takes an explicit yes alone.", "Ask for each purpose with its own yes."),
    "IL-3": ("{place} asks for a signature ({signature}).", "Name in legal how she signs."),
    "IL-2": ("{place} asks for a notice that tells {notice_fields}.", "Tell it, and name each in notice_fields."),
    "QC-7": ("{place} asks that an alternative is offered.", "Offer one, and set alternative_offered."),
    "EU-1": ("{place} asks for {evidence} pieces of evidence, her confirmation among them.", "Add what is missing to evidence."),
    "CA-6": ("No guardian says yes for her in {place} at every age that her band may stand for.", "Ask her when she is of age there."),
}
"""Per rule what is wrong and what to do. That she was shown the notice (EU-8) is written down with her yes, and lacks in no request."""


@dataclass(frozen=True, slots=True)
class AskedForm:
    """What decisions will look at once she has said yes. Her confirmation is written down as one more piece of evidence."""

    legal: tuple[LegalBasis, ...]
    age_band: AgeBand
    guardian: bool

    @classmethod
    def of(cls, request: GrantRequest, age_band: AgeBand) -> AskedForm:
        """The form of a request by somebody of this age."""
        count = len(request.evidence) + 1
        legal = tuple(wire_basis(basis, evidence_count=count, notice_sha256=_SHOWN) for basis in request.legal)
        return cls(legal, age_band, request.guardian is not None)


def lacking(
    request: GrantRequest,
    *,
    age_band: AgeBand,
    residences: Sequence[Jurisdiction],
    rules: Callable[[Jurisdiction], JurisdictionRules],
) -> Iterator[tuple[Jurisdiction, RuleId]]:
    """Each rule of form that the grant would fail, place by place: where she lives and where it reaches.

    A place that opens nothing asks for nothing now. One whose filings are still to be made opens by a date, and nobody asks her again
    then: it asks for its form at once.
    """
    form, scope = AskedForm.of(request, age_band), request.geographic_scope
    for place in sorted({*residences, *scope.collect_in, *scope.store_in, *scope.disclose_in}):
        if rules(place).opens:
            yield from ((place, rule) for rule in form_rules(form, place, rules(place)))


def lacks_text(place: Jurisdiction, rule: RuleId, rules: JurisdictionRules) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    needs = rules.consent
    message, remedy = LACKS[rule]
    return (
        message.format(
            place=place,
            form=needs.form,
            signature=" or ".join(needs.signature),
            notice_fields=", ".join(needs.notice_fields),
            evidence=needs.evidence_min,
        ),
        remedy,
    )
