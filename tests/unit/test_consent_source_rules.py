"""Source rules: what each kind may name, in one spelling, and whose word a folder or an account needs beside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assent.consent.asset import Asset
from assent.consent.source_rules import SourceRuleError, asset_keys, checked_rule, is_control_shown, matching_rule
from assent.events.grants import SourceKindRule, SourceRule
from assent.events.images import SourceKind
from assent.ids import GrantId

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SHA = "ab" * 32
EVERYTHING = Asset(SourceKind.WEB_PAGE, "https://h.example/a/b/c.jpg", "ada@h.example", SHA, GrantId("g-1"))


def rule(kind: SourceKindRule, value: str, until: datetime | None = None) -> SourceRule:
    return SourceRule(kind=kind, value=value, control_until=until)


@pytest.mark.parametrize(
    ("kind", "written", "spelled"),
    [
        (SourceKindRule.ASSET_SHA256, SHA.upper(), SHA),
        (SourceKindRule.ACCOUNT, "Ada.L-1@H-x.Example", "ada.l-1@h-x.example"),
        (SourceKindRule.URL_PREFIX, "HTTPS://h.example/a", "https://h.example/a/"),
        (SourceKindRule.IMAGE_URL, "HTTPS://h.example/a", "https://h.example/a"),
        (SourceKindRule.UPLOAD, "g-1", "g-1"),
    ],
)
def test_each_kind_has_one_spelling(kind: SourceKindRule, written: str, spelled: str) -> None:
    assert checked_rule(rule(kind, written)) == rule(kind, spelled)


@pytest.mark.parametrize("value", ["a" * 63, "a" * 65, "g" * 64, ""])
def test_a_digest_has_sixty_four_hex_digits(value: str) -> None:
    with pytest.raises(SourceRuleError, match="64 hex digits"):
        checked_rule(SourceRule.model_construct(kind=SourceKindRule.ASSET_SHA256, value=value))


@pytest.mark.parametrize("value", ["ada@h", "ada@*.example", "a*a@h.example", "@h.example", "ada@h.example/", "ada h@h.example"])
def test_an_account_is_one_name_at_one_host(value: str) -> None:
    with pytest.raises(SourceRuleError, match="name@host"):
        checked_rule(rule(SourceKindRule.ACCOUNT, value))


@pytest.mark.parametrize("kind", [SourceKindRule.URL_PREFIX, SourceKindRule.IMAGE_URL])
def test_an_address_that_is_refused_says_of_which_kind_of_rule(kind: SourceKindRule) -> None:
    with pytest.raises(SourceRuleError, match=f"source {kind.value}: only http and https"):
        checked_rule(rule(kind, "ftp://h.example/a/"))


def test_the_keys_of_an_image_come_from_the_most_exact_to_the_widest() -> None:
    assert list(asset_keys(EVERYTHING)) == [
        (SourceKindRule.ASSET_SHA256, SHA),
        (SourceKindRule.UPLOAD, "g-1"),
        (SourceKindRule.IMAGE_URL, "h.example/a/b/c.jpg"),
        (SourceKindRule.URL_PREFIX, "h.example/a/b/"),
        (SourceKindRule.URL_PREFIX, "h.example/a/"),
        (SourceKindRule.ACCOUNT, "ada@h.example"),
    ]
    assert list(asset_keys(Asset(SourceKind.WEB_PAGE))) == []


@pytest.mark.parametrize(
    "named",
    [
        rule(SourceKindRule.ASSET_SHA256, SHA),
        rule(SourceKindRule.UPLOAD, "g-1"),
        rule(SourceKindRule.IMAGE_URL, "http://h.example/a/b/c.jpg"),
        rule(SourceKindRule.URL_PREFIX, "http://h.example/a/"),
        rule(SourceKindRule.ACCOUNT, "ada@h.example"),
    ],
    ids=lambda named: named.kind.value,
)
def test_each_kind_names_what_it_says_and_only_one_photograph_needs_no_proof(named: SourceRule) -> None:
    one = named.kind in (SourceKindRule.ASSET_SHA256, SourceKindRule.UPLOAD, SourceKindRule.IMAGE_URL)
    assert matching_rule([named], EVERYTHING) == named
    assert is_control_shown([named], EVERYTHING, NOW) is one
    proven = named.model_copy(update={"control_until": NOW + timedelta(microseconds=1)})
    assert is_control_shown([proven], EVERYTHING, NOW)
    assert is_control_shown([named.model_copy(update={"control_until": NOW})], EVERYTHING, NOW) is one, "a proof has run out at its end"


def test_a_rule_of_another_image_shows_no_control_of_this_one() -> None:
    other = rule(SourceKindRule.IMAGE_URL, "https://h.example/a/b/d.jpg")
    folder = rule(SourceKindRule.URL_PREFIX, "https://h.example/a/")
    assert not is_control_shown([other, folder], EVERYTHING, NOW)
    assert is_control_shown([other, folder, rule(SourceKindRule.ASSET_SHA256, SHA)], EVERYTHING, NOW)


def test_an_address_that_holds_another_one_is_named_whole() -> None:
    named = rule(SourceKindRule.IMAGE_URL, "https://h.example/a?of=https://x.example/1")
    assert matching_rule([named], Asset(SourceKind.WEB_PAGE, "http://h.example/a?of=https://x.example/1")) == named
    assert matching_rule([named], Asset(SourceKind.WEB_PAGE, "http://h.example/a?of=https://x.example/2")) is None
