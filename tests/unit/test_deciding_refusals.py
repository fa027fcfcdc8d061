"""A refusal as it is told: which coarse outcome a rule comes to, what can be done about it, and the event that says it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from assent.deciding.gate import COLLECT, Finding
from assent.deciding.opted_out import PLACE_TOLD
from assent.deciding.outcome_remedies import EMBEDDED, OUTCOMES, DeadOutcome, dead_outcome_of, remedy_of
from assent.deciding.refusals import Outcome, Refusal, Refused, outcome_of, refusal_event
from assent.deciding.rule_texts import RULES
from assent.events.decisions import DecisionRecord
from assent.events.envelope import Event
from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind
from assent.events.images import ImageRefused, Stage
from assent.ids import GrantId, Jurisdiction, RuleId
from tests.unit.decision_cases import SIGHTING
from tests.unit.grant_examples import CA_BC, NOW, grant

# In the order in which they are told; what is not here is a rule of law and closes a place.
TOLD: dict[Outcome, tuple[str, ...]] = {
    Outcome.SUPPRESSED: ("suppressed",),
    Outcome.OPTED_OUT: ("robots_disallow", "optout_signal"),
    Outcome.UNREADABLE_IMAGE: ("image_unreadable", "image_too_large", "quarantine_expired", "fetch_failed"),
    Outcome.UNKNOWN_PLACE: ("X-1",),
    Outcome.NO_GRANT: ("no_grant", "source_not_covered", "fixture_evidence"),
    Outcome.GRANT_ENDED: ("grant_not_live", "grant_expired", "grant_withdrawn", "grant_unreadable", "retention_over"),
    Outcome.BYSTANDER: ("bystander_possible", "bystander_present", "several_faces", "faces_overlap", "region_not_found"),
    Outcome.NO_FACE: ("no_face", "low_quality"),
    Outcome.NOT_GRANTED: (
        "operation_not_granted",
        "purpose_not_allowed",
        "recipient_not_listed",
        "scope_not_granted",
        "legal_form_missing",
        "not_supported",
    ),
    Outcome.AWAITS_APPROVAL: ("control_unproven",),
    Outcome.NOT_THE_SUBJECT: ("not_the_subject",),
    Outcome.REFERENCE_MISSING: ("reference_missing",),
}
EXPECTED = {rule: outcome for outcome, rules in TOLD.items() for rule in rules}


@pytest.mark.parametrize("rule", sorted(RULES | EXPECTED.keys()))
def test_each_rule_comes_to_one_outcome_and_a_rule_of_law_to_a_closed_place(rule: str) -> None:
    expected = EXPECTED.get(rule, Outcome.CLOSED_PLACE)
    assert outcome_of([RuleId(rule)]) is expected
    assert (expected is Outcome.CLOSED_PLACE) == (rule not in EXPECTED)
    assert expected is not Outcome.CLOSED_PLACE or "-" in rule or rule == PLACE_TOLD, "a rule of our own needs a class"


def test_of_several_the_first_in_order_is_told_however_they_stand() -> None:
    order = list(TOLD)
    for earlier, later in combinations(order, 2):
        rules = [RuleId(TOLD[later][0]), RuleId(TOLD[earlier][-1])]
        assert outcome_of(rules) is outcome_of(rules[::-1]) is earlier
        assert outcome_of([RuleId("QC-3"), *rules]) is earlier
    assert outcome_of([RuleId("QC-3"), RuleId("ZZ-9")]) is Outcome.CLOSED_PLACE


def test_what_a_producer_is_told_to_do_is_a_sentence_of_its_own_in_both_languages() -> None:
    assert set(OUTCOMES) == {EMBEDDED, *Outcome, *DeadOutcome}
    assert EMBEDDED == "embedded"
    refused = [outcome for outcome in OUTCOMES if outcome != EMBEDDED]
    said = [remedy_of(outcome, lang) for outcome in refused for lang in ("en", "fr")]
    assert len(set(said)) == len(said)
    assert all(text.endswith(".") and len(text.split()) > 3 for text in said)
    for lang in ("en", "fr", "de"):
        assert [remedy_of(outcome, lang) for outcome in (EMBEDDED, "an outcome of a newer release")] == ["", ""]
    assert remedy_of(Outcome.NO_GRANT) == remedy_of(Outcome.NO_GRANT, "en") == remedy_of(Outcome.NO_GRANT, "de")
    assert "Demandez" in remedy_of(Outcome.NO_GRANT, "fr")


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ("foreign_blob", DeadOutcome.WRONG_BYTES),
        ("wrong_digest", DeadOutcome.WRONG_BYTES),
        ("producer_suspended", DeadOutcome.SUSPENDED),
        ("malformed", DeadOutcome.UNREADABLE_EVENT),
        ("a cause of a newer release", DeadOutcome.UNREADABLE_EVENT),
    ],
)
def test_a_dead_record_is_told_by_its_coarse_class(cause: str, outcome: DeadOutcome) -> None:
    assert dead_outcome_of(cause) is outcome


ROW = CoarseEvidence(kind=EvidenceKind.EXIF_GPS, connector=Connector.CAPTURE, jurisdictions=(CA_BC,), deny_weight=1, allow_weight=1)
FOUND = Finding(grant(revision=3), (CA_BC,), (ROW,), (RuleId("BC-2"),), DecisionRecord(at=NOW, operations=COLLECT))


def test_a_finding_is_refused_by_its_rules_and_what_was_seen_refuses_instead_of_them() -> None:
    by_rules, seen = Refusal.of(FOUND), Refusal.of(FOUND, observed=RuleId("robots_disallow"))
    assert (by_rules.rules, by_rules.decision) == (("BC-2",), FOUND.decision)
    assert seen.rules == ("robots_disallow",)
    assert seen.decision == DecisionRecord(at=NOW, operations=COLLECT, observed=(RuleId("robots_disallow"),))
    for refusal in (by_rules, seen):
        assert (refusal.grant_id, refusal.revision, refusal.candidates, refusal.evidence) == ("g-1", 3, (CA_BC,), (ROW,))
        assert refusal.sealed_place is None


def told(refusal: Refusal | None = None, **changes: Any) -> Event[ImageRefused]:
    asked: dict[str, Any] = {"stage": Stage.GEOFENCE, "cause_id": "c", "policy_version": "7", "datasets": ["ne10m"], "now": NOW}
    return refusal_event(Refused.of(SIGHTING), refusal or Refusal.of(FOUND), **(asked | changes))


def test_the_event_says_what_was_refused_by_whom_and_why() -> None:
    sealed = Refusal((RuleId("control_unproven"),), grant_id=GrantId("g-1"), sealed_place=b"sealed")
    event = told(traceparent="00-12-34-01")
    assert (event.source, event.time, event.traceparent, told().traceparent) == ("/assent/geofence", NOW, "00-12-34-01", None)
    assert event.data == ImageRefused(
        sighting_id=SIGHTING.sighting_id,
        image_id=SIGHTING.image_id,
        producer=SIGHTING.producer,
        grant_id=GrantId("g-1"),
        revision=3,
        stage=Stage.GEOFENCE,
        outcome="closed_place",
        rules=(RuleId("BC-2"),),
        candidates=(Jurisdiction("CA-BC"),),
        evidence=(ROW,),
        policy_version="7",
        datasets=("ne10m",),
        decided_at=NOW,
        decision=FOUND.decision,
    )
    assert (told(sealed).data.sealed_place, told(sealed).data.outcome, told(sealed).data.decision) == (b"sealed", "awaits_approval", None)


def test_the_same_refusal_again_is_the_same_event_and_any_other_is_another() -> None:
    """What is delivered twice must count once; what two grants, stages or policies say must not hide each other."""
    assert told().id == told(datasets=[], now=NOW.replace(hour=1)).id == "c9d64f92302e4726d37b27d69b9f916f"
    others = [
        told(stage=Stage.CONSENT),
        told(cause_id="d"),
        told(policy_version="8"),
        told(Refusal.of(FOUND, observed=RuleId("suppressed"))),
        told(Refusal((RuleId("BC-2"),), grant_id=GrantId("g-1"), revision=4)),
        told(Refusal((RuleId("BC-2"),), grant_id=GrantId("g-2"), revision=3)),
        told(Refusal((RuleId("BC-2"),))),
    ]
    assert len({told().id, *(other.id for other in others)}) == 1 + len(others)
    assert told(Refusal.of(FOUND, observed=RuleId("QC-3"))).id == told().id, "of one outcome"
