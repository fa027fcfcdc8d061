"""Every rule that can refuse has words in both languages, and every outcome too."""

from __future__ import annotations

import pytest

from assent.consent.ledger import Standing
from assent.deciding.refusals import Outcome
from assent.deciding.rule_texts import RULES, RuleText, rule_text
from assent.deciding.standing_texts import STANDINGS, standing_text
from assent.ids import RuleId
from services.query.console_texts import OUTCOMES, TEXTS
from tests.unit.emitted_rules import rules_in_code, rules_in_policies


def test_the_search_for_rules_finds_some() -> None:
    assert {"no_grant", "robots_disallow", "optout_signal", "image_too_large", "quarantine_expired"} <= rules_in_code()
    assert {"BC-1", "QC-3", "EU-10"} <= rules_in_policies()


def test_every_rule_of_the_code_and_of_the_shipped_policy_has_words() -> None:
    assert sorted((rules_in_code() | rules_in_policies()) - RULES) == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_has_different_words_in_english_and_french(rule: str) -> None:
    english, french = rule_text(RuleId(rule)), rule_text(RuleId(rule), "fr")
    for text in (english, french):
        assert len(text.sentence.split()) >= 3
        assert rule not in text.sentence
        assert len(text.remedy.split()) >= 3, "something can be done, or it is said that nothing can"
        assert text.remedy.endswith(".")
    assert english.sentence != french.sentence
    assert english.remedy != french.remedy


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_two_rules_differ_by_their_code_alone(lang: str) -> None:
    said = [rule_text(RuleId(rule), lang).sentence for rule in sorted(RULES)]
    assert len(set(said)) == len(said)


def test_a_rule_of_a_newer_release_is_named_as_it_is() -> None:
    for lang in ("en", "fr"):
        assert rule_text(RuleId("ZZ-9"), lang) == RuleText("rule ZZ-9 says no", "")
    assert standing_text("frozen") == "the grant stood as frozen"


def test_french_is_told_to_who_asks_for_it_and_english_to_everybody_else() -> None:
    asked = [(), ("en",), ("de",), ("fr",)]
    assert [rule_text(RuleId("no_grant"), *lang).sentence for lang in asked] == ["nobody has said yes to this"] * 3 + [
        "personne n'a dit oui à cela"
    ]
    assert [standing_text(Standing.LIVE.value, *lang) for lang in asked] == ["the grant was live"] * 3 + ["l'autorisation était en vigueur"]


def test_every_standing_has_words_of_its_own() -> None:
    assert set(Standing) == STANDINGS
    said = [standing_text(standing.value, lang) for standing in Standing for lang in ("en", "fr")]
    assert not [text for text in said if text.startswith("the grant stood as")], "the words of a standing that nobody knows"
    assert len(set(said)) == len(said)


def test_every_outcome_and_every_word_of_the_console_is_in_both_languages() -> None:
    assert set(OUTCOMES["en"]) == set(OUTCOMES["fr"]) == {outcome.value for outcome in Outcome} | {"embedded"}
    assert set(TEXTS["en"]) == set(TEXTS["fr"])
