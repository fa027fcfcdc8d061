"""What the own grant of one of several people says of their picture: it must name it itself; the joint grant never says it for her."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from assent.consent.asset import Asset
from assent.consent.source_rules import have_control, naming_rules
from assent.consent.source_url import is_folder_of, without_scheme
from assent.events.decisions import MemberSource
from assent.events.grants import GrantSnapshot, SourceKindRule, SourceRule
from assent.events.images import SourceKind
from assent.ids import GrantId


class Member(NamedTuple):
    """One of those whose grants a joint grant rests on. `rule` and `is_shown` are of her own grant, as those of a Stand; `is_asked`: for a
    picture.
    """

    grant: GrantSnapshot
    rule: SourceRule | None = None
    is_shown: bool = True
    is_asked: bool = False

    @property
    def source(self) -> MemberSource | None:
        """How her grant names the picture, without the source that does."""
        if not self.is_asked:
            return None
        if self.rule is None:
            return MemberSource.NOT_NAMED
        return MemberSource.NAMED if self.is_shown else MemberSource.UNPROVEN


def members_at(joint: GrantSnapshot, members: Sequence[GrantSnapshot], asset: Asset | None, now: datetime) -> tuple[Member, ...]:
    """How each of these grants stands to the picture; no rule is looked for where none is asked about."""
    if asset is None:
        return tuple(Member(member) for member in members)
    return tuple(_at(joint, member, asset, now) for member in members)


def names_whole(joint: GrantSnapshot, member: GrantSnapshot, source: SourceRule) -> bool:
    """Whatever this source of the joint grant names, one source of the member's own grant names as well."""
    if source.kind is SourceKindRule.URL_PREFIX:
        folder = without_scheme(source.value)
        return any(rule.kind is source.kind and is_folder_of(without_scheme(rule.value), folder) for rule in member.sources)
    return bool(naming_rules(member.sources, _as_hers(joint, member, _named_by(source))))


def _named_by(source: SourceRule) -> Asset:
    """The picture, or the pictures of the account or the sender, that a source other than a folder names."""
    kind, value = source.kind, source.value
    return Asset(
        source_kind=SourceKind.WEB_PAGE,
        final_url=value if kind is SourceKindRule.IMAGE_URL else None,
        account=value if kind is SourceKindRule.ACCOUNT else None,
        sha256=value if kind is SourceKindRule.ASSET_SHA256 else None,
        upload_grant_id=GrantId(value) if kind is SourceKindRule.UPLOAD else None,
    )


def _at(joint: GrantSnapshot, member: GrantSnapshot, asset: Asset, now: datetime) -> Member:
    named = naming_rules(member.sources, _as_hers(joint, member, asset))
    return Member(member, named[0] if named else None, have_control(named, now), is_asked=True)


def _as_hers(joint: GrantSnapshot, member: GrantSnapshot, asset: Asset) -> Asset:
    """What is sent in under the joint grant its holder sends herself: that is an upload of hers, and nobody else's."""
    if asset.upload_grant_id != joint.grant_id:
        return asset
    return asset._replace(upload_grant_id=member.grant_id if member.subject_id == joint.subject_id else None)
