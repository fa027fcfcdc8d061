"""Replay: what the gates tell comes out the same, what was changed comes out otherwise, and what cannot be made again says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.consent.ledger import ConsentLedger, Standing
from assent.deciding.gate import INGEST, Gate
from assent.deciding.recorded import RecordedDecision, recorded_decisions
from assent.deciding.refusals import Refusal
from assent.deciding.replay import OBSERVED, NotReplayable, NotReplayableError, Replayed, replay
from assent.deciding.rule_texts import RULES
from assent.deciding.suppressions import Suppressions
from assent.events.decisions import DecisionRecord, JudgedGrant
from assent.events.disclosures import SearchAnswered
from assent.events.envelope import Event, decode
from assent.events.evidence import EvidenceKind
from assent.events.grants import (
    AgeBand,
    BindingMode,
    FaceBinding,
    GrantSnapshot,
    GrantState,
    Operation,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import Stage
from assent.events.optouts import SeenOptOut
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, GrantId, Jurisdiction, QueryId, RuleId, SubjectId
from assent.optouts.signal import SignalKind, SignalSource, SignalVerdict
from assent.testing.fake_clock import FakeClock
from tests.unit.decision_cases import ASSET, EVERYWHERE, GRANT, MEMBERS, POLICIES, Held, Made, made, refused
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import says, shipped
from tests.unit.test_golden_events import EXAMPLES, record_of

pytestmark = pytest.mark.timeout(400)
SETTINGS: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
NO = SeenOptOut(kind=SignalKind.TDMREP, verdict=SignalVerdict.DENY, source=SignalSource.HEADER)
MADE_BY_ALL = {
    (stage, end)
    for stage in (Stage.CRAWLER, Stage.GEOFENCE, Stage.CONSENT, Stage.EMBEDDER, Stage.INDEXER)
    for end in ("yes", "no", "seen")
    # The crawler and the indexer tell no event of a yes; the others see nothing.
    if (stage, end) not in {(Stage.CRAWLER, "yes"), (Stage.INDEXER, "yes"), (Stage.GEOFENCE, "seen"), (Stage.CONSENT, "seen")}
}


def decisions_of(case: Made) -> list[RecordedDecision]:
    return [decision for event in case.events for decision in recorded_decisions(event)]


def test_what_the_gates_tell_replays_to_the_same_answer() -> None:
    """Thousands of them, of every stage, with every end that the stage can tell."""
    found: Counter[tuple[Stage, str]] = Counter()

    @settings(max_examples=2_500, **SETTINGS)
    @given(made())
    def holds(case: Made) -> None:
        for decision in decisions_of(case):
            again = replay(decision, case.policy)
            assert again.is_same(decision), again
            found[decision.stage, "yes" if decision.is_yes else "seen" if again.is_observed else "no"] += 1

    holds()
    assert found.keys() == MADE_BY_ALL, found


@settings(max_examples=400, **SETTINGS)
@given(made(), st.data())
def test_another_verdict_is_always_seen(case: Made, data: st.DataObject) -> None:
    for decision in decisions_of(case):
        others = [(), (RuleId("X-1"),), (*decision.rules, RuleId("zz")), decision.rules[1:]]
        told = replace(decision, rules=data.draw(st.sampled_from([rules for rules in others if rules != decision.rules])))
        if told.stage is Stage.EMBEDDER and told.is_yes and told.record is not None and told.record.faces is None:
            with pytest.raises(NotReplayableError):
                replay(told, case.policy)
        else:
            assert not replay(told, case.policy).is_same(told)


@settings(max_examples=400, **SETTINGS)
@given(made(), st.data())
def test_a_candidate_that_was_removed_or_added_is_seen_where_the_places_were_found(case: Made, data: st.DataObject) -> None:
    for decision in decisions_of(case):
        if decision.stage not in (Stage.CRAWLER, Stage.GEOFENCE) or not decision.candidates:
            continue
        removed = data.draw(st.sampled_from(decision.candidates))
        fewer = replace(decision, candidates=tuple(place for place in decision.candidates if place != removed))
        more = replace(decision, candidates=(*decision.candidates, Jurisdiction("ZZ")))
        assert not replay(fewer, case.policy).is_same(fewer)
        assert not replay(more, case.policy).is_same(more)


@settings(max_examples=400, **SETTINGS)
@given(made(), st.data())
def test_another_standing_is_always_seen(case: Made, data: st.DataObject) -> None:
    for decision in decisions_of(case):
        if decision.record is None or decision.record.grant is None:
            continue
        held = decision.record.grant
        standing = data.draw(st.sampled_from([standing.value for standing in Standing if standing != held.standing]))
        told = changed(decision, grant=held.model_copy(update={"standing": standing}))
        assert not replay(told, case.policy).is_same(told)


def changed(decision: RecordedDecision, **changes: Any) -> RecordedDecision:
    assert decision.record is not None
    return replace(decision, record=decision.record.model_copy(update=changes))


def gate_over(policy: Policy, held: GrantSnapshot = EVERYWHERE) -> Gate:
    ledger = ConsentLedger()
    ledger.apply_grant(held)
    return Gate(Held(ledger, policy, Suppressions()), FakeClock(NOW))


def in_quebec(policy: Policy) -> RecordedDecision:
    """A picture taken there, of somebody who lives in British Columbia, as the geofence tells of it."""
    (found,) = gate_over(policy).located(ASSET, [says(EvidenceKind.EXIF_GPS, "CA-QC")], INGEST)
    event = refused(gate_over(policy), Stage.GEOFENCE, replace(Refusal.of(found), rules=found.rules or (RuleId("QC-2"),)))
    (decision,) = recorded_decisions(event)
    return decision


def judged(policy: Policy, *places: str, held: GrantSnapshot = EVERYWHERE) -> RecordedDecision:
    """What the consent filter tells."""
    candidates = tuple(Jurisdiction(place) for place in places)
    told = gate_over(policy, held).judge(GRANT, INGEST, candidates=candidates, asset=ASSET)
    refusal = Refusal(told.rules or (RuleId("none"),), grant_id=GRANT, revision=1, candidates=candidates, decision=told.decision)
    (decision,) = recorded_decisions(refused(gate_over(policy), Stage.CONSENT, refusal))
    return replace(decision, rules=told.rules)


@pytest.mark.parametrize("band", list(AgeBand))
def test_a_guardian_counts_again_where_she_counted(band: AgeBand) -> None:
    """Two fields that only matter together, which chance seldom brings together."""
    for guardian in (False, True):
        decision = judged(shipped(), "CA-BC", held=EVERYWHERE.model_copy(update={"age_band": band, "guardian": guardian}))
        is_cured = guardian and band in (AgeBand.MINOR_14_17, AgeBand.MINOR_UNDER_14)
        assert decision.is_yes is (is_cured or band is AgeBand.ADULT)
        assert replay(decision, shipped()).is_same(decision)


def test_another_policy_is_seen() -> None:
    closed, filed = POLICIES[0], POLICIES[1]
    decision = in_quebec(closed)
    assert replay(decision, closed).is_same(decision)
    again = replay(decision, filed)
    assert (again.rules, again.is_same(decision)) == ((), False)


CHANGES: dict[str, Callable[[DecisionRecord], DecisionRecord]] = {
    "a time after the end of the grant": lambda record: record.model_copy(update={"at": EVERYWHERE.expires_at}),
    "a withdrawal that was known": lambda record: with_grant(record, withdrawn_at=NOW),
    "a grant that could not be read": lambda record: with_grant(record, is_readable=False),
    "evidence of a fixture": lambda record: with_grant(record, is_fixture=True),
    "no source that names it": lambda record: with_grant(record, source=None),
    "an age that nobody knows": lambda record: with_terms(record, age_band="unknown"),
    "a form left out": lambda record: with_terms(record, forms=()),
    "an operation left out": lambda record: with_terms(record, operations=("collect",)),
    "a reach left out": lambda record: with_terms(record, store_in=()),
    "a purpose that is not allowed there": lambda record: with_terms(record, purposes=("self_search",)),
    "a last sign long ago": lambda record: with_terms(record, last_interaction_at="2020-01-01T00:00:00Z"),
    "a grant that nobody knew": lambda record: record.model_copy(update={"grant": JudgedGrant(standing="live")}),
}


def with_grant(record: DecisionRecord, **changes: Any) -> DecisionRecord:
    assert record.grant is not None
    return record.model_copy(update={"grant": record.grant.model_copy(update=changes)})


def with_terms(record: DecisionRecord, **changes: Any) -> DecisionRecord:
    assert record.grant is not None
    assert record.grant.terms is not None
    terms = type(record.grant.terms).model_validate(record.grant.terms.model_dump() | changes)
    return with_grant(record, terms=terms)


@pytest.mark.parametrize("name", CHANGES)
def test_each_fact_that_is_changed_is_seen(name: str) -> None:
    """A yes of the consent filter in a place that allows one purpose alone; then something else is said of what it read."""
    decision = judged(POLICIES[3], "CA-AB")
    assert decision.is_yes
    assert replay(decision, POLICIES[3]).is_same(decision)
    assert decision.record is not None
    told = replace(decision, record=CHANGES[name](decision.record))
    assert not replay(told, POLICIES[3]).is_same(told)


def test_a_rule_of_law_cannot_pass_as_something_that_was_seen() -> None:
    decision = judged(shipped(), "CA-BC")
    told = changed(replace(decision, rules=(RuleId("QC-3"),)), observed=(RuleId("QC-3"),))
    assert replay(told, shipped()).rules == ()
    assert not replay(told, shipped()).is_same(told)
    for stage, seen in OBSERVED.items():
        assert not [rule for rule in seen if "-" in rule], stage


def test_what_was_seen_needs_a_gate_that_opened() -> None:
    """Refused as an opt-out although the grant had ended: the record contradicts itself."""
    decision = in_quebec(shipped())
    told = changed(replace(decision, stage=Stage.CRAWLER, rules=(RuleId("optout_signal"),)), observed=(RuleId("optout_signal"),))
    assert not replay(told, shipped()).is_same(told)


OLD = [
    path
    for path in EXAMPLES
    if path.parent.name in ("images.refused.v1", "images.located.v1", "images.cleared.v1", "faces.embedded.v1")
    and '"decision"' not in path.read_text()
]


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_decisions_of_releases_that_recorded_too_little_say_so(path: Path) -> None:
    decisions = list(recorded_decisions(decode(record_of(path))))
    assert decisions
    for decision in decisions:
        with pytest.raises(NotReplayableError) as error:
            replay(decision, shipped())
        assert error.value.reason is NotReplayable.NO_RECORD


def test_without_its_policy_nothing_is_replayed() -> None:
    with pytest.raises(NotReplayableError) as error:
        replay(in_quebec(shipped()), None)
    assert error.value.reason is NotReplayable.NO_POLICY


NOT_WHOLE: dict[str, Callable[[RecordedDecision], RecordedDecision]] = {
    "a snapshot without its times": lambda told: changed(told, grant=JudgedGrant(standing="live", revision=1, state=GrantState.GIVEN)),
    "a judgement of no grant": lambda told: changed(told, grant=None),
    "a grant without its id": lambda told: replace(told, grant_id=None),
    "nothing asked and nothing seen": lambda told: changed(told, operations=()),
    "a stage that decides nothing": lambda told: replace(told, stage=Stage.INTAKE),
    "a yes of the embedder without a number of faces": lambda told: replace(told, stage=Stage.EMBEDDER, rules=()),
}


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_a_record_that_is_not_whole_is_no_answer(name: str) -> None:
    with pytest.raises(NotReplayableError) as error:
        replay(NOT_WHOLE[name](judged(shipped(), "CA-BC")), shipped())
    assert error.value.reason is NotReplayable.NOT_WHOLE


def search(*places: str, basis: str = "gallery", rules: tuple[str, ...] = ()) -> RecordedDecision:
    told = SearchAnswered(
        query_id=QueryId("q"),
        basis=basis,
        purpose="gallery_search",
        caller="desk",
        caller_jurisdictions=tuple(Jurisdiction(place) for place in places),
        outcome="refused" if rules else "answered",
        rules=tuple(RuleId(rule) for rule in rules),
        policy_version=shipped().version,
        answered_at=NOW,
    )
    (decision,) = recorded_decisions(Event("q", "/assent/query", NOW, told))
    return decision


@pytest.mark.parametrize(
    ("decision", "is_same"),
    [
        (search("CA-BC", rules=("BC-1",)), True),
        (search("CA-BC", rules=("AB-1",)), False),
        (search("CA-BC"), False),
        (search("CA-BC", basis="self"), True),
        (search(UNKNOWN, rules=("X-1",)), True),
    ],
)
def test_whether_a_caller_is_served_is_replayed(decision: RecordedDecision, is_same: bool) -> None:
    assert replay(decision, shipped()).is_same(decision) is is_same


def test_a_search_that_does_not_say_its_basis_is_not_replayed() -> None:
    with pytest.raises(NotReplayableError, match="not_whole"):
        replay(replace(search("CA-BC"), basis=None), shipped())


def test_a_search_says_whom_it_answered_and_no_grant() -> None:
    told = search("CA-BC", "FR", rules=("BC-1",))
    assert (told.event_id, told.stage, told.at, told.policy_version) == ("q", Stage.QUERY, NOW, shipped().version)
    assert (told.rules, told.candidates, told.basis, told.is_yes) == (("BC-1",), ("CA-BC", "FR"), "gallery", False)
    assert (told.grant_id, told.evidence, told.record, told.image_id, search("FR").is_yes) == (None, None, None, None, True)


def test_each_thing_that_was_told_has_to_be_the_same() -> None:
    decision = in_quebec(shipped())
    again = replay(decision, shipped())
    assert again.is_same(decision)
    assert not again.is_observed
    for other in (
        replace(again, rules=()),
        replace(again, candidates=again.candidates[:1]),
        replace(again, evidence=None),
        replace(again, standing=None),
        replace(again, standing=Standing.WITHDRAWN.value),
    ):
        assert not other.is_same(decision)
    assert not again.is_same(changed(decision, grant=None))
    assert not again.is_same(replace(decision, record=None))
    without = Replayed(again.rules, again.candidates, again.evidence, None)
    assert without.is_same(replace(decision, record=None))
    assert without.is_same(changed(decision, grant=None))


OF_BYTES = {"image_unreadable", "image_too_large", "quarantine_expired"}
OF_FACES = {"region_not_found", "low_quality", "faces_overlap", "not_the_subject", "reference_missing"}
SEEN: dict[Stage, set[str]] = {
    Stage.CRAWLER: {"robots_disallow", "optout_signal", "fetch_failed", "suppressed", *OF_BYTES},
    Stage.GEOFENCE: {"quarantine_expired", "suppressed"},
    Stage.CONSENT: set(),
    Stage.EMBEDDER: {"grant_withdrawn", "suppressed", "optout_signal", "place_told_later", *OF_BYTES, *OF_FACES},
    Stage.INDEXER: {"grant_withdrawn", "source_not_covered", "suppressed", "optout_signal", "place_told_later", "retention_over"},
}


@pytest.mark.parametrize("stage", SEEN)
def test_a_stage_may_have_seen_what_a_replay_cannot_look_at_again_and_nothing_else(stage: Stage) -> None:
    decision = changed(replace(judged(shipped(), "CA-BC"), stage=stage), faces=1)
    if stage in (Stage.CRAWLER, Stage.GEOFENCE):
        (found,) = gate_over(shipped()).located(ASSET, [], INGEST)
        assert not found.rules
        decision = replace(decision, candidates=found.candidates, evidence=found.evidence)
    assert not replay(decision, shipped()).is_observed, "a yes of which nothing was seen"
    for rule in sorted(RULES | {rule for rules in SEEN.values() for rule in rules}):
        told = changed(replace(decision, rules=(RuleId(rule),)), observed=(RuleId(rule),), faces=None)
        again = replay(told, shipped())
        assert again.is_observed is again.is_same(told) is (rule in SEEN[stage]), rule


def test_a_claimed_residence_is_no_residence() -> None:
    """A row of that kind behind the grant's own is somebody's claim: it was unreadable when it was weighed, and stays so."""
    decision = in_quebec(shipped())
    assert decision.evidence is not None
    without = replace(decision, evidence=decision.evidence[1:])
    assert not replay(without, shipped()).is_same(without)
    places = [row.jurisdictions for row in replay(without, shipped()).evidence or ()]
    assert places == [(UNKNOWN,), ("CA-QC",)], "none is made of the picture's"
    told = replace(decision, stage=Stage.GEOFENCE, grant_id=None, rules=(RuleId("no_grant"),))
    assert replay(changed(told, grant=None), shipped()).standing is None


def test_what_was_seen_before_any_grant_was_asked_is_taken_from_the_record() -> None:
    unasked = gate_over(shipped()).refused_unasked(RuleId("image_unreadable"))
    refusal = Refusal(unasked.rules, grant_id=GRANT, revision=1, decision=unasked.decision)
    (decision,) = recorded_decisions(refused(gate_over(shipped()), Stage.EMBEDDER, refusal))
    again = replay(decision, shipped())
    assert (again.is_same(decision), again.is_observed, again.rules) == (True, True, ("image_unreadable",))


def test_what_no_grant_covers_is_refused_again_and_for_the_crawler_that_alone_is_the_reason() -> None:
    elsewhere = EVERYWHERE.model_copy(update={"sources": (SourceRule(kind=SourceKindRule.ACCOUNT, value="eve@host.example"),)})
    gate = gate_over(shipped(), elsewhere)
    nobody = gate.uncovered([says(EvidenceKind.EXIF_GPS, "AU")])
    assert nobody.rules == ("AU-1", "X-1", "no_grant")
    placed = Refusal(nobody.rules, candidates=nobody.candidates, evidence=nobody.evidence, decision=nobody.decision)
    fetched_by_nobody = replace(placed, rules=(RuleId("no_grant"),))
    of_an_earlier_release = Refusal((RuleId("no_grant"),), decision=nobody.decision)
    told = ((Stage.GEOFENCE, placed), (Stage.CRAWLER, fetched_by_nobody), (Stage.CRAWLER, of_an_earlier_release))
    for stage, refusal in told:
        (decision,) = recorded_decisions(refused(gate, stage, refusal))
        again = replay(decision, shipped())
        assert (again.is_same(decision), again.rules, again.is_observed) == (True, refusal.rules, False)
    (decision,) = recorded_decisions(refused(gate, Stage.CRAWLER, fetched_by_nobody))
    elsewhere_told = replace(decision, candidates=(Jurisdiction("FR"),))
    assert not replay(elsewhere_told, shipped()).is_same(elsewhere_told), "its places are found again, not taken from the record"
    (nowhere,) = recorded_decisions(refused(gate, Stage.GEOFENCE, of_an_earlier_release))
    assert not replay(nowhere, shipped()).is_same(nowhere), "the geofence always said where"


def test_a_stored_face_is_judged_again_without_a_picture_beside_it() -> None:
    gate = gate_over(shipped())
    for place, seen in (("CA-BC", RuleId("suppressed")), ("AU", None)):
        judged = gate.judge(GRANT, (Operation.STORE,), candidates=(Jurisdiction(place),), asset=None)
        told = judged if seen is None else judged.seen(seen)
        refusal = Refusal(told.rules, grant_id=GRANT, revision=1, candidates=(Jurisdiction(place),), decision=told.decision)
        (decision,) = recorded_decisions(refused(gate, Stage.INDEXER, refusal))
        again = replay(decision, shipped())
        assert (again.is_same(decision), again.is_observed) == (True, seen is not None)


@pytest.mark.parametrize(
    ("faces", "optouts", "rules"),
    [
        (None, (), ()),
        (None, (NO,), ("optout_signal",)),
        (1, (), ()),
        (1, (NO,), ("optout_signal",)),
        (0, (), ("no_face",)),
        (2, (), ("several_faces",)),
    ],
)
def test_opt_outs_and_the_number_of_faces_are_judged_again(
    faces: int | None, optouts: tuple[SeenOptOut, ...], rules: tuple[str, ...]
) -> None:
    """Without a number of faces by the consent filter and, where it refused before it counted, by the embedder too."""
    gate, places = gate_over(shipped()), (Jurisdiction("CA-BC"),)
    told = gate.judge_bound(GRANT, INGEST, candidates=places, asset=ASSET, optouts=optouts)
    if faces is not None:
        told = gate.judge_faces(told, EVERYWHERE, ASSET, faces, candidates=places)
    assert told.rules == rules
    for stage in [Stage.CONSENT] * (faces is None) + [Stage.EMBEDDER] * (faces is not None or bool(rules)):
        refusal = Refusal(told.rules or (RuleId("none"),), grant_id=GRANT, revision=1, candidates=places, decision=told.decision)
        (as_refused,) = recorded_decisions(refused(gate, stage, refusal))
        decision = replace(as_refused, rules=told.rules)
        assert replay(decision, shipped()).is_same(decision)


@pytest.mark.parametrize("stage", [Stage.CRAWLER, Stage.GEOFENCE])
@pytest.mark.parametrize("optouts", [(), (NO,)], ids=["nothing seen", "an opt-out"])
@pytest.mark.parametrize("operations", [tuple(Operation), (Operation.STORE,)], ids=["every operation", "storing alone"])
def test_what_a_stage_that_finds_the_places_told_is_told_again(
    stage: Stage, optouts: tuple[SeenOptOut, ...], operations: tuple[Operation, ...]
) -> None:
    """The crawler asks what the grant opens as well; both ask which opt-outs it has set aside."""
    gate = gate_over(shipped(), EVERYWHERE.model_copy(update={"operations": operations}))
    seen = [says(EvidenceKind.EXIF_GPS, "CA-AB")]
    is_crawler = stage is Stage.CRAWLER
    (found,) = gate.collectable(ASSET, seen, optouts=optouts) if is_crawler else gate.located(ASSET, seen, INGEST, optouts=optouts)
    assert ("operation_not_granted" in found.rules) == (is_crawler and Operation.COLLECT not in operations)
    assert ("optout_signal" in found.rules) == bool(optouts)
    (told,) = recorded_decisions(refused(gate, stage, replace(Refusal.of(found), rules=found.rules or (RuleId("none"),))))
    decision = replace(told, rules=found.rules)
    again = replay(decision, shipped())
    assert (again.is_same(decision), again.is_observed) == (True, False)


@pytest.mark.parametrize(
    "residences",
    [
        ("CA-BC", "CA-BC", "CA-BC"),
        ("CA-BC", "CA-QC", "CA-QC"),
        ("CA-BC", "CA-QC", "CA-AB"),
        ("CA-BC CA-QC", "CA-QC CA-BC", "CA-AB"),
        (UNKNOWN, f"CA-BC {UNKNOWN}", UNKNOWN),
        (f"CA-BC {UNKNOWN}", "CA-BC", f"CA-AB {UNKNOWN}"),
    ],
)
def test_the_places_of_everybody_in_a_joint_photo_are_found_again(residences: tuple[str, str, str]) -> None:
    """Each residence stands once in the evidence, a place that nobody knows too; what stands behind them was seen of the picture."""
    ledger = ConsentLedger()
    joint = FaceBinding(mode=BindingMode.JOINT, member_grants=MEMBERS)
    for person, (grant_id, told) in enumerate(zip((GRANT, *MEMBERS), residences, strict=True)):
        fields = {
            "grant_id": grant_id,
            "subject_id": SubjectId(f"s-{max(person, 1)}"),
            "residences": tuple(Residence(jurisdiction=Jurisdiction(place)) for place in told.split()),
        }
        ledger.apply_grant(EVERYWHERE.model_copy(update=fields if person else fields | {"binding": joint}))
    gate = Gate(Held(ledger, shipped(), Suppressions()), FakeClock(NOW))
    found = gate.located(ASSET, [says(EvidenceKind.EXIF_GPS, "FR")], INGEST)[0]
    assert found.grant.grant_id == GRANT
    assert len([row for row in found.evidence if row.kind is EvidenceKind.EXIF_GPS]) == 1
    (as_refused,) = recorded_decisions(refused(gate, Stage.GEOFENCE, replace(Refusal.of(found), rules=(RuleId("X-1"),))))
    decision = replace(as_refused, rules=found.rules)
    assert replay(decision, shipped()).is_same(decision)
    without = replace(decision, evidence=decision.evidence[:-1] if decision.evidence else ())
    assert not replay(without, shipped()).is_same(without)


def test_whose_grant_it_was_does_not_matter() -> None:
    """The stand-in is built from the record alone."""
    decision = replace(judged(shipped(), "CA-BC"), grant_id=GrantId("somebody else's"))
    assert replay(decision, shipped()).is_same(decision)
