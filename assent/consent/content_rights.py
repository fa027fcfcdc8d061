"""Which opt-outs a grant has set aside for one image, and what the others refuse; it can only ever answer for content rights.

Set aside is what her grant names expressly, for that very source, while its controller's proof of control counts. Robots rules, walls,
signed statements inside the picture, what is said of the person shown and whatever could not be read refuse whatever anybody says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from assent.consent.asset import Asset
from assent.consent.source_rules import asset_keys, has_proof, rule_key
from assent.events.grants import BindingMode, GrantSnapshot, SourceKindRule, SourceRule
from assent.events.optouts import SeenOptOut
from assent.ids import RuleId
from assent.optouts.signal import ContentRight, SignalVerdict

MAY_OVERRIDE = frozenset({SourceKindRule.URL_PREFIX, SourceKindRule.IMAGE_URL})
"""Sources whose control a host can show. That a file was handed in, or has this digest, shows nothing of who holds the rights in it."""


class SetAside(NamedTuple):
    """The rights set aside for an image, and those of them that hold for the page that shows it as well."""

    image: frozenset[ContentRight] = frozenset()
    page: frozenset[ContentRight] = frozenset()


NOTHING = SetAside()


def set_aside(grant: GrantSnapshot, asset: Asset, now: datetime) -> SetAside:
    """What the rules that name this image set aside now. Under a joint grant nothing: one of its people cannot say it for the others."""
    counting = [rule for rule in grant.sources if rule.overrides and _counts(rule, now)]
    if not counting or grant.binding.mode is BindingMode.JOINT:
        return NOTHING
    keys = frozenset(asset_keys(asset))
    named = [rule for rule in counting if rule_key(rule) in keys]
    if not named:
        return NOTHING
    # A page may lie elsewhere, under somebody else's control: only a rule that names it as well speaks of what it says.
    page = frozenset(asset_keys(Asset(asset.source_kind, final_url=asset.page_url)))
    return SetAside(_rights(named), _rights(rule for rule in named if rule_key(rule) in page))


def optout_rules(seen: Iterable[SeenOptOut], aside: SetAside) -> Iterator[RuleId]:
    """The rule of each opt-out that is not set aside."""
    for one in seen:
        if one.verdict is SignalVerdict.NONE or _is_aside(one, aside.page if one.of_page else aside.image):
            continue
        yield one.kind.rule


def _is_aside(one: SeenOptOut, rights: frozenset[ContentRight]) -> bool:
    return one.verdict is SignalVerdict.DENY and one.kind.value in rights


def _counts(rule: SourceRule, now: datetime) -> bool:
    return rule.kind in MAY_OVERRIDE and has_proof(rule, now)


def _rights(rules: Iterable[SourceRule]) -> frozenset[ContentRight]:
    return frozenset(right for rule in rules for right in rule.overrides)
