"""`assent policy show`: one entry whole, after the defaults are merged, in words or as JSON; without a place one line per entry."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from assent.cli.command import CommandError, ExitCode
from assent.deciding.rule_texts import rule_text
from assent.geofence.jurisdiction_rules import ConsentRules, Filing, JurisdictionRules, OrderReceived
from assent.geofence.place_names import places_in_text, region_code
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, Jurisdiction
from assent.policies.openness import OperationState, by_verb, operation_states
from embedded.known_policy import KnownPolicy, known_policy
from embedded.openness_words import UNKNOWN_WORDS, openness_lines, rule_lines


def run_show(arguments: argparse.Namespace) -> int:
    """Print what was asked for."""
    known, now = known_policy(arguments), datetime.now(UTC)
    if arguments.jurisdiction is None:
        return _all_entries(known, now, as_json=arguments.json)
    place = place_code(arguments.jurisdiction)
    if arguments.json:
        print(json.dumps({**_entry_document(place, known.policy, now), "policy": policy_document(known)}, indent=2))
    else:
        print("\n".join([*entry_lines(place, known.policy, now), *policy_lines(known)]))
    return ExitCode.DONE


def place_code(text: str) -> Jurisdiction:
    """The code that was written, in capitals. Raises CommandError that names the code where a name was written."""
    code = text.strip().upper()
    if code in (UNKNOWN, "EU") or (code.isascii() and region_code(code) == code):
        return Jurisdiction(code)
    meant = sorted(places_in_text(text))
    remedy = f"did you mean {' or '.join(meant)}?" if meant else "write one such as CA-QC, FR, EU or UNKNOWN"
    raise CommandError(f"{text!r} is no code of a place that is known; {remedy}")


def policy_lines(known: KnownPolicy) -> list[str]:
    """Which policy was looked at."""
    return [f"policy  {known.policy.version}: {known.origin}", f"        sha256 {known.sha256}"]


def policy_document(known: KnownPolicy) -> dict[str, str]:
    """The same for JSON."""
    return {"version": known.policy.version, "sha256": known.sha256, "origin": known.origin}


def entry_lines(place: Jurisdiction, policy: Policy, now: datetime) -> Iterator[str]:
    """The entry that governs a place, in words."""
    rules, entry = policy.rules_for(place), policy.entry_for(place)
    states = operation_states([rules], now)
    yield _title(place, entry, rules)
    yield f"status      {_status(rules)}"
    yield f"law         {', '.join(rules.law)}" + (f"; {rules.authority}" if rules.authority else "")
    if rules.order_received is not None:
        yield f"order       {_order(rules.order_received, now)}"
    for name, filing in sorted(rules.filings.items()):
        yield f"filing      {name}: {filing_words(filing, now)}"
    yield "what is open"
    yield from (f"    {line}" for line in openness_lines(states))
    yield from (f"    {line}" for line in rule_lines(states))
    yield "what a grant must carry" + ("" if rules.with_grant else ", if anything were open")
    yield from (f"    {line}" for line in _grant_lines(rules))
    yield "how it is kept"
    yield from (f"    {line}" for line in _keeping_lines(rules))


def filing_words(filing: Filing, now: datetime) -> str:
    """Whether it is filed, and from when it counts."""
    ahead = f", {filing.lead_days} days ahead" if filing.lead_days else ""
    if not filing.is_filed:
        return f"asked for{ahead} ({filing.rule}), and not filed"
    since = "counts" if filing.is_met(now) else f"counts from {filing.counts_from} on"
    return f"filed on {filing.filed_on} as {filing.reference}{ahead} ({filing.rule}); {since}"


def _all_entries(known: KnownPolicy, now: datetime, *, as_json: bool) -> int:
    policy = known.policy
    names = [*policy.jurisdictions, UNKNOWN]
    if as_json:
        entries = [_entry_document(name, policy, now) for name in names]
        print(json.dumps({"entries": entries, "policy": policy_document(known)}, indent=2))
        return ExitCode.DONE
    print(f"{'':8} {'status':9} " + " ".join(f"{verb:22}" for verb in ("offer", "collect", "use", "disclose")) + " law")
    for name in names:
        rules = policy.rules_for(name)
        verbs = by_verb(operation_states([rules], now))
        law = "every place without an entry" if name == UNKNOWN else ", ".join(rules.law)
        print(f"{name:8} {rules.status:9} " + " ".join(f"{_short(group):22}" for group in verbs.values()) + f" {law}")
    for name in names:
        order = policy.rules_for(name).order_received
        if order is not None:
            print(f"order   {name}: {_order(order, now)}")
    print("\n".join(policy_lines(known)))
    return ExitCode.DONE


def _short(group: tuple[OperationState, ...]) -> str:
    """One word for a verb; `partly` where its operations differ."""
    words = {f"{state.openness} {','.join(state.rules)}".strip() for state in group}
    return next(iter(words)) if len(words) == 1 else "partly"


def _title(place: Jurisdiction, entry: Jurisdiction, rules: JurisdictionRules) -> str:
    if place == UNKNOWN:
        return f"{UNKNOWN}: every place that nobody can tell or that has no entry; {UNKNOWN_WORDS}"
    if entry == UNKNOWN:
        return f"{place}: no entry, so it is judged as {UNKNOWN}; {UNKNOWN_WORDS}"
    if entry != place:
        return f"{place}: governed by the entry {entry}"
    return f"{place}: an entry of its own" + (f", for {len(rules.members)} members: {', '.join(rules.members)}" if rules.members else "")


def _status(rules: JurisdictionRules) -> str:
    return {
        "in_force": "in force",
        "stayed": "stayed by a court or regulator: nothing is open while it is",
        "struck": "struck down: nothing is open until the entry is written anew",
    }[rules.status]


def _order(order: OrderReceived, now: datetime) -> str:
    told = [f"{what} by {end.date() - timedelta(days=1)} ({_left(end, now)})" for what, end in order.ends().items()]
    met = f"met on {order.met_on}" if order.met_on is not None else "not yet met"
    overdue = ["OVERDUE, so nothing is open"] if order.is_overdue(now) else []
    return ", ".join([f"of {order.issued}", *told, met, *overdue])


def _left(end: datetime, now: datetime) -> str:
    """Whole days until the clock has run out; the last day is a day."""
    days = -((now - end) // timedelta(days=1))
    return f"{days} days left" if now < end else f"missed {(now - end).days + 1} days ago"


def _grant_lines(rules: JurisdictionRules) -> Iterator[str]:
    needs = rules.consent
    signed = f"; signed: {' or '.join(needs.signature)}" if needs.signature else ""
    yield f"form        {needs.form}{signed}; an opt-out or an implied yes is none"
    notice = ["its digest"] * needs.notice_sha256 + list(needs.notice_fields)
    yield f"notice      {', '.join(notice) or 'none asked for'}"
    yield f"evidence    {needs.evidence_min} at least" + ("; an alternative is offered" if needs.alternative_offered else "")
    yield f"age         {_age(needs)}"
    yield f"time        {needs.expires_max_days} days at most; heard of in the last {needs.last_interaction_cap_days} days"
    yield f"purposes    {', '.join(sorted(rules.purposes_allow)) or 'none'}; never {', '.join(sorted(rules.purposes_forbid))}"


def _age(needs: ConsentRules) -> str:
    by_guardian = min(needs.guardian_below, needs.age_min)
    between = f"; from {by_guardian} to {needs.age_min - 1} nobody can" if by_guardian < needs.age_min else ""
    return f"{needs.age_min} or older by herself; below {by_guardian} with a guardian{between}"


def _keeping_lines(rules: JurisdictionRules) -> Iterator[str]:
    retention = rules.retention
    yield f"at most     {retention.max_days} days, and {retention.after_purpose_days} after the purpose ends"
    bystanders = {
        "drop_image": "a photo with anybody else in it is refused",
        "region_only": "allowed where she marked her own face; everybody else is painted over",
    }
    yield f"bystanders  {bystanders[rules.bystanders]}"
    yield f"probe       {'a face under a live grant, or her own' if rules.probe == 'self_or_grant' else 'her own face alone'}"


def _entry_document(place: Jurisdiction, policy: Policy, now: datetime) -> dict[str, Any]:
    rules = policy.rules_for(place)
    filings = {
        name: {
            "is_met": filing.is_met(now),
            "counts_from": None if filing.counts_from is None else str(filing.counts_from),
        }
        for name, filing in rules.filings.items()
    }
    operations = [
        {
            "operation": state.operation,
            "openness": state.openness.value,
            "rules": [{"rule": rule, "why": rule_text(rule).sentence} for rule in state.rules],
        }
        for state in operation_states([rules], now)
    ]
    return {
        "jurisdiction": place,
        "governed_by": policy.entry_for(place),
        "operations": operations,
        "filings": filings,
        "entry": rules.model_dump(mode="json"),
    }
