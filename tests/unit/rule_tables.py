"""What each place asks for, written by hand from the rules of law; nothing here is computed by the code under test."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from assent.consent.asset import Asset
from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import (
    AgeBand,
    ConsentForm,
    GeographicScope,
    GrantSnapshot,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import SourceKind
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, GrantId, Jurisdiction
from tests.unit.grant_examples import NOTICE, NOW, grant
from tests.unit.policy_examples import EVERY_OPERATION, places, policy_with, shipped

NOTICE_FIELDS = ("collected_or_stored", "specific_purpose", "length_of_term")
COVERED = Asset(SourceKind.WEB_PAGE, final_url="https://site.example/ada/1.jpg")
EXPRESS, EXPLICIT, RELEASE = "express", "explicit", "written_release"


@dataclass(frozen=True)
class PlaceRow:
    """One place as shipped: the rule that closes collecting, using and disclosing whoever granted (None: a grant opens), the rule
    that closes the offer to callers, and the least form of a yes, where the place is open or once it is opened.
    """

    closed: str | None
    offer: str
    form: str
    days: int = 365
    is_signed: bool = False
    age_min: int = 18
    guardian_below: int = 18


REST_OF_CANADA = PlaceRow("CA-1", "CA-1", RELEASE)
EUROPE = PlaceRow("EU-10", "EU-10", EXPLICIT, age_min=16, guardian_below=16)
NOBODY_KNOWS = PlaceRow("X-1", "X-1", RELEASE)
PLACES: dict[str, PlaceRow] = {
    "CA-AB": PlaceRow(None, "AB-1", RELEASE),
    "CA-BC": PlaceRow(None, "BC-1", EXPRESS, days=730, age_min=19, guardian_below=19),
    "CA-MB": REST_OF_CANADA,
    "CA-NB": REST_OF_CANADA,
    "CA-NL": REST_OF_CANADA,
    "CA-NS": REST_OF_CANADA,
    "CA-NT": REST_OF_CANADA,
    "CA-NU": REST_OF_CANADA,
    "CA-ON": REST_OF_CANADA,
    "CA-PE": REST_OF_CANADA,
    "CA-QC": PlaceRow("QC-3", "QC-1", EXPRESS, guardian_below=14),
    "CA-SK": REST_OF_CANADA,
    "CA-YT": REST_OF_CANADA,
    "CA": REST_OF_CANADA,
    "US-IL": PlaceRow(None, "IL-5", RELEASE, is_signed=True),
    "US-TX": PlaceRow("TX-1", "TX-1", RELEASE),
    "US": NOBODY_KNOWS,
    "EU": EUROPE,
    "FR": EUROPE,
    "NO": EUROPE,
    "GB": PlaceRow("UK-1", "UK-1", EXPLICIT, age_min=13, guardian_below=13),
    "AU": PlaceRow("AU-1", "AU-1", RELEASE),
    "NZ": NOBODY_KNOWS,
    UNKNOWN: NOBODY_KNOWS,
}
EU_MEMBERS = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO".split()
"""27 of the Union and Iceland, Liechtenstein and Norway."""

FILED = {"reference": "R-1", "filed_on": date(2026, 1, 1)}
OPENED: dict[str, dict[str, Any]] = {
    "CA-AB": {},
    "CA-BC": {},
    "CA-QC": {"filings": {"cai_process": FILED, "cai_database": FILED, "privacy_impact_assessment": FILED}},
    "CA": {"with_grant": EVERY_OPERATION},
    "US-IL": {},
    "US-TX": {"with_grant": EVERY_OPERATION},
    "EU": {"with_grant": EVERY_OPERATION, "filings": {"dpia": FILED, "representative": FILED}},
    "GB": {"with_grant": EVERY_OPERATION, "filings": {"dpia": FILED}},
    "AU": {"with_grant": EVERY_OPERATION},
}
"""What an operator has to write to open each entry to a grant that fits."""


@functools.cache
def opened() -> Policy:
    """The shipped policy with every entry opened that can be."""
    return policy_with(**{name.replace("-", "_"): dict(entry) for name, entry in OPENED.items()})


def least_basis(place: str, **changes: Any) -> LegalBasis:
    """The least form of a yes that this place takes, with some of it changed."""
    row = PLACES[place]
    fields: dict[str, Any] = {
        "jurisdiction": Jurisdiction(place),
        "form": ConsentForm(row.form),
        "signature": "e_signature" if row.is_signed else None,
        "notice_fields": NOTICE_FIELDS if row.is_signed else (),
        "alternative_offered": True,
        "evidence_count": 1,
        "notice_sha256": NOTICE,
    }
    return LegalBasis(**(fields | changes))


def least_grant(*codes: str, basis: dict[str, Any] | None = None, days: int | None = None, **changes: Any) -> GrantSnapshot:
    """A grant of the least form for each of these places, and as long as the strictest of them allows."""
    named = tuple(Jurisdiction(code) for code in codes)
    start = NOW - timedelta(days=1)
    length = days if days is not None else min(PLACES[code].days for code in codes)
    fields: dict[str, Any] = {
        "residences": tuple(Residence(jurisdiction=place) for place in named),
        "legal": tuple(least_basis(code, **(basis or {})) for code in codes),
        "scope": GeographicScope(collect_in=named, store_in=named, disclose_in=named),
        "not_before": start,
        "expires_at": start + timedelta(days=length),
        "confirmed_at": start,
        "last_interaction_at": start,
        "purposes": tuple(Purpose),
    }
    return grant(**(fields | changes))


@dataclass(frozen=True)
class Variant:
    """A grant with one thing changed, and the rule that then refuses beside what is closed anyway; None: the change does no harm.

    `alone` is for what ends a grant as such: no place is looked at.
    """

    held: GrantSnapshot | None
    rule: str | None
    alone: bool = False


def variants(place: str) -> dict[str, Variant]:
    """The least grant of a place, the same with each part of its form missing, and none at all."""
    row = PLACES[place]
    weaker = {RELEASE: [EXPLICIT, EXPRESS], EXPLICIT: [EXPRESS], EXPRESS: []}[row.form]
    stronger = {RELEASE: [], EXPLICIT: [RELEASE], EXPRESS: [EXPLICIT, RELEASE]}[row.form]
    found = {
        "no grant": Variant(None, "no_grant", alone=True),
        "the least form": Variant(least_grant(place), None),
        "no legal basis": Variant(least_grant(place, legal=()), "legal_form_missing"),
        "the basis of another place": Variant(least_grant(place, basis={"jurisdiction": Jurisdiction("JP")}), "legal_form_missing"),
        "not explicit": Variant(least_grant(place, basis={"explicit": False}), "CA-2"),
        "no alternative": Variant(least_grant(place, basis={"alternative_offered": False}), "QC-7"),
        "no evidence": Variant(least_grant(place, basis={"evidence_count": 0}), "EU-1"),
        "no notice": Variant(least_grant(place, basis={"notice_sha256": None}), "EU-8"),
        "a day too long": Variant(least_grant(place, days=row.days + 1), "QC-7"),
        "silent for 1095 days": Variant(least_grant(place, last_interaction_at=NOW - timedelta(days=1095)), None),
        "silent for longer": Variant(least_grant(place, last_interaction_at=NOW - timedelta(days=1095, seconds=1)), "IL-1"),
        "no signature": Variant(least_grant(place, basis={"signature": None}), "IL-3" if row.is_signed else None),
        "a credential for a signature": Variant(least_grant(place, basis={"signature": "vc"}), "IL-3" if row.is_signed else None),
        "signed on paper": Variant(least_grant(place, basis={"signature": "wet"}), None),
        "another source": Variant(least_grant(place, sources=(_ELSEWHERE,)), "source_not_covered"),
        "no reach there": Variant(least_grant(place, scope=_NOWHERE), "scope_not_granted"),
        "not confirmed": Variant(least_grant(place, confirmed_at=None), "grant_not_live", alone=True),
        "run out": Variant(least_grant(place, expires_at=NOW), "grant_expired", alone=True),
    }
    found |= {f"as {form}": Variant(least_grant(place, basis={"form": form}), "legal_form_missing") for form in weaker}
    found |= {f"as {form}": Variant(least_grant(place, basis={"form": form}), None) for form in stronger}
    for left_out in NOTICE_FIELDS:
        fields = tuple(field for field in NOTICE_FIELDS if field != left_out)
        found[f"without {left_out}"] = Variant(least_grant(place, basis={"notice_fields": fields}), "IL-2" if row.is_signed else None)
    return found | {name: Variant(least_grant(place, **aged), rule) for name, (aged, rule) in _ages(row).items()}


def _ages(row: PlaceRow) -> dict[str, tuple[dict[str, Any], str | None]]:
    """CA-6 by the ages of the table: who is of age says yes herself, below `guardian_below` a guardian does, nobody does between."""
    by_age = (row.age_min, row.guardian_below)
    own = {(18, 18): [], (19, 19): [], (18, 14): [], (16, 16): [], (13, 13): ["minor_14_17"]}[by_age]
    with_guardian = {
        (18, 18): ["minor_14_17", "minor_u14"],
        (19, 19): ["minor_14_17", "minor_u14"],
        (18, 14): ["minor_u14"],
        (16, 16): ["minor_14_17", "minor_u14"],
        (13, 13): ["minor_14_17", "minor_u14"],
    }[by_age]
    found: dict[str, tuple[dict[str, Any], str | None]] = {}
    for band in ("unknown", "minor_14_17", "minor_u14"):
        found[f"{band} by herself"] = ({"age_band": AgeBand(band)}, None if band in own else "CA-6")
        found[f"{band} by a guardian"] = ({"age_band": AgeBand(band), "guardian": True}, None if band in with_guardian else "CA-6")
    return found


def rules_of(
    held: GrantSnapshot | None,
    *codes: str,
    operation: Operation = Operation.COLLECT,
    purpose: Purpose | None = None,
    policy: Policy | None = None,
    asset: Asset | None = COVERED,
    recipient: str = "self",
) -> tuple[str, ...]:
    """The rules by which the decision refuses this grant where the case may be in these places; () is yes."""
    ledger = ConsentLedger()
    if held is not None:
        ledger.apply_grant(held)
    request = Request(operation=operation, candidates=places(*codes), now=NOW, asset=asset, purpose=purpose, recipient=recipient)
    return allow(GrantId("g-1"), request, ledger=ledger, policy=policy or shipped()).rules


_ELSEWHERE = SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/eve/", only_me=True)
_NOWHERE = GeographicScope(collect_in=(), store_in=(), disclose_in=())
