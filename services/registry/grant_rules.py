"""What is refused when a grant is asked for, each with its rule; pure, and never looser than what decisions would refuse later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assent.consent.source_rules import SourceRuleError, checked_rule
from assent.events.grants import AgeBand, BindingMode, SourceRule
from assent.geofence.jurisdiction_rules import JurisdictionRules, RetentionRules
from assent.ids import GrantId, Jurisdiction, RuleId, SubjectId
from services.registry.asked_forms import lacking, lacks_text
from services.registry.grant_parts import EvidenceKind
from services.registry.grant_request import EXPRESS, GrantRequest, wire_source

ADULT_FROM = 18
MAX_AHEAD_DAYS = 90
"""How far ahead a grant may begin. A yes that waits for longer is not the one of that day, and its clock runs from today (IL-1)."""
TERM_TOLD = "length_of_term"
"""The field of a notice by which a place asks that the term is told in it."""
_AGES: Mapping[AgeBand, tuple[int, int | None]] = {
    AgeBand.ADULT: (ADULT_FROM, None),
    AgeBand.MINOR_14_17: (14, 17),
    AgeBand.MINOR_UNDER_14: (0, 13),
}
"""The first and the last year of age of each band that is known."""
FIRST_START, LAST_END = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Beyond them lies no grant that anybody means, and near the ends of the calendar no time can be reckoned with."""
PUBLICLY_AVAILABLE = frozenset({"publicly_available", "public", "public_web"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not taken: the rule, what is wrong, what to do."""

    rule: RuleId
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class LiveMember:
    """A live grant that a joint grant lists: whose it is, and how it binds."""

    subject_id: SubjectId
    mode: BindingMode


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the request is judged by beside itself. `members` holds the live grants among those a joint grant lists."""

    age_band: AgeBand
    residences: tuple[Jurisdiction, ...]
    now: datetime
    accepts_fixtures: bool
    expires_max_days: Callable[[Jurisdiction], int]
    age_min: Callable[[Jurisdiction], int]
    rules: Callable[[Jurisdiction], JurisdictionRules]
    retention: Callable[[Jurisdiction], RetentionRules]
    members: Mapping[GrantId, LiveMember]


def grant_refusals(request: GrantRequest, around: Circumstances) -> list[Refusal]:
    """Every reason against the request, in a fixed order; an empty list means it may be shown to the subject."""
    return [
        *_consent(request),
        *_age(request, around),
        *_sources(request),
        *_term(request, around),
        *_retention(request, around),
        *_evidence(request, around),
        *_binding(request, around),
        *_residences(request, around),
        *_terms_told(request, around),
        *_forms(request, around),
    ]


def checked_sources(request: GrantRequest, grant_id: GrantId) -> tuple[SourceRule, ...]:
    """The sources in the one spelling that is matched. Raises SourceRuleError."""
    return tuple(checked_rule(wire_source(source, grant_id)) for source in request.sources)


def _consent(request: GrantRequest) -> Iterator[Refusal]:
    if request.consent_type in PUBLICLY_AVAILABLE:
        yield Refusal(RuleId("CA-3"), "That something is publicly available is no consent.", "Ask her; consent_type is express.")
    elif request.consent_type != EXPRESS:
        yield Refusal(RuleId("CA-2"), "Only express consent is taken.", "Set consent_type to express, or do not ask.")
    if any(not purpose.explicit for purpose in request.purposes) or any(not basis.explicit for basis in request.legal):
        yield Refusal(RuleId("CA-2"), "A purpose or legal basis is not explicit.", "Ask for each purpose with its own yes.")
    if len({purpose.code for purpose in request.purposes}) != len(request.purposes):
        yield Refusal(RuleId("EU-3"), "A purpose is named twice.", "Name each purpose once.")


def _age(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    """CA-6: a minor needs a guardian; an unknown age is treated as the strictest, and no guardian cures it."""
    years = None if request.birth_year is None else around.now.year - request.birth_year
    if around.age_band is AgeBand.UNKNOWN:
        yield Refusal(RuleId("CA-6"), "The subject's age is not known.", "Create the subject with her age band.")
    elif years is not None and not _may_be(around.age_band, years):
        yield Refusal(
            RuleId("CA-6"), f"The birth year does not fit the age band {around.age_band.value}.", "Correct the one that is wrong."
        )
    elif around.age_band is AgeBand.ADULT:
        yield from _adult_there(years, around)
    elif request.guardian is None:
        yield Refusal(RuleId("CA-6"), "The subject is a minor and no guardian is named.", "Name the guardian and her evidence.")
    if request.guardian is not None and request.guardian.party.role != "guardian":
        yield Refusal(
            RuleId("CA-6"),
            f"The guardian is named in the role of {request.guardian.party.role}.",
            "Name who has custody of her, with the role guardian; nobody who asks for a yes gives it.",
        )


def _may_be(band: AgeBand, years: int) -> bool:
    """Whether somebody of the band can have been born so many calendar years ago: until her birthday she is one year less."""
    first, last = _AGES[band]
    return first <= years and (last is None or years - 1 <= last)


def _adult_there(years: int | None, around: Circumstances) -> Iterator[Refusal]:
    """The band says 18; where a place asks for more, the birth year must show it, whatever the day of her birthday."""
    for place in around.residences:
        needed = around.age_min(place)
        if needed > ADULT_FROM and (years is None or years <= needed):
            yield Refusal(
                RuleId("CA-6"),
                f"{place} asks for {needed} years, and the age band says {ADULT_FROM} or more.",
                "State her birth_year; in the year after that birthday it is enough.",
            )


def _sources(request: GrantRequest) -> Iterator[Refusal]:
    for source in request.sources:
        try:
            checked_rule(wire_source(source, GrantId("-")))
        except SourceRuleError as error:
            yield Refusal(RuleId("AIA-2"), str(error), "Name a folder on one host, one account, one image or one digest.")


def _term(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    start, end = request.validity.not_before, request.validity.expires_at
    if end <= start or end <= around.now:
        yield Refusal(RuleId("QC-7"), "The grant would end before it begins, or has ended.", "Set a later expires_at.")
        return
    if start < FIRST_START or end > LAST_END:
        yield Refusal(RuleId("QC-7"), "A grant begins after 1899 and ends before 2200.", "Correct not_before or expires_at.")
        return
    if start - around.now > timedelta(days=MAX_AHEAD_DAYS):
        yield Refusal(
            RuleId("QC-7"),
            f"The grant would begin more than {MAX_AHEAD_DAYS} days from now.",
            f"Set not_before at most {MAX_AHEAD_DAYS} days ahead, or ask her nearer to that day.",
        )
    renew_by = request.validity.renew_by
    if renew_by is not None and not start <= renew_by < end:
        yield Refusal(RuleId("QC-7"), "It is to be renewed by a time at which it does not run.", "Set renew_by before expires_at.")
    for place in _places(request, around):
        most = around.expires_max_days(place)
        if end - start > timedelta(days=most):
            yield Refusal(
                RuleId("QC-7"),
                f"The grant would last longer than {place} allows ({most} days).",
                f"Set expires_at at most {most} days after not_before.",
            )


def _retention(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    """IL-1, QC-5 and TX-1: nothing is promised to be kept longer than a place allows, nor held longer than was promised."""
    asked = request.retention
    if request.validity.expires_at - request.validity.not_before > timedelta(days=asked.max_days):
        yield Refusal(RuleId("IL-1"), "The grant would last longer than its own retention.max_days.", "Set an earlier expires_at.")
    for place in _places(request, around):
        most = around.retention(place)
        if asked.max_days > most.max_days:
            yield Refusal(RuleId("IL-1"), f"{place} lets nothing be kept for {asked.max_days} days.", f"Set max_days to {most.max_days}.")
        if asked.after_purpose_days > most.after_purpose_days:
            yield Refusal(
                RuleId("QC-5"),
                f"{place} asks for an end within {most.after_purpose_days} days after the purpose, not {asked.after_purpose_days}.",
                f"Set after_purpose_days to {most.after_purpose_days}.",
            )


def _places(request: GrantRequest, around: Circumstances) -> list[Jurisdiction]:
    """Every place whose law the grant has to meet, in a fixed order."""
    return sorted({*around.residences, *(basis.jurisdiction for basis in request.legal)})


def _evidence(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    if not around.accepts_fixtures and any(item.kind is EvidenceKind.DEMO_FIXTURE for item in request.evidence):
        yield Refusal(
            RuleId("fixture_evidence"),
            "Evidence of the kind demo_fixture shows nothing.",
            "Give real evidence; only a demonstration accepts fixtures.",
        )


def _binding(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    mode, members = request.face_binding.mode, request.face_binding.member_grants
    if not all(region.box.is_inside_image for region in request.face_binding.regions):
        yield Refusal(RuleId("region_not_found"), "A marked box reaches beyond its image.", "Mark it relative to the image, 0 to 1.")
    if mode is BindingMode.REFERENCE_MATCH:
        yield Refusal(
            RuleId("not_supported"),
            "Comparing faces to find out who is covered is not supported.",
            "Bind by single_face, region or joint.",
        )
    if mode is not BindingMode.JOINT:
        if members:
            yield Refusal(RuleId("X-3"), "Only a joint grant lists member grants.", "Leave member_grants out, or set mode joint.")
        return
    if len(set(members)) < 2 or len(set(members)) != len(members):
        yield Refusal(RuleId("X-3"), "A joint grant lists two or more different grants.", "List one live grant per person.")
        return
    yield from joint_refusals(request.subject_id, members, around.members)


def joint_refusals(subject_id: SubjectId, members: Sequence[GrantId], live: Mapping[GrantId, LiveMember]) -> Iterator[Refusal]:
    """X-3: everyone in the photo has a live grant of her own, and one of them holds the joint one, which is nobody's own."""
    found = [live[member] for member in members if member in live and live[member].mode is not BindingMode.JOINT]
    if len(found) < len(members):
        yield Refusal(
            RuleId("X-3"),
            "A member grant is unknown, not live, or joint itself.",
            "List the live grant of every person in the photo.",
        )
        return
    people = {member.subject_id for member in found}
    if len(people) < len(members):
        yield Refusal(RuleId("X-3"), "Two member grants are of one person.", "List one live grant per person in the photo.")
    if subject_id not in people:
        yield Refusal(RuleId("X-3"), "The subject of the joint grant is none of its members.", "Ask one of the people in the photo for it.")


def _residences(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    """Without a legal basis for every residence no decision would ever open; better said now."""
    missing = sorted(set(around.residences) - {basis.jurisdiction for basis in request.legal})
    if missing:
        yield Refusal(
            RuleId("legal_form_missing"),
            f"No legal basis is given for the residence {', '.join(missing)}.",
            "Add one entry to legal for each residence.",
        )


def _terms_told(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    """IL-2, elsewhere EU-8: a term that she is told is the term of the grant, or longer."""
    length = request.validity.expires_at - request.validity.not_before
    for basis in request.legal:
        if basis.term_days is not None and length > timedelta(days=basis.term_days):
            is_asked_for = TERM_TOLD in around.rules(basis.jurisdiction).consent.notice_fields
            yield Refusal(
                RuleId("IL-2" if is_asked_for else "EU-8"),
                f"She would be told a term of {basis.term_days} days for {basis.jurisdiction}, and the grant would last longer.",
                "Set term_days to the days from not_before to expires_at, or leave it out.",
            )


def _forms(request: GrantRequest, around: Circumstances) -> Iterator[Refusal]:
    """What decisions would refuse later for the form, by their own function; what stands above already is not told twice."""
    has_basis = {basis.jurisdiction for basis in request.legal}
    is_refused_for_age, is_refused_as_implied = any(_age(request, around)), any(_consent(request))
    for place, rule in lacking(request, age_band=around.age_band, residences=around.residences, rules=around.rules):
        is_told = (
            (rule == "legal_form_missing" and place in around.residences and place not in has_basis)
            or (rule == "CA-6" and is_refused_for_age)
            or (rule == "CA-2" and is_refused_as_implied)
        )
        if not is_told:
            yield Refusal(rule, *lacks_text(place, rule, around.rules(place)))
