"""Replay of decisions about pictures of several people: how the own grant of each names the picture is judged again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import INGEST, Gate
from assent.deciding.recorded import recorded_decisions
from assent.deciding.refusals import Refusal
from assent.deciding.replay import replay
from assent.deciding.suppressions import Suppressions
from assent.events.grants import BindingMode, FaceBinding, SourceRule
from assent.events.images import Stage
from assent.ids import GrantId, Jurisdiction, RuleId, SubjectId
from assent.testing.fake_clock import FakeClock
from tests.unit.decision_cases import ASSET, EVERYWHERE, GRANT, MEMBERS, Held, refused
from tests.unit.grant_examples import NOW, folder
from tests.unit.policy_examples import shipped


@pytest.mark.parametrize(
    ("sources", "rules"),
    [
        (EVERYWHERE.sources, ()),
        ((folder("https://site.example/eve/"),), (RuleId("source_not_covered"),)),
        ((folder("https://site.example/ada/", control_until=None),), (RuleId("control_unproven"),)),
    ],
    ids=["names it", "names another", "names it without proof"],
)
@pytest.mark.parametrize("stage", [Stage.CRAWLER, Stage.CONSENT, Stage.EMBEDDER])
@pytest.mark.parametrize("joint_id", [GRANT, GrantId("z-1")], ids=["before its members by its id", "behind them"])
def test_how_the_grant_of_each_person_names_the_picture_is_judged_again(
    joint_id: GrantId, stage: Stage, sources: tuple[SourceRule, ...], rules: tuple[RuleId, ...]
) -> None:
    ledger, places = ConsentLedger(), (Jurisdiction("CA-BC"),)
    joint = FaceBinding(mode=BindingMode.JOINT, member_grants=MEMBERS)
    ledger.apply_grant(EVERYWHERE.model_copy(update={"grant_id": joint_id, "binding": joint}))
    ledger.apply_grant(EVERYWHERE.model_copy(update={"grant_id": MEMBERS[0]}))
    ledger.apply_grant(EVERYWHERE.model_copy(update={"grant_id": MEMBERS[1], "subject_id": SubjectId("s-2"), "sources": sources}))
    gate = Gate(Held(ledger, shipped(), Suppressions()), FakeClock(NOW))
    if stage is Stage.CRAWLER:
        found = next(each for each in gate.collectable(ASSET, ()) if each.grant.grant_id == joint_id)
        assert found.rules == rules
        refusal = replace(Refusal.of(found), rules=rules or (RuleId("none"),))
    else:
        judged = gate.judge_bound(joint_id, INGEST, candidates=places, asset=ASSET)
        assert judged.rules == rules
        told = judged if rules else gate.judge_faces(judged, EVERYWHERE, ASSET, 1, candidates=places)
        refusal = Refusal(rules or (RuleId("none"),), grant_id=joint_id, revision=1, candidates=places, decision=told.decision)
    (as_refused,) = recorded_decisions(refused(gate, stage, refusal))
    decision = replace(as_refused, rules=rules)
    assert replay(decision, shipped()).is_same(decision)
