"""Illinois and Texas, rule by rule; each test fails when its rule is taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assent.events.grants import ConsentForm, Operation, Purpose
from assent.geofence.caller import client_gate
from assent.geofence.policy import PolicyError
from assent.ids import Jurisdiction
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import policy_with, shipped
from tests.unit.request_examples import asked, refused, term
from tests.unit.rule_tables import NOTICE_FIELDS, least_grant, opened, rules_of

IL = Jurisdiction("US-IL")
FLOOR = ["advertising", "emotion", "ethnicity", "mass_identification", "sale"]
BIPA = ["sale", "lease", "trade", "profit"]


@pytest.mark.parametrize("place", ["US-IL", "CA-BC", "CA-AB"])
def test_il_1_three_years_after_the_last_interaction_nothing_is_open(place: str) -> None:
    heard = {"days": 365, "place": place}
    for days, wanted in ((0, ()), (1095, ()), (1096, ("IL-1",))):
        held = least_grant(place, last_interaction_at=NOW - timedelta(days=days))
        assert {rules_of(held, place, operation=operation) for operation in Operation} == {wanted}, heard
    sooner = policy_with(**{place.replace("-", "_"): {"consent": {"last_interaction_cap_days": 30}}})
    assert rules_of(least_grant(place, last_interaction_at=NOW - timedelta(days=31)), place, policy=sooner) == ("IL-1",)
    with pytest.raises(PolicyError, match="last_interaction_cap_days"):
        policy_with(US_IL={"consent": {"last_interaction_cap_days": 1096}})


@pytest.mark.parametrize(
    ("days", "kept", "wanted"),
    [
        (365, 1095, []),
        (365, 1096, ["IL-1"]),
        (30, 30, []),
        (31, 30, ["IL-1"]),
        (365, 365, []),
        (365, 364, ["IL-1"]),
    ],
)
def test_il_1_what_is_promised_of_keeping_is_within_the_schedule_and_holds(days: int, kept: int, wanted: list[str]) -> None:
    """The schedule of the place bounds the promise, and the promise bounds the grant, at whose end everything is erased."""
    request = asked("US-IL", validity=term(days), retention={"max_days": kept})
    assert refused(request, residences=["US-IL"]) == wanted


@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        ({"form": ConsentForm.EXPRESS}, "legal_form_missing"),
        ({"form": ConsentForm.EXPLICIT}, "legal_form_missing"),
        ({"notice_fields": NOTICE_FIELDS[1:]}, "IL-2"),
        ({"notice_fields": NOTICE_FIELDS[:1] + NOTICE_FIELDS[2:]}, "IL-2"),
        ({"notice_fields": NOTICE_FIELDS[:2]}, "IL-2"),
        ({"notice_fields": ()}, "IL-2"),
        ({"notice_sha256": None}, "EU-8"),
        ({"evidence_count": 0}, "EU-1"),
    ],
)
def test_il_2_a_written_release_tells_what_for_and_for_how_long(missing: dict[str, Any], rule: str) -> None:
    assert rules_of(least_grant("US-IL", basis=missing), "US-IL") == (rule,)
    more = least_grant("US-IL", basis={"notice_fields": (*NOTICE_FIELDS, "more")})
    assert rules_of(more, "US-IL") == ()
    assert rules_of(least_grant("US-IL"), "US-IL", policy=policy_with(US_IL={"with_grant": []})) == ("IL-2",)


@pytest.mark.parametrize(("signature", "wanted"), [("wet", ()), ("e_signature", ()), ("vc", ("IL-3",)), (None, ("IL-3",))])
def test_il_3_a_release_is_signed_by_hand_or_electronically(signature: str | None, wanted: tuple[str, ...]) -> None:
    assert rules_of(least_grant("US-IL", basis={"signature": signature}), "US-IL") == wanted


def test_il_4_sale_lease_trade_and_profit_are_forbidden_there() -> None:
    assert shipped().rules_for(IL).purposes_forbid == {*BIPA, *FLOOR}
    assert shipped().rules_for(Jurisdiction("CA-BC")).purposes_forbid == set(FLOOR)
    for use in BIPA:
        with pytest.raises(PolicyError, match=r"US-IL\.purposes\.allow"):
            policy_with(US_IL={"purposes": {"allow": ["verify", use]}})


@settings(deadline=None)
@given(st.sampled_from(BIPA) | st.text(max_size=12))
def test_il_4_no_grant_can_name_such_a_purpose(use: str) -> None:
    if use not in {purpose.value for purpose in Purpose}:
        with pytest.raises(ValidationError):
            least_grant("US-IL", purposes=(use,))
        with pytest.raises(ValidationError):
            asked("US-IL", purposes=[{"code": use}])


def test_il_5_nobody_is_told_but_she_and_whom_she_named_and_no_caller_is_served_there() -> None:
    told: dict[str, Any] = {"operation": Operation.DISCLOSE, "purpose": Purpose.GALLERY_SEARCH}
    assert rules_of(least_grant("US-IL"), "US-IL", **told) == ()
    assert rules_of(least_grant("US-IL"), "US-IL", recipient="museum", **told) == ("recipient_not_listed",)
    assert rules_of(least_grant("US-IL", recipients=("museum",)), "US-IL", recipient="museum", **told) == ()
    assert rules_of(least_grant("US-IL", recipients=("museum",)), "US-IL", recipient="Museum", **told) == ("recipient_not_listed",)
    assert client_gate([IL], basis="gallery", policy=shipped(), now=NOW) == "IL-5"


@pytest.mark.parametrize(("after", "texas", "illinois"), [(0, [], []), (1, [], ["QC-5"]), (365, [], ["QC-5"])])
def test_tx_1_a_year_after_the_purpose_is_the_most_and_texas_alone_allows_it(after: int, texas: list[str], illinois: list[str]) -> None:
    kept = {"after_purpose_days": after}
    assert refused(asked("US-TX", retention=kept), residences=["US-TX"]) == texas
    assert refused(asked("US-IL", retention=kept), residences=["US-IL"]) == illinois
    with pytest.raises(ValidationError, match="after_purpose_days"):
        asked("US-TX", retention={"after_purpose_days": 366})
    with pytest.raises(PolicyError, match="after_purpose_days"):
        policy_with(US_TX={"retention": {"after_purpose_days": 366}})


def test_tx_1_the_place_is_closed_to_grants_and_callers() -> None:
    assert {rules_of(least_grant("US-TX"), "US-TX", operation=operation) for operation in Operation} == {("TX-1",)}
    assert rules_of(least_grant("US-TX"), "US-TX", policy=opened()) == ()
    assert client_gate([Jurisdiction("US-TX")], basis="verify", policy=shipped(), now=NOW) == "TX-1"
