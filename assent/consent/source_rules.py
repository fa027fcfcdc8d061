"""Which source rule of a grant names an image; a rule that names no real target is refused when it is written, never matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from assent.consent.asset import Asset
from assent.consent.source_url import SourceUrlError, folders, normalise_prefix, normalise_url, without_scheme
from assent.events.grants import SourceKindRule, SourceRule

ONE_PHOTOGRAPH = frozenset({SourceKindRule.IMAGE_URL, SourceKindRule.ASSET_SHA256, SourceKindRule.UPLOAD})
"""Rules that name exactly one photograph, or photographs handed in one by one."""

SourceKey = tuple[SourceKindRule, str]


class SourceRuleError(ValueError):
    """Raised when a source rule names no real target (AIA-2). The message says what to write instead."""


def checked_rule(rule: SourceRule) -> SourceRule:
    """The rule with its value in the one spelling that is matched.

    Raises SourceRuleError for a wildcard, a bare domain, a digest that is none, an account with odd characters.
    """
    try:
        match rule.kind:
            case SourceKindRule.URL_PREFIX:
                value = normalise_prefix(rule.value)
            case SourceKindRule.IMAGE_URL:
                value = normalise_url(rule.value)
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


def matching_rule(rules: Iterable[SourceRule], asset: Asset) -> SourceRule | None:
    """The most exact rule that names the asset, or None."""
    by_key = {rule_key(rule): rule for rule in rules}
    for key in asset_keys(asset):
        rule = by_key.get(key)
        if rule is not None:
            return rule
    return None


def is_control_shown(rules: Iterable[SourceRule], asset: Asset, now: datetime) -> bool:
    """Whether a rule that names the asset needs no proof of control, or has one that still counts.

    A rule for one photograph needs none, since she said yes to that very photograph. A folder or an account holds what others put there
    tomorrow, so its controller must have shown that it is the one who does.
    """
    keys = frozenset(asset_keys(asset))
    named = (rule for rule in rules if rule_key(rule) in keys)
    return any(rule.kind in ONE_PHOTOGRAPH or (rule.control_until is not None and now < rule.control_until) for rule in named)


def _digest(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise SourceRuleError("source asset_sha256: give the 64 hex digits of the file's SHA-256")
    return value.lower()


def _account(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+@[\w.-]+\.[\w-]+", value) or "*" in value:
        raise SourceRuleError("source account: give name@host of one account")
    return value.lower()
