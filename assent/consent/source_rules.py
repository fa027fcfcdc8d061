"""Which source rule of a grant names an image; a rule that names no real target is refused when it is written, never matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from assent.consent.asset import Asset
from assent.consent.source_url import SourceUrlError, folders, is_folder_of, normalise_image, normalise_prefix, without_scheme
from assent.events.grants import SourceKindRule, SourceRule

ONE_PHOTOGRAPH = frozenset({SourceKindRule.IMAGE_URL, SourceKindRule.ASSET_SHA256, SourceKindRule.UPLOAD})
"""Rules that name exactly one photograph, or photographs handed in one by one."""

# Looking a member up on its enumeration takes ten times what comparing it takes.
_PREFIX, _IMAGE, _SHA256, _UPLOAD = (
    SourceKindRule.URL_PREFIX,
    SourceKindRule.IMAGE_URL,
    SourceKindRule.ASSET_SHA256,
    SourceKindRule.UPLOAD,
)

SourceKey = tuple[SourceKindRule, str]


class SourceRuleError(ValueError):
    """Raised when a source rule names no real target (AIA-2). The message says what to write instead."""


def checked_rule(rule: SourceRule) -> SourceRule:
    """The rule with its value in the one spelling that is matched.

    Raises SourceRuleError for a wildcard, also an encoded one, a bare domain, a digest that is none, an account with odd characters.
    """
    try:
        match rule.kind:
            case SourceKindRule.URL_PREFIX:
                value = normalise_prefix(rule.value)
            case SourceKindRule.IMAGE_URL:
                value = normalise_image(rule.value)
            case SourceKindRule.ASSET_SHA256:
                value = _digest(rule.value)
            case SourceKindRule.ACCOUNT:
                value = _account(rule.value)
            case SourceKindRule.UPLOAD:
                value = rule.value
    except SourceUrlError as error:
        raise SourceRuleError(f"source {rule.kind.value}: {error}") from error
    return rule.model_copy(update={"value": value})


def rule_key(rule: SourceRule) -> SourceKey:
    """The key under which an index finds the rule."""
    if rule.kind in (SourceKindRule.URL_PREFIX, SourceKindRule.IMAGE_URL):
        return rule.kind, without_scheme(rule.value)
    return rule.kind, rule.value


def asset_keys(asset: Asset) -> Iterator[SourceKey]:
    """Every key under which a rule could name this asset, the most exact first."""
    if asset.sha256 is not None:
        yield SourceKindRule.ASSET_SHA256, asset.sha256
    if asset.upload_grant_id is not None:
        yield SourceKindRule.UPLOAD, asset.upload_grant_id
    if asset.final_url is not None:
        yield SourceKindRule.IMAGE_URL, without_scheme(asset.final_url)
        for folder in folders(asset.final_url):
            yield SourceKindRule.URL_PREFIX, folder
    if asset.account is not None:
        yield SourceKindRule.ACCOUNT, asset.account


def naming_rules(rules: Iterable[SourceRule], asset: Asset) -> list[SourceRule]:
    """The rules that name the asset, the most exact first."""
    named = [rule for rule in rules if _names(rule, asset)]
    if len(named) > 1:
        keys = list(asset_keys(asset))
        # Of two for the very same target the later one counts.
        named.reverse()
        named.sort(key=lambda rule: keys.index(rule_key(rule)))
    return named


def _names(rule: SourceRule, asset: Asset) -> bool:
    """Whether the key of the rule is one of `asset_keys`, without making them all."""
    kind = rule.kind
    if kind is _PREFIX:
        return asset.final_url is not None and is_folder_of(without_scheme(rule.value), without_scheme(asset.final_url))
    if kind is _IMAGE:
        return asset.final_url is not None and without_scheme(rule.value) == without_scheme(asset.final_url)
    if kind is _SHA256:
        return rule.value == asset.sha256
    if kind is _UPLOAD:
        return rule.value == asset.upload_grant_id
    return rule.value == asset.account


def matching_rule(rules: Iterable[SourceRule], asset: Asset) -> SourceRule | None:
    """The most exact rule that names the asset, or None."""
    return next(iter(naming_rules(rules, asset)), None)


def is_control_shown(rules: Iterable[SourceRule], asset: Asset, now: datetime) -> bool:
    """Whether a rule that names the asset needs no proof of control, or has one that still counts."""
    return have_control(naming_rules(rules, asset), now)


def have_control(named: Iterable[SourceRule], now: datetime) -> bool:
    """The same of the rules that name it.

    A rule for one photograph needs none, since she said yes to that very photograph. A folder or an account holds what others put there
    tomorrow, so its controller must have shown that it is the one who does.
    """
    return any([rule.kind in ONE_PHOTOGRAPH or has_proof(rule, now) for rule in named])


def has_proof(rule: SourceRule, now: datetime) -> bool:
    """A proof that the controller controls what this rule names counts now."""
    return rule.control_until is not None and now < rule.control_until


def _digest(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise SourceRuleError("source asset_sha256: give the 64 hex digits of the file's SHA-256")
    return value.lower()


def _account(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+@[\w.-]+\.[\w-]+", value) or "*" in value:
        raise SourceRuleError("source account: give name@host of one account")
    return value.lower()
