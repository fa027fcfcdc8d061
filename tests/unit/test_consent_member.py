"""What the own grant of each person of a joint grant names, source by source: no kind of source stands for another."""

from __future__ import annotations

import pytest

from assent.consent.asset import Asset
from assent.consent.member import members_at, names_whole
from assent.events.decisions import MemberSource
from assent.events.grants import BindingMode, FaceBinding, GrantSnapshot, SourceKindRule, SourceRule
from assent.events.images import SourceKind
from assent.ids import GrantId, SubjectId
from tests.unit.grant_examples import NOW, folder, grant

DIGEST = "a" * 64
JOINT = grant("g-1", binding=FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3"))))


def holder(*sources: SourceRule) -> GrantSnapshot:
    """The own grant of the person who holds the joint one."""
    return grant("g-2", sources=sources)


def other(*sources: SourceRule) -> GrantSnapshot:
    """The own grant of the other person."""
    return grant("g-3", subject_id=SubjectId("s-3"), sources=sources)


def source(kind: SourceKindRule, value: str) -> SourceRule:
    return SourceRule(kind=kind, value=value, control_until=folder("https://site.example/ada/").control_until)


def upload(grant_id: str) -> SourceRule:
    return source(SourceKindRule.UPLOAD, grant_id)


@pytest.mark.parametrize(
    ("of_joint", "of_member", "named"),
    [
        (source(SourceKindRule.ACCOUNT, "ada"), source(SourceKindRule.ACCOUNT, "ada"), True),
        (source(SourceKindRule.ACCOUNT, "ada"), source(SourceKindRule.ACCOUNT, "eve"), False),
        (source(SourceKindRule.ACCOUNT, DIGEST), source(SourceKindRule.ASSET_SHA256, DIGEST), False),
        (source(SourceKindRule.ACCOUNT, "g-3"), upload("g-3"), False),
        (source(SourceKindRule.ASSET_SHA256, DIGEST), source(SourceKindRule.ASSET_SHA256, DIGEST), True),
        (source(SourceKindRule.ASSET_SHA256, DIGEST), source(SourceKindRule.ACCOUNT, DIGEST), False),
        (
            source(SourceKindRule.IMAGE_URL, "https://site.example/1.jpg"),
            source(SourceKindRule.IMAGE_URL, "https://site.example/1.jpg"),
            True,
        ),
        (source(SourceKindRule.IMAGE_URL, "https://site.example/1.jpg"), upload("g-3"), False),
        (upload("g-3"), upload("g-3"), True),
        (upload("g-9"), upload("g-3"), False),
        (upload("g-1"), upload("g-3"), False),
        (upload("g-1"), upload("g-1"), False),
    ],
    ids=[
        "her account",
        "another account",
        "an account that is written as her file",
        "an account that is written as her uploads",
        "her file",
        "a file that is written as her account",
        "her picture",
        "a picture, where she names her uploads alone",
        "her own uploads",
        "somebody else's uploads",
        "what the holder sends under the joint grant, where she names her own uploads",
        "what the holder sends under the joint grant, by its very name",
    ],
)
def test_whatever_a_source_of_the_joint_grant_names_hers_must_name_as_such(
    of_joint: SourceRule, of_member: SourceRule, named: bool
) -> None:
    assert names_whole(JOINT, other(of_member), of_joint) is named


def test_what_is_sent_under_the_joint_grant_is_an_upload_of_its_holder() -> None:
    assert names_whole(JOINT, holder(upload("g-2")), upload("g-1"))
    assert not names_whole(JOINT, holder(source(SourceKindRule.ASSET_SHA256, DIGEST)), upload("g-1"))


@pytest.mark.parametrize(
    ("asset", "of_holder", "of_other"),
    [
        (Asset(SourceKind.UPLOAD, sha256=DIGEST, upload_grant_id=GrantId("g-1")), MemberSource.NAMED, MemberSource.NOT_NAMED),
        (Asset(SourceKind.UPLOAD, sha256=DIGEST, upload_grant_id=GrantId("g-2")), MemberSource.NAMED, MemberSource.NOT_NAMED),
        (Asset(SourceKind.UPLOAD, sha256=DIGEST, upload_grant_id=GrantId("g-3")), MemberSource.NOT_NAMED, MemberSource.NAMED),
        (Asset(SourceKind.UPLOAD, sha256=DIGEST, upload_grant_id=GrantId("g-9")), MemberSource.NOT_NAMED, MemberSource.NOT_NAMED),
        (Asset(SourceKind.WEB_PAGE, final_url="https://site.example/1.jpg"), MemberSource.NOT_NAMED, MemberSource.NOT_NAMED),
    ],
    ids=["under the joint grant", "under the holder's own", "under the other's own", "under a stranger's", "not sent at all"],
)
def test_a_photo_is_an_upload_of_whoever_sent_it(asset: Asset, of_holder: MemberSource, of_other: MemberSource) -> None:
    members = members_at(JOINT, (holder(upload("g-2")), other(upload("g-3"))), asset, NOW)
    assert [member.source for member in members] == [of_holder, of_other]
