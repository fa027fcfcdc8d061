"""What holds everywhere: the unknown, bystanders, the probe, an end, the floor of forbidden purposes, and what each entry names."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.consent.asset import Asset
from assent.consent.binding import JointFaces, MarkedFaces, SingleFace, Unbound, bind, faces_rule
from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.deciding.fold import DecisionFold
from assent.deciding.gate import Gate
from assent.events.faces import FaceBox
from assent.events.grants import (
    BindingMode,
    FaceBinding,
    FaceRegion,
    GrantSnapshot,
    GrantWithdrawn,
    Operation,
    Purpose,
    SourceKindRule,
    SourceRule,
    SuppressionAdded,
)
from assent.events.images import SourceKind
from assent.geofence.caller import client_gate
from assent.geofence.policy import Policy, PolicyError
from assent.ids import UNKNOWN, GrantId, Jurisdiction, RuleId, SubjectId
from assent.testing.fake_clock import FakeClock
from services.query.question import PURPOSES, Basis
from services.registry.grant_rules import LiveMember
from tests.unit.grant_examples import NOW, grant
from tests.unit.policy_examples import EVERY_OPERATION, places, policy_with, shipped
from tests.unit.request_examples import asked, refused
from tests.unit.rule_tables import PLACES, least_grant, opened, rules_of

FLOOR = {"sale", "advertising", "emotion", "ethnicity", "mass_identification"}
DIGEST = "a" * 64
BOX = FaceBox(x=0.1, y=0.1, width=0.2, height=0.2)


@pytest.mark.parametrize("place", ["", "unknown", "XX", "CANADA", "ca-bc", "CA_BC", UNKNOWN])
def test_x_1_what_nobody_knows_is_closed_and_stays_so(place: str) -> None:
    assert shipped().rules_for(Jurisdiction(place)) == shipped().unknown
    assert rules_of(least_grant(UNKNOWN), operation=Operation.SEARCH) == ("X-1",)
    assert client_gate([], basis="verify", policy=opened(), now=NOW) == "X-1"


def test_x_2_a_verdict_comes_from_the_ledger_and_never_from_a_record() -> None:
    """Whatever an event says of consent: only what the registry's own records say of this grant counts."""
    assert set(Request._fields) == {"operation", "candidates", "now", "asset", "purpose", "recipient", "also", "optouts"}
    assert rules_of(None, "CA-BC") == ("no_grant",)


def bound(mode: str, *, kind: str = "url_prefix", only_me: bool = False, **binding: Any) -> GrantSnapshot:
    value = {"url_prefix": "https://site.example/ada/", "asset_sha256": DIGEST}[kind]
    rule = SourceRule(kind=SourceKindRule(kind), value=value, only_me=only_me)
    return grant(sources=(rule,), binding=FaceBinding(mode=BindingMode(mode), **binding))


PHOTO = Asset(SourceKind.WEB_PAGE, final_url="https://site.example/ada/1.jpg", sha256=DIGEST)
MARKED: dict[str, Any] = {"regions": (FaceRegion(asset_sha256=DIGEST, box=BOX),)}
BINDINGS = [
    (bound("single_face"), Unbound(RuleId("bystander_possible"))),
    (bound("single_face", only_me=True), SingleFace()),
    (bound("single_face", kind="asset_sha256"), SingleFace()),
    (bound("single_face", **MARKED), MarkedFaces((BOX,))),
    (bound("region"), Unbound(RuleId("bystander_possible"))),
    (bound("region", kind="asset_sha256"), Unbound(RuleId("region_not_found"))),
    (bound("region", **MARKED), MarkedFaces((BOX,))),
    (bound("region", only_me=True), SingleFace()),
    (bound("reference_match", only_me=True), Unbound(RuleId("not_supported"))),
    (bound("joint", member_grants=("a", "b")), Unbound(RuleId("bystander_possible"))),
    (bound("joint", only_me=True, member_grants=("a", "b")), JointFaces(2)),
    (bound("joint", kind="asset_sha256", member_grants=("a", "b", "c")), JointFaces(3)),
    (bound("single_face", kind="asset_sha256", regions=(FaceRegion(asset_sha256="b" * 64, box=BOX),)), SingleFace()),
    (grant(sources=(SourceRule(kind=SourceKindRule.ASSET_SHA256, value="b" * 64),)), Unbound(RuleId("source_not_covered"))),
]


@pytest.mark.parametrize(("held", "wanted"), BINDINGS)
def test_x_3_which_face_a_grant_means_is_told_by_the_grant_alone(held: GrantSnapshot, wanted: object) -> None:
    assert bind(held, PHOTO) == wanted


@pytest.mark.parametrize(
    ("binding", "faces", "drops", "rule"),
    [
        (SingleFace(), 0, False, "no_face"),
        (SingleFace(), 1, True, None),
        (SingleFace(), 2, False, "several_faces"),
        (JointFaces(2), 0, False, "no_face"),
        (JointFaces(2), 1, True, None),
        (JointFaces(2), 2, True, None),
        (JointFaces(2), 3, False, "bystander_present"),
        (MarkedFaces((BOX,)), 0, False, "no_face"),
        (MarkedFaces((BOX,)), 1, True, None),
        (MarkedFaces((BOX,)), 2, True, "bystander_present"),
        (MarkedFaces((BOX,)), 2, False, None),
        (Unbound(RuleId("bystander_possible")), 1, False, "bystander_possible"),
        (Unbound(RuleId("not_supported")), 0, False, "not_supported"),
    ],
)
def test_x_3_who_else_is_in_the_picture(
    binding: SingleFace | JointFaces | MarkedFaces | Unbound, faces: int, drops: bool, rule: str | None
) -> None:
    assert faces_rule(binding, faces, drops_image_with_bystanders=drops) == rule


@pytest.mark.parametrize("place", PLACES)
def test_x_3_only_british_columbia_keeps_a_picture_with_bystanders_for_its_marked_face(place: str) -> None:
    judge = gate(opened())
    assert judge.drops_image_with_bystanders([Jurisdiction(place)]) is (place != "CA-BC")
    assert judge.drops_image_with_bystanders([Jurisdiction("CA-BC"), Jurisdiction(place)]) is (place != "CA-BC")


MEMBERS = {
    GrantId("a"): LiveMember(SubjectId("s-1"), BindingMode.SINGLE_FACE),
    GrantId("b"): LiveMember(SubjectId("s-2"), BindingMode.REGION),
    GrantId("c"): LiveMember(SubjectId("s-3"), BindingMode.JOINT),
    GrantId("d"): LiveMember(SubjectId("s-1"), BindingMode.REGION),
    GrantId("e"): LiveMember(SubjectId("s-4"), BindingMode.SINGLE_FACE),
}


@pytest.mark.parametrize(
    ("binding", "wanted"),
    [
        ({"mode": "joint", "member_grants": ["a", "b"]}, []),
        ({"mode": "joint", "member_grants": ["a"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["a", "a"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["a", "b", "a"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": []}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["a", "c"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["a", "z"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["a", "d"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["a", "b", "d"]}, ["X-3"]),
        ({"mode": "joint", "member_grants": ["b", "e"]}, ["X-3"]),
        ({"mode": "single_face", "member_grants": ["a", "b"]}, ["X-3"]),
        ({"mode": "region"}, []),
        ({"mode": "reference_match"}, ["not_supported"]),
        (
            {"mode": "region", "regions": [{"asset_sha256": DIGEST, "box": {"x": 0.9, "y": 0, "width": 0.2, "height": 1}}]},
            ["region_not_found"],
        ),
        ({"mode": "region", "regions": [{"asset_sha256": DIGEST, "box": {"x": 0.8, "y": 0, "width": 0.2, "height": 1}}]}, []),
    ],
)
def test_x_3_a_joint_grant_lists_the_living_grant_of_everybody(binding: dict[str, Any], wanted: list[str]) -> None:
    assert refused(asked(face_binding=binding), members=MEMBERS) == wanted


def test_x_4_a_picture_is_looked_at_on_three_grounds_each_with_one_purpose() -> None:
    assert {basis.value: purpose.value for basis, purpose in PURPOSES.items()} == {
        "self": "self_search",
        "verify": "verify",
        "gallery": "gallery_search",
    }
    assert set(PURPOSES) == set(Basis)
    assert {rules.probe for rules in (*shipped().jurisdictions.values(), shipped().unknown)} == {"self_or_grant"}
    assert {rules.transient_match for rules in (*shipped().jurisdictions.values(), shipped().unknown)} == {"denied"}
    with pytest.raises(PolicyError, match="transient_match"):
        policy_with(CA_BC={"transient_match": "audited"})


@pytest.mark.parametrize("operation", list(Operation))
def test_x_5_and_x_7_after_an_end_nothing_is_open_whatever_comes_later(operation: Operation) -> None:
    ledger = ConsentLedger()
    ledger.apply_grant(least_grant("CA-BC"))
    request = Request(operation=operation, candidates=places("CA-BC"), now=NOW)
    assert allow(GrantId("g-1"), request, ledger=ledger, policy=shipped()).is_allowed
    ledger.apply_withdrawal(GrantWithdrawn(grant_id=GrantId("g-1"), withdrawn_at=NOW))
    ledger.apply_grant(least_grant("CA-BC", revision=9))
    assert allow(GrantId("g-1"), request, ledger=ledger, policy=shipped()).rules == ("grant_withdrawn",)


def test_x_8_what_must_not_come_back_is_known_by_a_keyed_digest_and_no_face() -> None:
    assert set(SuppressionAdded.model_fields) == {"suppression_key", "kind", "added_at", "image_id", "perceptual_hash"}
    judge, fold = gate_and_fold(shipped())
    fold.suppressions.add(SuppressionAdded(suppression_key="k-1", added_at=NOW))
    assert judge.is_suppressed("k-1")
    assert not judge.is_suppressed("k-2")


@pytest.mark.parametrize("use", sorted(FLOOR))
def test_x_9_the_floor_is_forbidden_everywhere_and_no_file_takes_it_away(use: str) -> None:
    for rules in (*shipped().jurisdictions.values(), shipped().unknown):
        assert use in rules.purposes_forbid
    for place in ("CA_BC", "US_IL", "EU"):
        assert use in policy_with(**{place: {"purposes": {"forbid": []}}}).rules_for(Jurisdiction(place.replace("_", "-"))).purposes_forbid
    forbidding = policy_with(CA_BC={"purposes": {"forbid": ["verify"]}})
    held = least_grant("CA-BC")
    assert rules_of(held, "CA-BC", operation=Operation.SEARCH, purpose=Purpose.VERIFY, policy=forbidding) == ("X-9",)
    assert rules_of(held, "CA-BC", operation=Operation.SEARCH, purpose=Purpose.SELF_SEARCH, policy=forbidding) == ()


NAMED: dict[str, tuple[list[str], str | None]] = {
    "CA-BC": (["PIPA-BC", "Order P21-08"], "OIPC-BC"),
    "CA-AB": (["PIPA-AB", "Order P2021-12"], "OIPC-AB"),
    "CA-QC": (["P-39.1", "LCCJTI 44-45", "CAI 1023158-S"], "CAI"),
    "CA": (["PIPEDA"], "OPC"),
    "US-IL": (["BIPA"], None),
    "US-TX": (["CUBI 503.001"], None),
    "EU": (["GDPR", "AI Act 5(1)(e)"], None),
    "GB": (["UK-GDPR", "ICO enforcement notice 2022"], "ICO"),
    "AU": (["Privacy Act 1988", "2021 AICmr 54", "2023 AATA 1069"], "OAIC"),
}


def test_each_entry_names_its_law_its_authority_and_the_kept_minimum() -> None:
    assert {place: (list(rules.law), rules.authority) for place, rules in shipped().jurisdictions.items()} == NAMED
    assert shipped().unknown.law == ("unknown",)
    for place, rules in shipped().jurisdictions.items():
        assert (rules.retention.max_days, rules.retention.after_purpose_days) == (1095, 365 if place == "US-TX" else 0)
        assert rules.purposes_allow == {"self_search", "verify", "gallery_search"}
        assert rules.status == "in_force"


def gate_and_fold(policy: Policy) -> tuple[Gate, DecisionFold]:
    public = Ed25519PrivateKey.generate().public_key()
    fold = DecisionFold(policy_key=public, grant_key=public)
    fold.policy = policy
    return Gate(fold, FakeClock(NOW)), fold


def gate(policy: Policy) -> Gate:
    return gate_and_fold(policy)[0]


def test_every_operation_is_among_those_an_entry_can_open() -> None:
    assert {operation.value for operation in Operation} == set(EVERY_OPERATION)
