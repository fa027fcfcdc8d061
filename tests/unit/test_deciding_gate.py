"""The gate over a folded ledger: where a picture may be is asked for everybody in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.consent.asset import Asset
from assent.deciding.fold import DecisionFold
from assent.deciding.gate import COLLECT, DISCLOSURE, INGEST, Gate, NotReadyError
from assent.deciding.suppressions import Suppressions
from assent.events.evidence import EvidenceKind
from assent.events.grants import (
    BindingMode,
    FaceBinding,
    GrantSnapshot,
    GrantState,
    Operation,
    Purpose,
    Residence,
    SuppressionAdded,
)
from assent.events.images import SourceKind
from assent.events.optouts import SeenOptOut
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, GrantId, ImageId, Jurisdiction, RuleId, SubjectId
from assent.optouts.signal import ContentRight, SignalKind, SignalSource, SignalVerdict
from assent.testing.fake_clock import FakeClock
from tests.unit.grant_examples import CA_BC, NOW, folder, grant
from tests.unit.held_examples import Held
from tests.unit.policy_examples import policy_with, says, shipped


def test_the_places_of_everybody_in_a_joint_photo_count() -> None:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    fold.policy = shipped()
    joint = grant("g-1", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))
    elsewhere = (Residence(jurisdiction=Jurisdiction("CA-QC")),)
    for held in (joint, grant("g-2"), grant("g-3", subject_id=SubjectId("s-3"), residences=elsewhere)):
        fold.ledger.apply_grant(held)
    gate = Gate(fold, FakeClock(NOW))
    assert gate.locate(grant("g-2"), (), INGEST).rules == ()
    found = gate.locate(joint, (), INGEST)
    assert found.candidates == ("CA-BC", "CA-QC")
    assert "QC-3" in found.rules


HERS = Asset(SourceKind.WEB_PAGE, final_url="https://site.example/ada/1.jpg")
ANOTHERS = Asset(SourceKind.WEB_PAGE, final_url="https://site.example/eve/1.jpg")
QUEBEC = (Residence(jurisdiction=Jurisdiction("CA-QC")),)
END = grant().expires_at


def gate_over(*grants: GrantSnapshot, policy: Policy | None = None, **held: Any) -> Gate:
    holds = Held(policy=policy or shipped(), **held)
    for each in grants:
        holds.ledger.apply_grant(each)
    return Gate(holds, FakeClock(NOW))


def test_without_a_policy_the_gate_holds_and_does_not_refuse() -> None:
    gate = Gate(Held(policy=None), FakeClock(NOW))
    for ask in (
        lambda: gate.policy,
        lambda: gate.place((), COLLECT),
        lambda: gate.judge(GrantId("g-1"), COLLECT, candidates=(CA_BC,), asset=HERS),
        lambda: gate.verdict(GrantId("g-1"), COLLECT, candidates=(CA_BC,)),
    ):
        with pytest.raises(NotReadyError, match="no policy has been published yet"):
            ask()


def test_a_picture_is_covered_by_the_live_grants_that_name_it_at_the_time_that_is_asked_about() -> None:
    gate = gate_over(grant("g-2"), grant("g-1"), grant("g-3", state=GrantState.REVOKED), grant("g-4", expires_at=NOW))
    assert [each.grant_id for each in gate.covering(HERS)] == ["g-1", "g-2"]
    assert [each.grant_id for each in gate.covering(HERS, at=NOW - timedelta(seconds=1))] == ["g-1", "g-2", "g-4"]
    assert gate.covering(HERS, at=END) == []
    assert gate.covering(ANOTHERS) == []
    assert gate.live(GrantId("g-1")) == grant("g-1")
    assert gate.live(GrantId("g-4")) is None


def test_each_name_of_a_picture_that_must_not_come_back_is_asked_for_by_itself() -> None:
    gate, held = gate_over(), Suppressions()
    held.add(SuppressionAdded(suppression_key="key", added_at=NOW, image_id=ImageId("image"), perceptual_hash="0" * 64))
    suppressing = gate_over(suppressions=held)
    for each, is_found in ((gate, False), (suppressing, True)):
        assert each.is_suppressed("key") is is_found
        assert each.is_image_suppressed(ImageId("image")) is is_found
        assert each.is_alike_suppressed("0" * 64) is is_found
    assert not suppressing.is_suppressed("image")
    assert not suppressing.is_image_suppressed(ImageId("key"))
    assert not suppressing.is_alike_suppressed("f" * 64)


def test_where_something_is_and_what_closes_it_is_asked_for_every_operation_at_the_time_of_the_question() -> None:
    filing = {"rule": "QC-9", "reference": "r", "filed_on": "2026-06-02"}
    policy = policy_with(CA_BC={"with_grant": ["collect", "embed"], "filings": {"a": filing}})
    gate, held = gate_over(grant(), policy=policy), grant()
    found = gate.place((), (Operation.COLLECT, Operation.STORE), grant=held)
    assert (found.candidates, found.rules) == (("CA-BC",), ("BC-2", "QC-9"))
    assert [row.kind for row in found.evidence] == [EvidenceKind.GRANT_RESIDENCE]
    assert (found.decision.at, found.decision.operations, found.decision.grant) == (NOW, (Operation.COLLECT, Operation.STORE), None)
    later = gate.place((), COLLECT, grant=held, at=NOW + timedelta(days=1))
    assert (later.rules, later.decision.at) == ((), NOW + timedelta(days=1))
    assert gate.place((), COLLECT).candidates == (UNKNOWN,)


def test_evidence_stands_behind_the_residences_of_the_people_each_of_which_stands_once() -> None:
    joint = grant("g-1", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))
    gate = gate_over(joint, grant("g-2"), grant("g-3", subject_id=SubjectId("s-3"), residences=QUEBEC))
    found = gate.place((says(EvidenceKind.EXIF_GPS, "AU"),), COLLECT, grant=joint)
    assert [(row.kind, row.jurisdictions) for row in found.evidence] == [
        (EvidenceKind.GRANT_RESIDENCE, ("CA-BC",)),
        (EvidenceKind.GRANT_RESIDENCE, ("CA-QC",)),
        (EvidenceKind.EXIF_GPS, ("AU",)),
    ]


def test_what_is_located_is_so_for_every_covering_grant_with_how_it_stood_and_without_its_terms() -> None:
    elsewhere = grant("g-2", subject_id=SubjectId("s-2"), residences=QUEBEC)
    findings = gate_over(elsewhere, grant("g-1")).located(HERS, (), INGEST)
    assert [(each.grant.grant_id, each.candidates) for each in findings] == [("g-1", ("CA-BC",)), ("g-2", ("CA-QC",))]
    assert [each.rules for each in findings] == [(), ("QC-3",)]
    for each in findings:
        record = each.decision.grant
        assert record is not None
        assert (record.standing, record.terms) == ("live", None)
        assert record.source is not None
        assert (each.decision.at, each.decision.operations) == (NOW, INGEST)
    alone = gate_over(grant()).locate(grant(), (), COLLECT)
    assert alone.decision.grant is not None
    assert alone.decision.grant.source is None


def test_an_opt_out_refuses_each_grant_that_has_not_set_it_aside_and_stands_in_the_record() -> None:
    right = ContentRight.TDMREP
    no = SeenOptOut(kind=SignalKind(right.value), verdict=SignalVerdict.DENY, source=SignalSource.HEADER)
    rule = folder("https://site.example/ada/").model_copy(update={"overrides": (right,)})
    gate = gate_over(grant("g-1", sources=(rule,)), grant("g-2", subject_id=SubjectId("s-2")))
    for findings in (gate.located(HERS, (), INGEST, optouts=(no,)), gate.collectable(HERS, (), optouts=(no,))):
        assert [(each.grant.grant_id, each.rules) for each in findings] == [("g-1", ()), ("g-2", ("optout_signal",))]
        assert [each.decision.optouts for each in findings] == [(no,), (no,)]
    away = gate_over(grant(residences=QUEBEC)).located(HERS, (), INGEST, optouts=(no, no))
    assert [each.rules for each in away] == [("QC-3", "optout_signal")], "each once, and what closes the place beside it"
    judged = [gate.judge(GrantId(each), INGEST, candidates=(CA_BC,), asset=HERS, optouts=(no,)).rules for each in ("g-1", "g-2")]
    bound = [gate.judge_bound(GrantId(each), INGEST, candidates=(CA_BC,), asset=HERS, optouts=(no,)).rules for each in ("g-1", "g-2")]
    assert judged == bound == [(), ("optout_signal",)]


def test_a_judgement_is_written_as_its_record_is_whatever_came_of_it() -> None:
    no = SeenOptOut(kind=SignalKind.TDMREP, verdict=SignalVerdict.DENY, source=SignalSource.HEADER)
    rule = folder("https://site.example/ada/").model_copy(update={"overrides": (ContentRight.TDMREP,)})
    gate, overriding = gate_over(grant()), gate_over(grant(sources=(rule,)))
    plain, opted_out = (gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS, optouts=seen) for seen in ((), (no,)))
    aside = overriding.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS, optouts=(no,))
    faces = gate.judge_faces(plain, grant(), HERS, 1, candidates=(CA_BC,))
    assert (plain.rules, aside.rules, faces.rules, opted_out.rules) == ((), (), (), ("optout_signal",))
    refused = [gate.judge(GrantId(each), INGEST, candidates=(Jurisdiction("AU"),), asset=HERS) for each in ("g-1", "g-2")]
    seen_of_it = (plain.seen(RuleId("low_quality")), gate.refused_unasked(RuleId("image_unreadable")))
    for judged in (plain, aside, opted_out, faces, *refused, *seen_of_it):
        assert judged.grounds.json_of_yes() == judged.decision.to_json().decode()


def test_what_nobody_said_yes_to_is_refused_with_its_place() -> None:
    found = gate_over().uncovered((says(EvidenceKind.EXIF_GPS, "AU"),))
    assert (found.candidates, found.rules) == (("AU", UNKNOWN), ("AU-1", "X-1", "no_grant"))
    assert found.decision.operations == COLLECT


def test_the_crawler_hears_of_each_grant_both_what_closes_the_place_and_what_the_grant_withholds() -> None:
    narrow = grant("g-1", operations=(Operation.STORE,))
    away = grant("g-2", subject_id=SubjectId("s-2"), residences=QUEBEC)
    findings = gate_over(narrow, away).collectable(HERS, (says(EvidenceKind.EXIF_GPS, "CA-AB"),))
    assert [each.grant.grant_id for each in findings] == ["g-1", "g-2"]
    assert [each.candidates for each in findings] == [("CA-AB", "CA-BC"), ("CA-AB", "CA-QC")]
    assert "operation_not_granted" in findings[0].rules
    assert {"QC-3", "legal_form_missing"} <= set(findings[1].rules)
    assert [list(each.rules) for each in findings] == [sorted(each.rules) for each in findings]
    assert all(each.decision.grant is not None and each.decision.grant.terms is not None for each in findings)
    assert [row.kind for row in findings[0].evidence] == [EvidenceKind.GRANT_RESIDENCE, EvidenceKind.EXIF_GPS]


def test_a_judgement_is_of_one_grant_at_one_time_for_every_operation() -> None:
    gate = gate_over(grant())
    judged = gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS)
    assert (judged.rules, judged.opened, judged.decision.at, judged.decision.operations) == ((), grant(), NOW, INGEST)
    assert judged.decision.grant is not None
    ended = gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS, at=END)
    assert (ended.rules, ended.grant, ended.opened, ended.decision.at) == (("grant_expired",), None, None, END)
    refused = gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC, Jurisdiction("AU")), asset=HERS)
    assert (refused.grant, refused.opened) == (grant(), None)
    assert "AU-1" in refused.rules
    assert gate.judge(GrantId("g-1"), (Operation.COLLECT, Operation.DISCLOSE), candidates=(), asset=None).rules != ()
    narrow = gate_over(grant(operations=(Operation.COLLECT,)))
    assert narrow.judge(GrantId("g-1"), COLLECT, candidates=(CA_BC,), asset=HERS).rules == ()
    assert narrow.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS).rules == ("operation_not_granted",)
    with pytest.raises(ValueError, match="not enough values"):
        gate.judge(GrantId("g-1"), (), candidates=(CA_BC,), asset=HERS)


def test_what_was_seen_refuses_alone_and_stands_in_the_record() -> None:
    gate = gate_over(grant())
    seen = gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS).seen(RuleId("low_quality"))
    assert (seen.rules, seen.opened, seen.grant, seen.decision.observed) == (("low_quality",), None, grant(), ("low_quality",))
    unasked = gate.refused_unasked(RuleId("image_unreadable"))
    assert (unasked.grant, unasked.rules, unasked.decision.observed) == (None, ("image_unreadable",), ("image_unreadable",))
    assert (unasked.decision.at, unasked.decision.operations, unasked.decision.grant) == (NOW, (), None)


def test_the_embedder_hears_which_face_is_meant_only_where_the_grant_opens() -> None:
    unmarked = grant(sources=(folder("https://site.example/ada/", only_me=False),))
    judged = gate_over(unmarked).judge_bound(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS)
    assert judged.rules == ("bystander_possible",)
    closed = gate_over(unmarked).judge_bound(GrantId("g-1"), INGEST, candidates=(Jurisdiction("AU"),), asset=HERS)
    assert "AU-1" in closed.rules
    assert "bystander_possible" not in closed.rules
    assert gate_over(grant()).judge_bound(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS).opened == grant()


@pytest.mark.parametrize(("faces", "rules"), [(0, ("no_face",)), (1, ()), (2, ("several_faces",))])
def test_the_number_of_faces_is_asked_for_and_stands_in_the_record(faces: int, rules: tuple[str, ...]) -> None:
    gate = gate_over(grant())
    judged = gate.judge_bound(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS)
    counted = gate.judge_faces(judged, grant(), HERS, faces, candidates=(CA_BC,))
    assert (counted.rules, counted.decision.faces) == (rules, faces)
    held = gate.judge_faces(judged.seen(RuleId("low_quality")), grant(), HERS, 1, candidates=(CA_BC,))
    assert held.rules == ("low_quality",)


def test_one_place_that_wants_the_picture_dropped_is_enough() -> None:
    gate = gate_over()
    assert not gate.drops_image_with_bystanders((CA_BC,))
    assert gate.drops_image_with_bystanders((CA_BC, Jurisdiction("CA-AB")))


def test_the_verdict_of_a_search_asks_for_purpose_recipient_and_every_operation() -> None:
    gate = gate_over(grant(recipients=("org-x",)))

    def rules(operations: tuple[Operation, ...] = DISCLOSURE, **asked: Any) -> tuple[str, ...]:
        return gate.verdict(GrantId("g-1"), operations, candidates=(CA_BC,), **asked).rules

    assert rules() == rules(purpose=Purpose.VERIFY) == rules(recipient="org-x") == rules(asset=HERS) == ()
    assert rules(purpose=Purpose.GALLERY_SEARCH) == ("purpose_not_allowed",)
    assert rules(recipient="org-y") == ("recipient_not_listed",)
    assert rules(asset=ANOTHERS) == ("source_not_covered",)
    narrow = gate_over(grant(operations=(Operation.SEARCH,)))
    assert narrow.verdict(GrantId("g-1"), (Operation.SEARCH,), candidates=(CA_BC,)).is_allowed
    assert not narrow.verdict(GrantId("g-1"), DISCLOSURE, candidates=(CA_BC,)).is_allowed
    assert "X-1" in gate.verdict(GrantId("g-1"), DISCLOSURE, candidates=()).rules
    with pytest.raises(ValueError, match="not enough values"):
        rules(())


@pytest.mark.parametrize("missing", [Operation.COLLECT, Operation.EMBED, Operation.STORE])
def test_taking_a_picture_in_asks_for_each_of_its_operations(missing: Operation) -> None:
    gate = gate_over(grant(operations=tuple(operation for operation in Operation if operation is not missing)))
    assert gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS).rules == ("operation_not_granted",)
    assert gate.verdict(GrantId("g-1"), DISCLOSURE, candidates=(CA_BC,)).is_allowed


@pytest.mark.parametrize("missing", [Operation.SEARCH, Operation.DISCLOSE])
def test_telling_of_a_face_asks_for_each_of_its_operations(missing: Operation) -> None:
    gate = gate_over(grant(operations=tuple(operation for operation in Operation if operation is not missing)))
    assert gate.verdict(GrantId("g-1"), DISCLOSURE, candidates=(CA_BC,)).rules == ("operation_not_granted",)
    assert gate.judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS).rules == ()


class TickingClock:
    """A second later at every look."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        self._at += timedelta(seconds=1)
        return self._at

    def monotonic(self) -> float:
        return 0.0


def test_every_question_is_judged_at_one_time_however_long_it_takes() -> None:
    """A grant that ends while its picture is being looked at was live for the whole of the question."""
    last = END - timedelta(seconds=1)

    def gate() -> Gate:
        holds = Held()
        holds.ledger.apply_grant(grant())
        return Gate(holds, TickingClock(last - timedelta(seconds=1)))

    for findings in (gate().located(HERS, (), INGEST), gate().collectable(HERS, ())):
        assert [(each.rules, each.decision.at) for each in findings] == [((), last)]
        assert all(each.decision.grant is not None and each.decision.grant.standing == "live" for each in findings)
    assert gate().locate(grant(), (), COLLECT, at=NOW).decision.at == NOW
    judged = gate().judge(GrantId("g-1"), INGEST, candidates=(CA_BC,), asset=HERS)
    assert (judged.rules, judged.decision.at) == ((), last)
    filing = {"rule": "QC-9", "reference": "r", "filed_on": "2026-06-02"}
    opening = Held(policy=policy_with(CA_BC={"filings": {"a": filing}}))
    opening.ledger.apply_grant(grant())
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    (found,) = Gate(opening, TickingClock(midnight - timedelta(seconds=2))).collectable(HERS, ())
    assert found.rules == ("QC-9",)
    running_out = Held(policy=policy_with(CA_BC={"order_received": {"issued": "2026-05-31", "comply_days": 1}}))
    running_out.ledger.apply_grant(grant())
    (found,) = Gate(running_out, TickingClock(midnight - timedelta(seconds=2))).collectable(HERS, ())
    assert found.rules == ()
