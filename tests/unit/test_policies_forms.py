"""Every form of a yes that a policy can ask for is among those that policies are compared by, told in words."""

from __future__ import annotations

from typing import Any

import pytest

from assent.events.grants import Purpose
from assent.policies.comparison import compare
from assent.policies.grant_forms import SIGNATURES, GrantForm
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import EVERY_OPERATION, policy_with

STRICTEST: dict[str, Any] = {
    "form": "written_release",
    "signature": ["wet"],
    "notice_fields": ["collected_or_stored", "specific_purpose", "length_of_term"],
    "notice_sha256": True,
    "alternative_offered": True,
    "evidence_min": 10,
    "age_min": 25,
    "guardian_below": 0,
    "expires_max_days": 1,
    "last_interaction_cap_days": 1,
}
"""The most that a policy file can ask of a grant."""


def forms_that_change(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[bool, str]]:
    """Changes in British Columbia: whether each is wider, and the example that is told."""
    found = compare(policy_with(CA_BC=before), policy_with(CA_BC=after), places=(), now=NOW)
    return {(change.is_wider, change.example) for change in found.changes if change.rules}


def test_a_place_that_opens_to_the_strictest_form_alone_is_seen_to_open() -> None:
    closed, opened = ({"with_grant": operations, "consent": STRICTEST} for operations in ([], EVERY_OPERATION))
    assert forms_that_change(closed, opened) == {(True, "for self_search")}
    assert forms_that_change(opened, closed) == {(False, "for self_search")}


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_place_that_opens_to_one_purpose_alone_is_seen_to_open(purpose: Purpose) -> None:
    opened = {"with_grant": EVERY_OPERATION, "purposes": {"allow": [purpose.value]}}
    assert forms_that_change({"with_grant": []}, opened) == {(True, f"for {purpose}")}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], ["wet", "e_signature", "vc"], [(False, "for self_search, unsigned")]),
        (["wet", "e_signature"], ["wet"], [(False, "for self_search, signed by e_signature")]),
        (["wet", "vc"], ["wet"], [(False, "for self_search, signed by vc")]),
        (["e_signature", "vc"], ["e_signature"], [(False, "for self_search, signed by vc")]),
        (["vc"], ["e_signature"], [(True, "for self_search, signed by e_signature"), (False, "for self_search, signed by vc")]),
    ],
    ids=str,
)
def test_each_kind_of_signature_is_a_form_of_its_own(before: list[str], after: list[str], expected: list[tuple[bool, str]]) -> None:
    assert forms_that_change({"consent": {"signature": before}}, {"consent": {"signature": after}}) == set(expected)
    back = {(not is_wider, example) for is_wider, example in expected}
    assert forms_that_change({"consent": {"signature": after}}, {"consent": {"signature": before}}) == back


@pytest.mark.parametrize(
    ("stricter", "example"),
    [
        ({"form": "explicit"}, "in the form express"),
        ({"form": "written_release"}, "in the form explicit"),
        ({"notice_fields": ["length_of_term"]}, "with a notice that leaves out length_of_term"),
        ({"notice_sha256": True}, "without the digest of the notice"),
        ({"alternative_offered": True}, "without an alternative offered"),
        ({"evidence_min": 3}, "with 1 pieces of evidence"),
        ({"evidence_min": 2}, "with 1 pieces of evidence"),
        ({"age_min": 15}, "of age band minor_14_17 without a guardian"),
        ({"guardian_below": 14}, "of age band minor_14_17 with a guardian"),
        ({"expires_max_days": 729}, "that lasts 730 days"),
        ({"expires_max_days": 100}, "that lasts 101 days"),
        ({"last_interaction_cap_days": 1094}, "1095 days after she was last heard of"),
    ],
    ids=str,
)
def test_each_thing_that_one_policy_asks_for_beyond_the_other_is_told(stricter: dict[str, Any], example: str) -> None:
    lax: dict[str, Any] = {"notice_sha256": False, "alternative_offered": False, "guardian_below": 18, "age_min": 14}
    lax |= {"age_min": 19} if "guardian_below" in stricter else {}
    expected = f"for self_search, {example}"
    assert (False, expected) in forms_that_change({"consent": lax}, {"consent": {**lax, **stricter}})
    assert (True, expected) in forms_that_change({"consent": {**lax, **stricter}}, {"consent": lax})


def test_a_form_is_told_by_its_purpose_its_signature_and_what_is_weak_about_it() -> None:
    assert [GrantForm(Purpose.VERIFY, signature, ()).words for signature in SIGNATURES] == [
        "for verify",
        "for verify, signed by e_signature",
        "for verify, signed by vc",
        "for verify, unsigned",
    ]
    assert GrantForm(Purpose.VERIFY, None, (), differs="that lasts 2 days").words == "for verify, unsigned, that lasts 2 days"
