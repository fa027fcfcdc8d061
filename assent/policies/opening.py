"""What a place needs before it is opened, and the policy with it opened; UNKNOWN is never opened, and the floor never loosened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import ValidationError

from assent.geofence.jurisdiction_rules import SERVE_CLIENTS, Filing
from assent.geofence.policy import Policy, first_fault
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from assent.policies.openness import VERBS

OPERATIONS = tuple(operation for verb in VERBS if verb != "offer" for operation in VERBS[verb])
"""What is opened where nothing else is said: everything but serving callers."""

_RECORD = {"appropriateness_record": Filing(rule=RuleId("OPC-1"))}
NEEDED: dict[str, dict[str, Filing]] = {
    "CA": _RECORD,
    "CA-QC": {
        "cai_process": Filing(rule=RuleId("QC-2")),
        "cai_database": Filing(rule=RuleId("QC-3"), lead_days=60),
        "privacy_impact_assessment": Filing(rule=RuleId("QC-8")),
    },
    "EU": {"dpia": Filing(rule=RuleId("EU-10")), "representative": Filing(rule=RuleId("EU-10"))},
    "GB": {"dpia": Filing(rule=RuleId("UK-1"))},
}
"""Papers that must exist first: those of a country hold for its parts, those of a group for its members."""


class OpeningError(ValueError):
    """Raised when a place cannot be opened so. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One filing as it was made."""

    reference: str
    filed_on: date


def filings_needed(policy: Policy, place: Jurisdiction) -> dict[str, Filing]:
    """Every filing of the entry and of the lists above, the stricter where both name one; those that are made say so."""
    country = place.partition("-")[0]
    groups = [group for group, rules in policy.jurisdictions.items() if country in rules.members]
    needed: dict[str, Filing] = {}
    for name in (*groups, country, place):
        needed |= NEEDED.get(name, {})
    own = policy.rules_for(place).filings
    for name, filing in own.items():
        known = needed.get(name)
        lead = max(filing.lead_days, known.lead_days if known is not None else 0)
        needed[name] = filing.model_copy(update={"lead_days": lead})
    return dict(sorted(needed.items()))


def papers_missing(policy: Policy, place: Jurisdiction) -> dict[str, Filing]:
    """Those of them that are not made yet."""
    return {name: filing for name, filing in filings_needed(policy, place).items() if not filing.is_filed}


def opened(
    policy: Policy,
    place: Jurisdiction,
    *,
    operations: Sequence[str],
    papers: Mapping[str, Paper],
    law: Sequence[str],
    version: str,
    today: date,
) -> Policy:
    """The policy under a new version with these operations open in `place` to a grant that fits. Raises OpeningError."""
    check_openable(policy, place, operations=operations, law=law, today=today)
    needed = filings_needed(policy, place)
    _check_papers(needed, papers, place, today)
    rules = policy.rules_for(place)
    entry = rules.model_dump()
    entry["members"] = list(rules.members) if policy.entry_for(place) == place else []
    entry["with_grant"] = [name for name in (*OPERATIONS, SERVE_CLIENTS) if name in {*rules.with_grant, *operations}]
    entry["law"] = [*law] if policy.entry_for(place) == UNKNOWN else [*rules.law, *(name for name in law if name not in rules.law)]
    entry["filings"] = {name: _filed(filing, papers.get(name)) for name, filing in needed.items()}
    document: dict[str, Any] = policy.model_dump(by_alias=True)
    document["version"] = version
    document["jurisdictions"] = {**document["jurisdictions"], place: entry}
    try:
        found = Policy.model_validate(document)
    except ValidationError as error:
        raise OpeningError(first_fault(error)) from error
    return found


def check_openable(policy: Policy, place: Jurisdiction, *, operations: Sequence[str], law: Sequence[str], today: date) -> None:
    """Raise OpeningError where the place can never be opened, not so, or is open already; papers are looked at later."""
    if place == UNKNOWN:
        raise OpeningError(f"{UNKNOWN} is never opened: it stands for everybody whose place nobody can tell")
    if policy.entry_for(place) == UNKNOWN and not law:
        raise OpeningError(f"{place} has no entry yet: name the law that the new one follows, with --law")
    status = policy.rules_for(place).status
    if status != "in_force":
        raise OpeningError(f"the entry of {place} is {status}, and opens nothing until it is written anew; edit the policy file for that")
    rules = policy.rules_for(place)
    if rules.order_received is not None and rules.order_received.is_overdue(datetime.combine(today, time(), UTC)):
        raise OpeningError(f"an order that was received for {place} is overdue, and nothing opens before it is met; record met_on")
    if set(operations) <= set(rules.with_grant) and all(filing.is_filed for filing in rules.filings.values()):
        raise OpeningError(f"{place} is open for {', '.join(operations)} already; see assent policy show {place}")


def _check_papers(needed: Mapping[str, Filing], papers: Mapping[str, Paper], place: Jurisdiction, today: date) -> None:
    strange = sorted(set(papers) - set(needed))
    if strange:
        raise OpeningError(f"{place} asks for no filing {', '.join(strange)}; it asks for {', '.join(needed) or 'none'}")
    for name, paper in papers.items():
        if paper.filed_on > today:
            raise OpeningError(f"{name}: {paper.filed_on} is yet to come; file first, and open then")
    missing = [name for name, filing in needed.items() if name not in papers and not filing.is_filed]
    if missing:
        raise OpeningError(f"{place} asks for {', '.join(missing)}: give reference and date of each")


def _filed(filing: Filing, paper: Paper | None) -> dict[str, Any]:
    given = {} if paper is None else {"reference": paper.reference, "filed_on": paper.filed_on}
    return filing.model_copy(update=given).model_dump()
