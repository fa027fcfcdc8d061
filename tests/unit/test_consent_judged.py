"""What is written down of a grant: enough to decide again from that alone, field by field and person by person, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from assent.consent.asset import Asset
from assent.consent.binding import JointFaces, MarkedFaces, SingleFace, Unbound, bind
from assent.consent.decision import Request, Verdict, allow, stand
from assent.consent.judged import STAND_IN_ASSET, judged_grant, marked_in, stand_in_ledger
from assent.consent.ledger import ConsentLedger, Standing
from assent.events.decisions import JudgedGrant, MemberSource
from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
    FaceBinding,
    FaceRegion,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    GrantWithdrawn,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, GrantId, Jurisdiction, SubjectId
from tests.unit.decision_cases import ASSET, EVERYWHERE, GRANT, SHA, SOURCES, WHOLE
from tests.unit.grant_examples import CA_BC, NOW, folder
from tests.unit.policy_examples import policy_with, shipped

REQUEST = Request(Operation.COLLECT, frozenset({CA_BC}), NOW, ASSET, also=(Operation.EMBED,))
ILLINOIS = Jurisdiction("US-IL")
JOINT = EVERYWHERE.model_copy(update={"binding": FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))})
NARROW = policy_with(CA_BC={"purposes": {"allow": ["self_search"]}})


def ledger_of(*grants: GrantSnapshot, accepts_fixtures: bool = False) -> ConsentLedger:
    ledger = ConsentLedger(accepts_fixtures=accepts_fixtures)
    for each in grants:
        ledger.apply_grant(each)
    return ledger


def with_members(**change: Any) -> ConsentLedger:
    """A joint grant of two people, of whom the second gave with this change."""
    first = EVERYWHERE.model_copy(update={"grant_id": GrantId("g-2")})
    second = EVERYWHERE.model_copy(update={"grant_id": GrantId("g-3"), "subject_id": SubjectId("s-3")} | change)
    return ledger_of(JOINT, first, second)


def told(ledger: ConsentLedger, request: Request = REQUEST, *, has_terms: bool = True) -> JudgedGrant:
    """The record, as it is read again from the log."""
    found = stand(GRANT, request, ledger=ledger)
    record = judged_grant(found, request.candidates, marked_in(found.live, request.asset), has_terms=has_terms)
    return JudgedGrant.model_validate_json(record.model_dump_json())


def again(ledger: ConsentLedger, request: Request, policy: Policy) -> Verdict:
    stand_in = stand_in_ledger(told(ledger, request), GrantId("another"))
    asset = None if request.asset is None else STAND_IN_ASSET
    return allow(GrantId("another"), request._replace(asset=asset), ledger=stand_in, policy=policy)


def form(**change: Any) -> dict[str, Any]:
    return {"legal": tuple(basis.model_copy(update=change) for basis in EVERYWHERE.legal)}


WITHHELD: dict[str, tuple[dict[str, Any], str]] = {
    "a form that is less": (form(form=ConsentForm.EXPRESS), "legal_form_missing"),
    "no explicit yes": (form(explicit=False), "CA-2"),
    "no signature": (form(signature=None), "IL-3"),
    "no alternative": (form(alternative_offered=False), "QC-7"),
    "a notice that left something out": (form(notice_fields=()), "IL-2"),
    "nothing that shows it": (form(evidence_count=0), "EU-1"),
    "no notice on record": (form(notice_sha256=None), "EU-8"),
    "no form for the place": ({"legal": ()}, "legal_form_missing"),
    "another operation": ({"operations": (Operation.STORE,)}, "operation_not_granted"),
    "no reach to collect": ({"scope": EVERYWHERE.scope.model_copy(update={"collect_in": ()})}, "scope_not_granted"),
    "no reach to store": ({"scope": EVERYWHERE.scope.model_copy(update={"store_in": ()})}, "scope_not_granted"),
    "an age that nobody knows": ({"age_band": AgeBand.UNKNOWN}, "CA-6"),
    "a longer time than is allowed": ({"not_before": NOW - timedelta(days=1500), "expires_at": NOW + timedelta(days=1500)}, "QC-7"),
    "a beginning long ago": ({"not_before": NOW - timedelta(days=700)}, "QC-7"),
    "an end long hence": ({"expires_at": NOW + timedelta(days=700)}, "QC-7"),
    "another picture": ({"sources": (folder("https://site.example/eve/"),)}, "source_not_covered"),
    "a folder that nobody showed to be hers": (
        {"sources": (folder("https://site.example/ada/", control_until=None),)},
        "control_unproven",
    ),
    "a last sign long ago": ({"last_interaction_at": NOW - timedelta(days=1500)}, "IL-1"),
}
PLACES = frozenset({CA_BC, ILLINOIS, Jurisdiction("CA-AB")})


@pytest.mark.parametrize("name", WITHHELD)
def test_what_one_grant_withheld_is_withheld_again(name: str) -> None:
    change, rule = WITHHELD[name]
    ledger, request = ledger_of(EVERYWHERE.model_copy(update=change)), REQUEST._replace(candidates=PLACES)
    first = allow(GRANT, request, ledger=ledger, policy=shipped())
    assert rule in first.rules
    assert again(ledger, request, shipped()) == first


@pytest.mark.parametrize("name", WITHHELD)
def test_what_one_of_several_people_withheld_is_withheld_again(name: str) -> None:
    """Asked where she lives, which is where nobody else of them is asked."""
    change, rule = WITHHELD[name]
    places = (Residence(jurisdiction=ILLINOIS), Residence(jurisdiction=Jurisdiction("CA-AB")))
    ledger = with_members(residences=places, **change)
    first = allow(GRANT, REQUEST, ledger=ledger, policy=shipped())
    assert rule in first.rules
    assert again(ledger, REQUEST, shipped()) == first


def test_what_nobody_withheld_is_open_again() -> None:
    for ledger in (ledger_of(EVERYWHERE), with_members(), with_members(residences=(Residence(jurisdiction=ILLINOIS),))):
        assert allow(GRANT, REQUEST, ledger=ledger, policy=shipped()).is_allowed
        assert again(ledger, REQUEST, shipped()).is_allowed


def test_purposes_and_a_guardian_are_written_down_of_each_person() -> None:
    for change, rules in (({"purposes": (Purpose.VERIFY,)}, ("CA-4",)), ({"age_band": AgeBand.MINOR_14_17, "guardian": True}, ())):
        for ledger in (ledger_of(EVERYWHERE.model_copy(update=change)), with_members(**change)):
            assert allow(GRANT, REQUEST, ledger=ledger, policy=NARROW).rules == rules
            assert again(ledger, REQUEST, NARROW).rules == rules


def test_where_nobody_knows_the_place_the_form_for_the_unknown_is_written_down() -> None:
    """No entry opens the unknown; the record says what was looked at all the same."""
    nowhere = REQUEST._replace(candidates=frozenset())
    record = told(ledger_of(EVERYWHERE), nowhere)
    assert record.terms is not None
    assert [each.jurisdiction for each in record.terms.forms] == [UNKNOWN]
    assert record.terms.collect_in == record.terms.store_in == (UNKNOWN,)


def test_nothing_is_written_down_of_a_place_that_was_not_asked_about() -> None:
    for terms in (told(ledger_of(EVERYWHERE)).terms, told(with_members()).members[1].terms):
        assert terms is not None
        assert [each.jurisdiction for each in terms.forms] == [CA_BC]
        assert terms.collect_in == terms.store_in == (CA_BC,)
    # Faces are marked by the grant that names the picture, not by its people.
    assert [member.terms.marked for member in told(with_members()).members if member.terms is not None] == [0, 0]


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({"state": GrantState.REVOKED}, Standing.NOT_LIVE),
        ({"confirmed_at": None}, Standing.NOT_LIVE),
        ({"not_before": NOW + timedelta(seconds=1)}, Standing.NOT_LIVE),
        ({"expires_at": NOW}, Standing.EXPIRED),
        ({"evidence_kinds": ("demo_fixture",)}, Standing.FIXTURE),
    ],
)
def test_a_grant_that_did_not_stand_does_not_stand_again_and_nothing_more_is_written_down(
    change: dict[str, Any], standing: Standing
) -> None:
    record = told(ledger_of(EVERYWHERE.model_copy(update=change)))
    assert (record.standing, record.is_fixture) == (standing.value, standing is Standing.FIXTURE)
    assert (record.terms, record.source) == (None, None)
    assert stand_in_ledger(record, GRANT).standing(GRANT, NOW) is standing


def test_a_fixture_that_the_demo_took_is_no_fixture_of_the_record() -> None:
    record = told(ledger_of(EVERYWHERE.model_copy(update={"evidence_kinds": ("demo_fixture",)}), accepts_fixtures=True))
    assert not record.is_fixture
    assert stand_in_ledger(record, GRANT).standing(GRANT, NOW) is Standing.LIVE


def test_a_withdrawal_and_an_unreadable_record_are_written_down_with_the_grant_and_without() -> None:
    for ledger in (ledger_of(EVERYWHERE), ledger_of()):
        ledger.deny(GRANT)
        assert stand_in_ledger(told(ledger), GRANT).standing(GRANT, NOW) is Standing.DENIED
        ledger.apply_withdrawal(GrantWithdrawn(grant_id=GRANT, withdrawn_at=NOW - timedelta(days=1)))
        stand_in = stand_in_ledger(told(ledger), GRANT)
        assert stand_in.standing(GRANT, NOW) is Standing.WITHDRAWN
        assert stand_in.withdrawn_at(GRANT) == NOW - timedelta(days=1)
    assert stand_in_ledger(told(ledger_of()), GRANT).standing(GRANT, NOW) is Standing.UNKNOWN


def test_the_record_says_of_the_grant_what_the_snapshot_says() -> None:
    record = told(ledger_of(EVERYWHERE))
    said = (record.revision, record.state, record.not_before, record.expires_at, record.confirmed_at, record.binding)
    assert said == (
        EVERYWHERE.revision,
        EVERYWHERE.state,
        EVERYWHERE.not_before,
        EVERYWHERE.expires_at,
        EVERYWHERE.confirmed_at,
        BindingMode.SINGLE_FACE,
    )
    stand_in = stand_in_ledger(record, GRANT, residences=(ILLINOIS, CA_BC)).grant(GRANT)
    assert stand_in is not None
    assert (stand_in.revision, stand_in.not_before, stand_in.expires_at) == (1, EVERYWHERE.not_before, EVERYWHERE.expires_at)
    assert [place.jurisdiction for place in stand_in.residences] == [ILLINOIS, CA_BC]


def test_the_geofence_which_does_not_come_to_the_terms_writes_none_down() -> None:
    record = told(with_members(residences=(Residence(jurisdiction=ILLINOIS),)), has_terms=False)
    assert record.terms is None
    assert [(member.residences, member.terms) for member in record.members] == [((CA_BC,), None), ((ILLINOIS,), None)]
    stand_in = stand_in_ledger(record, GRANT)
    assert stand_in.standing(GRANT, NOW) is Standing.LIVE
    held = stand_in.grant(GRANT)
    assert held is not None
    assert held.binding.regions == ()
    assert (held.age_band, held.legal, held.scope) == (AgeBand.UNKNOWN, (), GeographicScope(collect_in=(), store_in=(), disclose_in=()))
    assert [[place.jurisdiction for place in member.residences] for member in stand_in.members(held)] == [[CA_BC], [ILLINOIS]]


@pytest.mark.parametrize("only_me", [True, False])
@pytest.mark.parametrize("mode", [BindingMode.SINGLE_FACE, BindingMode.REGION, BindingMode.JOINT, BindingMode.REFERENCE_MATCH])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source[0].value} {source[1][:24]}")
def test_which_face_was_meant_is_told_again(source: tuple[SourceKindRule, str], mode: BindingMode, only_me: bool) -> None:
    people = JOINT.binding if mode is BindingMode.JOINT else FaceBinding(mode=mode)
    sources = (SourceRule(kind=source[0], value=source[1], only_me=only_me),)
    held = EVERYWHERE.model_copy(update={"sources": sources, "binding": people})
    ledger = with_members()
    ledger.apply_grant(held.model_copy(update={"revision": 2}))
    stand_in = stand_in_ledger(told(ledger), GRANT).grant(GRANT)
    assert stand_in is not None
    assert bind(stand_in, STAND_IN_ASSET) == bind(held, ASSET)


def test_the_marks_in_this_picture_are_counted_and_those_in_others_are_not() -> None:
    regions = tuple(FaceRegion(asset_sha256=sha256, box=WHOLE) for sha256 in (SHA, "b" * 64, SHA))
    held = EVERYWHERE.model_copy(update={"binding": FaceBinding(mode=BindingMode.REGION, regions=regions)})
    stand_in = stand_in_ledger(told(ledger_of(held)), GRANT).grant(GRANT)
    assert stand_in is not None
    found = bind(stand_in, STAND_IN_ASSET)
    assert isinstance(found, MarkedFaces)
    assert len(found.boxes) == 2
    without_picture = told(ledger_of(held), REQUEST._replace(asset=None))
    assert without_picture.terms is not None
    assert without_picture.terms.marked == 0


@pytest.mark.parametrize("is_shown", [True, False])
def test_whether_control_was_shown_is_told_again(is_shown: bool) -> None:
    until = NOW + timedelta(days=1) if is_shown else None
    ledger = ledger_of(EVERYWHERE.model_copy(update={"sources": (folder("https://site.example/ada/", control_until=until),)}))
    record = told(ledger)
    assert record.source is not None
    assert record.source.is_control_shown is is_shown
    assert again(ledger, REQUEST, shipped()).rules == (() if is_shown else ("control_unproven",))


def test_a_picture_that_no_source_names_is_named_by_none_again() -> None:
    elsewhere = Asset(ASSET.source_kind, final_url="https://site.example/eve/1.jpg")
    ledger, request = ledger_of(EVERYWHERE), REQUEST._replace(asset=elsewhere)
    assert told(ledger, request).source is None
    assert again(ledger, request, shipped()).rules == ("source_not_covered",)


def test_what_stands_for_a_joint_grant_is_of_several_people_one_of_whom_holds_it() -> None:
    stand_in = stand_in_ledger(told(with_members()), GRANT)
    held = stand_in.grant(GRANT)
    assert held is not None
    members = stand_in.members(held)
    assert len({member.subject_id for member in members}) == 2
    assert held.subject_id in {member.subject_id for member in members}
    assert [type(bind(each, STAND_IN_ASSET)) for each in (held, EVERYWHERE)] == [JointFaces, Unbound]
    assert isinstance(bind(EVERYWHERE, ASSET), SingleFace)


@pytest.mark.parametrize(
    ("sources", "told_as"),
    [
        ((folder("https://site.example/ada/"),), MemberSource.NAMED),
        ((SourceRule(kind=SourceKindRule.ASSET_SHA256, value=SHA),), MemberSource.NAMED),
        ((folder("https://site.example/ada/", control_until=None),), MemberSource.UNPROVEN),
        ((folder("https://site.example/eve/"),), MemberSource.NOT_NAMED),
    ],
    ids=["a folder", "the very file", "a folder without proof", "another folder"],
)
def test_of_a_member_it_is_written_down_how_her_grant_names_the_picture_and_not_by_what(
    sources: tuple[SourceRule, ...], told_as: MemberSource
) -> None:
    ledger = with_members(sources=sources)
    first, second = told(ledger).members
    assert (first.source, second.source) == (MemberSource.NAMED, told_as)
    assert not [rule.value for rule in sources if rule.value in told(ledger).model_dump_json()]
    for unasked in (told(ledger, REQUEST._replace(asset=None)), told(ledger, has_terms=False)):
        assert [member.source for member in unasked.members] == [None, None]
        assert "source" not in unasked.members[1].model_dump()
    assert again(ledger, REQUEST, shipped()) == allow(GRANT, REQUEST, ledger=ledger, policy=shipped())


def test_a_record_of_a_release_that_did_not_ask_the_members_about_the_picture_opens_as_it_did() -> None:
    record = told(with_members(sources=(folder("https://site.example/eve/"),)))
    of_before = record.model_copy(update={"members": tuple(member.model_copy(update={"source": None}) for member in record.members)})
    for each, rules in ((record, ("source_not_covered",)), (of_before, ())):
        stand_in = stand_in_ledger(JudgedGrant.model_validate_json(each.model_dump_json()), GRANT)
        assert allow(GRANT, REQUEST._replace(asset=STAND_IN_ASSET), ledger=stand_in, policy=shipped()).rules == rules


def test_a_joint_grant_of_one_person_stands_again() -> None:
    alone = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"),))
    ledger = ledger_of(EVERYWHERE.model_copy(update={"binding": alone}), EVERYWHERE.model_copy(update={"grant_id": GrantId("g-2")}))
    assert ledger.standing(GRANT, NOW) is Standing.LIVE
    assert stand_in_ledger(told(ledger), GRANT).standing(GRANT, NOW) is Standing.LIVE


def test_a_record_that_does_not_say_the_binding_is_of_one_face() -> None:
    record = told(ledger_of(EVERYWHERE)).model_copy(update={"binding": None})
    held = stand_in_ledger(record, GRANT).grant(GRANT)
    assert held is not None
    assert held.binding.mode is BindingMode.SINGLE_FACE


def test_nothing_is_looked_for_of_a_grant_that_is_not_live() -> None:
    ledger = with_members()
    ledger.apply_withdrawal(GrantWithdrawn(grant_id=GRANT, withdrawn_at=NOW))
    found = stand(GRANT, REQUEST, ledger=ledger)
    assert (found.standing, found.rule, found.members, found.live) == (Standing.WITHDRAWN, None, (), None)
