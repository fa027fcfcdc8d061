"""Which face a grant means: told by the source and the mode alone, and refused where the grant does not say."""

from __future__ import annotations

import pytest

from assent.consent.asset import Asset
from assent.consent.binding import Binding, JointFaces, MarkedFaces, SingleFace, Unbound, bind, faces_rule
from assent.events.faces import FaceBox
from assent.events.grants import BindingMode, FaceBinding, FaceRegion, SourceKindRule, SourceRule
from assent.events.images import SourceKind
from assent.ids import GrantId, RuleId
from tests.unit.grant_examples import grant

SHA = "a" * 64
ASSET = Asset(SourceKind.WEB_PAGE, "https://h.example/a/1.jpg", "ada@h.example", SHA, GrantId("g-1"))
SOURCES = {
    SourceKindRule.IMAGE_URL: "https://h.example/a/1.jpg",
    SourceKindRule.ASSET_SHA256: SHA,
    SourceKindRule.UPLOAD: "g-1",
    SourceKindRule.URL_PREFIX: "https://h.example/a/",
    SourceKindRule.ACCOUNT: "ada@h.example",
}
ONE_PHOTOGRAPH = {SourceKindRule.IMAGE_URL, SourceKindRule.ASSET_SHA256, SourceKindRule.UPLOAD}
LEFT, RIGHT = FaceBox(x=0, y=0, width=0.5, height=1), FaceBox(x=0.5, y=0, width=0.5, height=1)
PEOPLE = (GrantId("g-2"), GrantId("g-3"))
POSSIBLE, NOT_FOUND = (Unbound(RuleId(rule)) for rule in ("bystander_possible", "region_not_found"))


def bound(kind: SourceKindRule, mode: BindingMode, *, only_me: bool = False, regions: tuple[FaceRegion, ...] = ()) -> Binding:
    members = PEOPLE if mode is BindingMode.JOINT else ()
    binding = FaceBinding(mode=mode, regions=regions, member_grants=members)
    return bind(grant(sources=(SourceRule(kind=kind, value=SOURCES[kind], only_me=only_me),), binding=binding), ASSET)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_names_one_photograph_and_what_names_a_folder_mean_other_things(kind: SourceKindRule) -> None:
    is_one = kind in ONE_PHOTOGRAPH
    assert bound(kind, BindingMode.SINGLE_FACE) == (SingleFace() if is_one else POSSIBLE)
    assert bound(kind, BindingMode.REGION) == (NOT_FOUND if is_one else POSSIBLE)
    assert bound(kind, BindingMode.JOINT) == (JointFaces(2) if is_one else POSSIBLE)


@pytest.mark.parametrize("kind", SOURCES)
def test_where_she_said_that_only_she_is_shown_her_face_is_meant(kind: SourceKindRule) -> None:
    for mode in (BindingMode.SINGLE_FACE, BindingMode.REGION):
        assert bound(kind, mode, only_me=True) == SingleFace()
    assert bound(kind, BindingMode.JOINT, only_me=True) == JointFaces(2)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_she_marked_in_this_picture_is_meant_and_what_she_marked_in_another_is_not(kind: SourceKindRule) -> None:
    here, elsewhere = FaceRegion(asset_sha256=SHA, box=LEFT), FaceRegion(asset_sha256="b" * 64, box=RIGHT)
    assert bound(kind, BindingMode.REGION, regions=(elsewhere, here)) == MarkedFaces((LEFT,))
    assert bound(kind, BindingMode.REGION, only_me=True, regions=(here,)) == MarkedFaces((LEFT,))
    assert bound(kind, BindingMode.REGION, regions=(elsewhere,)) == (NOT_FOUND if kind in ONE_PHOTOGRAPH else POSSIBLE)


@pytest.mark.parametrize("kind", SOURCES)
def test_faces_are_never_compared_to_find_out(kind: SourceKindRule) -> None:
    assert bound(kind, BindingMode.REFERENCE_MATCH, only_me=True) == Unbound(RuleId("not_supported"))


def test_a_picture_that_no_source_names_is_bound_to_nothing() -> None:
    assert bind(grant(), ASSET) == Unbound(RuleId("source_not_covered"))


@pytest.mark.parametrize(
    ("binding", "by_count"),
    [
        (SingleFace(), ("no_face", None, "several_faces", "several_faces")),
        (JointFaces(2), ("no_face", None, None, "bystander_present")),
        (MarkedFaces((LEFT,)), ("no_face", None, None, None)),
        (Unbound(RuleId("not_supported")), ("not_supported",) * 4),
    ],
)
def test_how_many_faces_there_may_be(binding: Binding, by_count: tuple[str | None, ...]) -> None:
    assert tuple(faces_rule(binding, count, drops_image_with_bystanders=False) for count in range(4)) == by_count


def test_where_a_bystander_drops_the_picture_there_are_no_more_faces_than_marks() -> None:
    for boxes, by_count in (((LEFT,), ("no_face", None, "bystander_present")), ((LEFT, RIGHT), ("no_face", None, None))):
        assert tuple(faces_rule(MarkedFaces(boxes), count, drops_image_with_bystanders=True) for count in range(3)) == by_count
    assert faces_rule(SingleFace(), 1, drops_image_with_bystanders=True) is None
    assert faces_rule(JointFaces(2), 2, drops_image_with_bystanders=True) is None
