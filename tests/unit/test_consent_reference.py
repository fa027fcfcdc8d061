"""A reference of a grant: whose counts, what a record that names one must say of itself, and which faces of a picture are nobody's."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assent.consent.reference import NOT_THE_SUBJECT, REFERENCE_MISSING, Reference, has_stranger, references_of
from assent.deciding.refusals import outcome_of
from assent.events.grants import BindingMode, FaceBinding, GrantSnapshot
from assent.ids import FaceId, GrantId, RuleId
from tests.unit.grant_examples import grant

FACE, OTHER = FaceId("3b1d5f0e-9d38-5f4f-8a5b-7c116f0a1c52"), FaceId("5f4f3b1d-9d38-5f0e-8a5b-7c116f0a1c52")


def confirmed(grant_id: str, face: FaceId = FACE, **changes: Any) -> GrantSnapshot:
    return grant(grant_id, schema_version="assent.grant/2", reference=face, **changes)


def test_a_grant_has_her_own_and_a_joint_one_those_of_its_members() -> None:
    assert references_of(grant("a"), []) == (None,)
    assert references_of(confirmed("a"), []) == (Reference(GrantId("a"), FACE),)
    members = [confirmed("a"), grant("b"), confirmed("c", OTHER)]
    joint = grant("j", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=tuple(member.grant_id for member in members)))
    assert references_of(joint, members) == (Reference(GrantId("a"), FACE), None, Reference(GrantId("c"), OTHER))


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": FACE},
        {"schema_version": "assent.grant/2"},
        {"schema_version": "assent.grant/2", "reference": "../other/3b1d5f0e"},
        {"schema_version": "assent.grant/2", "reference": FACE.upper()},
        {"schema_version": "assent.grant/3", "reference": FACE},
        {"schema_version": "assent.grant/2", "reference": FACE, "binding": FaceBinding(mode=BindingMode.JOINT)},
    ],
)
def test_a_record_that_restricts_says_so_or_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        grant("a", **changes)


def test_a_reader_from_before_denies_what_it_would_pass_over() -> None:
    """The literal that such a reader knows is the first one alone."""
    assert json.loads(confirmed("a").model_dump_json())["schema_version"] != json.loads(grant("a").model_dump_json())["schema_version"]
    assert "reference" not in json.loads(grant("a").model_dump_json()), "a record without one is as it was"


@pytest.mark.parametrize(
    ("agrees", "is_strange"),
    [
        ([], False),
        ([[True]], False),
        ([[False]], True),
        ([[True, False], [False, True]], False),
        ([[True, False], [True, False]], True),  # two faces that would both be the first person's
        ([[True, True], [True, False]], False),  # the first face has to make room
        ([[True, True, False], [True, False, False], [False, True, False]], True),
        ([[False, False, True]], False),  # one of three people, the others are not in the picture
    ],
)
def test_each_face_is_somebodys_and_nobody_has_two(agrees: list[list[bool]], is_strange: bool) -> None:
    assert has_stranger(agrees) is is_strange


@given(st.integers(1, 5).flatmap(lambda people: st.lists(st.lists(st.booleans(), min_size=people, max_size=people), max_size=5)))
def test_it_says_what_trying_every_way_says(agrees: list[list[bool]]) -> None:
    people = range(len(agrees[0]) if agrees else 0)
    ways = itertools.permutations(people, len(agrees)) if len(agrees) <= len(people) else []
    found = any(all(agrees[face][person] for face, person in enumerate(way)) for way in ways)
    assert has_stranger(agrees) is not found


@pytest.mark.parametrize("rule", ["not_the_subject", "reference_missing"])
def test_she_is_told_either_in_a_class_of_its_own(rule: str) -> None:
    assert rule in (NOT_THE_SUBJECT, REFERENCE_MISSING)
    assert outcome_of((RuleId(rule),)).value == rule
    assert outcome_of((RuleId(rule), RuleId("X-1"))).value == "unknown_place", "what closes a place is told first"
