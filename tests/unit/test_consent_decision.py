"""Whether one grant opens one operation: every rule that refuses by name, and no event or place that turns no into yes."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.consent.asset import Asset
from assent.consent.decision import Request, Verdict, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
    FaceBinding,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    GrantWithdrawn,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import SourceKind
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, GrantId, Jurisdiction, SubjectId
from tests.unit.grant_examples import NOTICE, NOW, folder, grant
from tests.unit.policy_examples import places, policy_with, shipped

GRANT = GrantId("g-1")
COVERED = Asset(SourceKind.WEB_PAGE, final_url="https://site.example/ada/1.jpg")
FIELDS = ("collected_or_stored", "specific_purpose", "length_of_term")
OPEN = ("CA-BC", "CA-AB", "US-IL")
CLOSED = ("CA-QC", "CA-ON", "FR", "GB", "AU", "NZ", UNKNOWN)


def basis(place: str, **changes: Any) -> LegalBasis:
    fields: dict[str, Any] = {
        "jurisdiction": Jurisdiction(place),
        "form": ConsentForm.WRITTEN_RELEASE,
        "signature": "e_signature",
        "alternative_offered": True,
        "notice_fields": FIELDS,
        "evidence_count": 1,
        "notice_sha256": NOTICE,
    }
    return LegalBasis(**(fields | changes))


def wide(*codes: str, **changes: Any) -> GrantSnapshot:
    """A grant that names these places in scope and legal form."""
    named = tuple(Jurisdiction(code) for code in codes)
    scope = GeographicScope(collect_in=named, store_in=named, disclose_in=named)
    fields: dict[str, Any] = {"scope": scope, "legal": tuple(basis(code) for code in codes)}
    return grant(**(fields | changes))


def verdict(held: GrantSnapshot, *codes: str, policy: Policy | None = None, ledger: ConsentLedger | None = None, **changes: Any) -> Verdict:
    if ledger is None:
        ledger = ConsentLedger()
        ledger.apply_grant(held)
    request = Request(operation=Operation.COLLECT, candidates=places(*codes), now=NOW, asset=COVERED)
    return allow(GRANT, request._replace(**changes), ledger=ledger, policy=policy or shipped())


@pytest.mark.parametrize("operation", list(Operation))
def test_a_resident_of_british_columbia_with_an_express_grant_passes(operation: Operation) -> None:
    legal = (basis("CA-BC", form=ConsentForm.EXPRESS, signature=None, notice_fields=()),)
    assert verdict(grant(legal=legal), "CA-BC", operation=operation, purpose=Purpose.SELF_SEARCH) == Verdict(())


@pytest.mark.parametrize("codes", [("CA-BC",), ("CA-AB",), ("US-IL",), OPEN])
def test_a_grant_in_the_form_of_every_candidate_passes(codes: tuple[str, ...]) -> None:
    assert verdict(wide(*OPEN), *codes).is_allowed


def test_no_answer_outlives_its_policy_its_grant_or_the_grants_end() -> None:
    """What is told once per policy is told anew by the next one; nothing at all is kept per grant."""
    ledger, opened = ConsentLedger(), shipped()
    ledger.apply_grant(grant())
    shut = policy_with(CA_BC={"with_grant": []})
    dated = policy_with(CA_BC={"filings": {"notice": {"rule": "CA-9", "reference": "r-1", "filed_on": NOW.date(), "lead_days": 1}}})

    def rules(policy: Policy, **changes: Any) -> tuple[str, ...]:
        return verdict(grant(), "CA-BC", policy=policy, ledger=ledger, **changes).rules

    assert rules(opened) == ()
    assert rules(shut) != ()
    assert rules(dated) == ("CA-9",)
    assert rules(dated, now=NOW + timedelta(days=1)) == ()
    assert rules(opened) == ()
    ledger.apply_grant(grant(revision=2, operations=(Operation.STORE,)))
    assert rules(opened) == ("operation_not_granted",)
    ledger.apply_grant(grant(revision=3))
    assert rules(opened) == ()
    ledger.apply_withdrawal(GrantWithdrawn(grant_id=GRANT, withdrawn_at=NOW))
    assert rules(opened) == ("grant_withdrawn",)


STANDING = [
    ({"state": GrantState.REQUESTED}, "grant_not_live"),
    ({"state": GrantState.REVOKED}, "grant_not_live"),
    ({"confirmed_at": None}, "grant_not_live"),
    ({"not_before": NOW + timedelta(seconds=1)}, "grant_not_live"),
    ({"expires_at": NOW}, "grant_expired"),
    ({"evidence_kinds": ("demo_fixture",)}, "fixture_evidence"),
]


@pytest.mark.parametrize(("change", "rule"), STANDING)
def test_a_grant_that_does_not_stand_is_refused_under_that_rule_alone(change: dict[str, Any], rule: str) -> None:
    assert verdict(grant(**change), "CA-BC").rules == (rule,)


def test_no_grant_an_unreadable_one_and_a_withdrawn_one_are_refused() -> None:
    ledger = ConsentLedger()
    assert verdict(grant(), "CA-BC", ledger=ledger).rules == ("no_grant",)
    ledger.apply_grant(grant())
    ledger.deny(GRANT)
    assert verdict(grant(), "CA-BC", ledger=ledger).rules == ("grant_unreadable",)
    ledger.apply_withdrawal(GrantWithdrawn(grant_id=GRANT, withdrawn_at=NOW))
    assert verdict(grant(), "CA-BC", ledger=ledger).rules == ("grant_withdrawn",)


TERMS: list[tuple[GrantSnapshot, dict[str, Any], str]] = [
    (grant(operations=(Operation.STORE,)), {}, "operation_not_granted"),
    (grant(), {"asset": Asset(SourceKind.WEB_PAGE, final_url="https://site.example/eve/1.jpg")}, "source_not_covered"),
    (grant(), {"asset": Asset(SourceKind.WEB_PAGE)}, "source_not_covered"),
    (grant(), {"purpose": Purpose.GALLERY_SEARCH}, "purpose_not_allowed"),
    (grant(), {"recipient": "org-x"}, "recipient_not_listed"),
    (grant(scope=GeographicScope(collect_in=(), store_in=(), disclose_in=())), {}, "scope_not_granted"),
    (grant(legal=()), {}, "legal_form_missing"),
    (grant(legal=(basis("CA-AB"),)), {}, "legal_form_missing"),
    (grant(legal=(basis("CA-BC", explicit=False),)), {}, "CA-2"),
    (grant(legal=(basis("CA-BC", evidence_count=0),)), {}, "EU-1"),
    (grant(legal=(basis("CA-BC", notice_sha256=None),)), {}, "EU-8"),
    (grant(age_band=AgeBand.UNKNOWN), {}, "CA-6"),
    (grant(not_before=NOW - timedelta(days=400), expires_at=NOW + timedelta(days=400)), {}, "QC-7"),
    (grant(last_interaction_at=NOW - timedelta(days=1096)), {}, "IL-1"),
]


@pytest.mark.parametrize(("held", "asked", "rule"), TERMS)
def test_each_term_that_is_missing_refuses_under_its_own_rule(held: GrantSnapshot, asked: dict[str, Any], rule: str) -> None:
    assert verdict(held, "CA-BC", **asked).rules == (rule,)


MEMBERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"operations": (Operation.STORE,)}, {}, "operation_not_granted"),
    ({"purposes": (Purpose.VERIFY,)}, {"purpose": Purpose.SELF_SEARCH}, "purpose_not_allowed"),
    ({"recipients": ()}, {"recipient": "org-x"}, "recipient_not_listed"),
    ({"residences": (Residence(jurisdiction=Jurisdiction("CA-QC")),)}, {}, "QC-3"),
    ({"residences": (Residence(jurisdiction=UNKNOWN),)}, {}, "X-1"),
    ({"legal": (basis("CA-BC", explicit=False),)}, {}, "CA-2"),
    ({"age_band": AgeBand.MINOR_14_17}, {}, "CA-6"),
    ({"last_interaction_at": NOW - timedelta(days=1096)}, {}, "IL-1"),
    ({"state": GrantState.REVOKED}, {}, "grant_not_live"),
    ({"sources": (SourceRule(kind=SourceKindRule.UPLOAD, value="g-3"),)}, {}, "source_not_covered"),
    ({"sources": (folder("https://site.example/ada/private/"),)}, {}, "source_not_covered"),
    ({"sources": (SourceRule(kind=SourceKindRule.ASSET_SHA256, value="a" * 64),)}, {}, "source_not_covered"),
    ({"sources": (folder("https://site.example/ada/", control_until=None),)}, {}, "control_unproven"),
    ({"sources": (folder("https://site.example/ada/", control_until=NOW),)}, {}, "control_unproven"),
]


@pytest.mark.parametrize(("change", "asked", "rule"), MEMBERS)
def test_a_joint_grant_opens_no_more_than_the_grant_of_each_member(change: dict[str, Any], asked: dict[str, Any], rule: str) -> None:
    """What one of them withholds is withheld, wherever she lives, and so is a picture that no source of hers names."""

    def held(change: dict[str, Any], **asked: Any) -> Verdict:
        ledger, both = ConsentLedger(), FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))
        ledger.apply_grant(grant("g-1", binding=both, recipients=("org-x",)))
        ledger.apply_grant(grant("g-2", recipients=("org-x",)))
        ledger.apply_grant(grant("g-3", subject_id=SubjectId("s-3"), **{"recipients": ("org-x",)} | change))
        return verdict(grant(), "CA-BC", ledger=ledger, **asked)

    assert held({}, **asked).is_allowed
    assert rule in held(change, **asked).rules
    if "sources" in change:
        assert held(change, asset=None).is_allowed, "of a stored face no picture is at hand"


DIGEST = SourceRule(kind=SourceKindRule.ASSET_SHA256, value="a" * 64)


def upload(grant_id: str) -> SourceRule:
    return SourceRule(kind=SourceKindRule.UPLOAD, value=grant_id)


@pytest.mark.parametrize(
    ("holder", "other", "sent_under", "is_open"),
    [
        (upload("g-2"), DIGEST, "g-1", True),
        (DIGEST, DIGEST, "g-1", True),
        (upload("g-2"), upload("g-3"), "g-1", False),
        (folder("https://site.example/ada/"), DIGEST, "g-1", False),
        (upload("g-2"), DIGEST, "g-2", False),
        (upload("g-2"), DIGEST, "g-3", False),
    ],
    ids=[
        "the holder sends, the other names the file",
        "both name the file",
        "the other sends photos herself and did not send this one",
        "the holder takes no photos of her own",
        "sent under the holder's own grant",
        "sent under the other's own grant",
    ],
)
def test_a_photo_sent_in_under_a_joint_grant_is_its_holders_and_the_others_name_its_very_bytes(
    holder: SourceRule, other: SourceRule, sent_under: str, is_open: bool
) -> None:
    ledger, both = ConsentLedger(), FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))
    ledger.apply_grant(grant("g-1", binding=both, sources=(upload("g-1"),)))
    ledger.apply_grant(grant("g-2", sources=(holder,)))
    ledger.apply_grant(grant("g-3", subject_id=SubjectId("s-3"), sources=(other,)))
    sent = Asset(SourceKind.UPLOAD, sha256="a" * 64, upload_grant_id=GrantId(sent_under))
    assert verdict(grant(), "CA-BC", ledger=ledger, asset=sent).rules == (() if is_open else ("source_not_covered",))


@pytest.mark.parametrize(
    ("place", "change", "rule"),
    [
        ("CA-AB", {"form": ConsentForm.EXPLICIT}, "legal_form_missing"),
        ("CA-AB", {"alternative_offered": False}, "QC-7"),
        ("US-IL", {"signature": None}, "IL-3"),
        ("US-IL", {"signature": "vc"}, "IL-3"),
        *[("US-IL", {"notice_fields": tuple(name for name in FIELDS if name != left_out)}, "IL-2") for left_out in FIELDS],
        ("US-IL", {"form": ConsentForm.EXPRESS}, "legal_form_missing"),
    ],
)
def test_each_place_asks_for_its_own_form(place: str, change: dict[str, Any], rule: str) -> None:
    assert verdict(wide(place, legal=(basis(place, **change),)), place).rules == (rule,)


@pytest.mark.parametrize(
    ("place", "rule"),
    [("CA-QC", "QC-3"), ("CA-ON", "CA-1"), ("FR", "EU-10"), ("GB", "UK-1"), ("AU", "AU-1"), ("NZ", "X-1"), (UNKNOWN, "X-1")],
)
def test_no_grant_opens_a_closed_place(place: str, rule: str) -> None:
    assert verdict(wide("CA-BC", place), "CA-BC", place).rules == (rule,)


def test_no_candidate_counts_as_unknown() -> None:
    assert "X-1" in verdict(wide("CA-BC", UNKNOWN)).rules


@pytest.mark.parametrize(
    ("missing", "refused"),
    [
        ("collect_in", {Operation.COLLECT}),
        ("store_in", {Operation.EMBED, Operation.STORE}),
        ("disclose_in", {Operation.SEARCH, Operation.DISCLOSE}),
    ],
)
def test_each_scope_governs_its_own_operations(missing: str, refused: set[Operation]) -> None:
    held = grant(scope=grant().scope.model_copy(update={missing: ()}))
    assert {each for each in Operation if verdict(held, "CA-BC", operation=each).rules == ("scope_not_granted",)} == refused
    assert {each for each in Operation if verdict(held, "CA-BC", operation=each).is_allowed} == set(Operation) - refused


def test_ca_4_and_x_9_judge_the_purpose_apart_from_the_grant() -> None:
    narrow = policy_with(CA_BC={"purposes": {"allow": ["verify"]}})
    assert verdict(grant(), "CA-BC", policy=narrow, purpose=Purpose.SELF_SEARCH).rules == ("CA-4",)
    assert verdict(grant(), "CA-BC", policy=narrow, purpose=Purpose.VERIFY).is_allowed
    assert verdict(grant(), "CA-BC", policy=narrow).is_allowed
    forbidding = policy_with(CA_BC={"purposes": {"forbid": ["self_search"]}})
    assert verdict(grant(), "CA-BC", policy=forbidding, purpose=Purpose.SELF_SEARCH).rules == ("X-9",)


@pytest.mark.parametrize(
    ("band", "guardian", "age_min", "guardian_below", "is_refused"),
    [
        (AgeBand.ADULT, False, 19, 19, False),
        (AgeBand.UNKNOWN, True, 13, 13, True),
        (AgeBand.MINOR_14_17, False, 18, 18, True),
        (AgeBand.MINOR_14_17, True, 18, 18, False),
        (AgeBand.MINOR_14_17, True, 18, 14, True),
        (AgeBand.MINOR_14_17, True, 18, 16, True),
        (AgeBand.MINOR_14_17, True, 16, 16, False),
        (AgeBand.MINOR_14_17, False, 16, 16, True),
        (AgeBand.MINOR_14_17, False, 14, 14, False),
        (AgeBand.MINOR_UNDER_14, True, 18, 14, False),
        (AgeBand.MINOR_UNDER_14, True, 13, 13, False),
        (AgeBand.MINOR_UNDER_14, True, 18, 13, True),
        (AgeBand.MINOR_UNDER_14, False, 13, 13, True),
        (AgeBand.MINOR_UNDER_14, False, 1, 1, True),
        (AgeBand.MINOR_14_17, False, 15, 15, True),
        (AgeBand.MINOR_14_17, True, 19, 18, False),
    ],
)
def test_ca_6_a_guardian_cures_only_below_the_age_the_place_says(
    band: AgeBand, guardian: bool, age_min: int, guardian_below: int, is_refused: bool
) -> None:
    policy = policy_with(CA_BC={"consent": {"age_min": age_min, "guardian_below": guardian_below}})
    assert verdict(grant(age_band=band, guardian=guardian), "CA-BC", policy=policy).rules == (("CA-6",) if is_refused else ())


@pytest.mark.parametrize(
    ("needed", "given"), [("alternative_offered", {"alternative_offered": False}), ("notice_sha256", {"notice_sha256": None})]
)
def test_what_a_place_does_not_ask_for_it_does_not_miss(needed: str, given: dict[str, Any]) -> None:
    held = grant(legal=(basis("CA-BC", **given),))
    assert not verdict(held, "CA-BC").is_allowed
    assert verdict(held, "CA-BC", policy=policy_with(CA_BC={"consent": {needed: False}})).is_allowed


def test_an_end_is_an_end_to_the_second() -> None:
    assert verdict(grant(), "CA-BC", now=grant().expires_at - timedelta(seconds=1)).is_allowed
    assert verdict(grant(), "CA-BC", now=grant().expires_at).rules == ("grant_expired",)


def test_a_term_and_a_last_sign_may_be_as_long_as_the_place_allows() -> None:
    rules = shipped().rules_for(Jurisdiction("CA-BC")).consent
    last = grant(last_interaction_at=NOW - rules.last_interaction_cap)
    assert verdict(last, "CA-BC").is_allowed
    assert verdict(last, "CA-BC", now=NOW + timedelta(microseconds=1)).rules == ("IL-1",)
    since = NOW - timedelta(days=1)
    assert verdict(grant(not_before=since, expires_at=since + rules.longest_validity), "CA-BC").is_allowed
    longer = grant(not_before=since, expires_at=since + rules.longest_validity + timedelta(microseconds=1))
    assert verdict(longer, "CA-BC").rules == ("QC-7",)


CANDIDATES = st.sets(st.sampled_from([*OPEN, *CLOSED]), min_size=1)
Step = GrantSnapshot | GrantWithdrawn | GrantId
STEPS: list[Step] = [
    wide(*OPEN),
    wide(*OPEN, recipients=("org-x",)),
    wide(*OPEN, revision=2),
    wide("CA-BC", revision=3),
    wide(*OPEN, revision=4, state=GrantState.REVOKED),
    GrantWithdrawn(grant_id=GRANT, withdrawn_at=NOW),
    GRANT,
]


def folded(steps: list[Step]) -> ConsentLedger:
    """The ledger of these events; a grant id alone is a record of it that could not be read."""
    ledger = ConsentLedger()
    for step in steps:
        match step:
            case GrantSnapshot():
                ledger.apply_grant(step)
            case GrantWithdrawn():
                ledger.apply_withdrawal(step)
            case _:
                ledger.deny(step)
    return ledger


@given(CANDIDATES, st.sampled_from([*OPEN, *CLOSED]), st.sampled_from(list(Operation)))
def test_another_candidate_never_turns_no_into_yes(codes: set[str], more: str, operation: Operation) -> None:
    before = verdict(wide(*OPEN), *codes, operation=operation)
    after = verdict(wide(*OPEN), *codes, more, operation=operation)
    assert set(before.rules) <= set(after.rules)
    assert before.is_allowed is (codes <= set(OPEN))


@given(CANDIDATES, st.lists(st.sampled_from(STEPS), max_size=6), st.sampled_from(STEPS[-2:]))
def test_a_denial_or_withdrawal_always_ends_in_no(codes: set[str], steps: list[Step], end: Step) -> None:
    for position in range(len(steps) + 1):
        ledger = folded([*steps[:position], end, *steps[position:]])
        assert not verdict(grant(), *codes, ledger=ledger).is_allowed


@pytest.mark.parametrize(
    ("steps", "rules"),
    [
        (STEPS[0:1] + STEPS[2:3], ()),
        (STEPS[0:4], ("grant_unreadable",)),
        (STEPS[0:1] + STEPS[2:5], ("grant_not_live",)),
        (STEPS[2:4] + STEPS[6:], ("grant_unreadable",)),
        (STEPS[0:4] + STEPS[5:6], ("grant_withdrawn",)),
    ],
)
def test_every_order_of_the_same_events_has_the_same_verdict(steps: list[Step], rules: tuple[str, ...]) -> None:
    """Two snapshots of one revision deny the grant, whether the next revision was read before or after the second."""
    assert {verdict(grant(), "CA-BC", ledger=folded(list(order))).rules for order in permutations(steps)} == {rules}


@given(st.sets(st.sampled_from(range(len(STEPS)))), st.data())
def test_order_and_repetition_of_events_do_not_matter(chosen: set[int], data: st.DataObject) -> None:
    once = [STEPS[index] for index in sorted(chosen)]
    twice = [STEPS[index] for index in data.draw(st.permutations([*chosen, *chosen]))]
    assert verdict(grant(), "CA-BC", ledger=folded(twice)) == verdict(grant(), "CA-BC", ledger=folded(once))


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_a_grant_is_open_within_its_time_alone(shift: timedelta) -> None:
    held, now = grant(), NOW + shift
    assert verdict(held, "CA-BC", now=now).is_allowed is (held.not_before <= now < held.expires_at)


@given(
    st.lists(st.sampled_from(list(Operation)), min_size=1, max_size=4),
    st.sets(st.sampled_from([*OPEN, *CLOSED]), max_size=3),
    st.sets(st.sampled_from(list(Operation)), min_size=1),
    st.sampled_from([*Purpose, None]),
)
def test_several_operations_at_once_are_refused_by_what_refuses_any(
    asked: list[Operation], codes: set[str], granted: set[Operation], purpose: Purpose | None
) -> None:
    held = wide("CA-BC", "US-IL", "CA-QC", operations=tuple(sorted(granted)))
    at_once = verdict(held, *codes, operation=asked[0], also=tuple(asked[1:]), purpose=purpose)
    one_by_one = [verdict(held, *codes, operation=operation, purpose=purpose) for operation in asked]
    assert set(at_once.rules) == {rule for found in one_by_one for rule in found.rules}
