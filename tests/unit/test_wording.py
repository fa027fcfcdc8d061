"""Every code that a decision can hold has words in both languages, no two of them the same, and none of them the code itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path

import pytest

from assent.deciding.outcome_remedies import EMBEDDED, OUTCOMES, remedy_of
from assent.deciding.refusals import Outcome
from assent.deciding.rule_texts import RULES
from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind
from assent.events.grants import GrantState, SourceKindRule
from assent.events.images import Stage
from assent.events.optouts import SeenOptOut
from assent.faces.image_refusal import ImageRefusal
from assent.geofence.areas import AreaIndex
from assent.geofence.country_names import country_code
from assent.geofence.place_names import SUBDIVISIONS
from assent.identity.errors import ApiError
from assent.ids import UNKNOWN, Jurisdiction, RuleId
from assent.optouts.signal import ContentRight, SignalKind, SignalSource, SignalVerdict
from assent.wording.evidence_text import evidence_kind_text, evidence_text
from assent.wording.language import language_of, terminal_language
from assent.wording.law_text import LAWS, TECHNICAL, laws_of
from assent.wording.moment_text import day_text, moment_text
from assent.wording.optout_text import optout_text
from assent.wording.place_text import place_text, places_text
from assent.wording.stage_text import decided_text, meaning_text, stage_text
from services.registry.portal_problems import PROBLEMS_FR, problem_text
from services.registry.portal_texts import TEXTS
from services.registry.proof_handlers import erasure_view
from tests.conftest import ROOT

NOW = datetime(2026, 11, 1, 6, 5, tzinfo=UTC)


def kind_alone(kind: SignalKind, lang: str) -> str:
    return optout_text(SeenOptOut(kind=kind, verdict=SignalVerdict.DENY, source=SignalSource.PAGE), lang)


def source_alone(source: SignalSource, lang: str) -> str:
    return optout_text(SeenOptOut(kind=SignalKind.LICENCE, verdict=SignalVerdict.DENY, source=source), lang)


def verdict_alone(verdict: SignalVerdict, lang: str) -> str:
    return optout_text(SeenOptOut(kind=SignalKind.LICENCE, verdict=verdict, source=SignalSource.PAGE), lang)


CATALOGUES: dict[str, tuple[type[StrEnum], Callable[..., str]]] = {
    "evidence": (EvidenceKind, evidence_kind_text),
    "stage": (Stage, stage_text),
    "opt-out": (SignalKind, kind_alone),
    "place of an opt-out": (SignalSource, source_alone),
    "verdict of an opt-out": (SignalVerdict, verdict_alone),
}


@pytest.mark.parametrize("name", CATALOGUES)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_member_has_words_of_its_own(name: str, lang: str) -> None:
    members, text = CATALOGUES[name]
    said = {member.value: text(member, lang) for member in members}
    assert len(set(said.values())) == len(said)
    for code, words in said.items():
        assert len(words.split()) >= 2, code
        assert words != code
        assert words != text(members(code), "en" if lang == "fr" else "fr")


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("stage", list(Stage))
def test_what_a_no_of_each_stage_means_is_said(stage: Stage, lang: str) -> None:
    said = {meaning_text(each, Outcome.CLOSED_PLACE, is_yes=False, lang=lang) for each in Stage}
    assert len(said) == len(Stage)
    assert "" not in said
    yes, waits = meaning_text(stage, EMBEDDED, is_yes=True, lang=lang), meaning_text(stage, "awaits_approval", is_yes=False, lang=lang)
    assert not {yes, waits} & said
    assert decided_text(is_yes=True, lang=lang) != decided_text(is_yes=False, lang=lang)


def test_every_place_that_a_decision_can_name_has_a_name_in_both_languages() -> None:
    subdivisions = {place for table in SUBDIVISIONS.values() for place in table.values()}
    codes = {*AreaIndex.load()._codes, *subdivisions, "CA", "US", "AU", "EU", UNKNOWN}
    for lang in ("en", "fr"):
        names = {code: place_text(code, lang) for code in codes}
        assert [code for code, name in names.items() if name == code or not name] == []
        assert len(set(names.values())) == len(names)
    # What is written is what the readers of metadata know under that name.
    for code in codes:
        if "-" not in code and code not in (UNKNOWN, "EU"):
            assert country_code(place_text(code)) == code
    assert (place_text("CA-QC", "fr"), place_text("US-IL"), place_text("FR-75", "fr")) == ("Québec", "Illinois", "FR-75 (France)")
    assert place_text("ZZ") == "ZZ"
    assert places_text(["CA-BC", "DE"], "fr") == "Colombie-Britannique, Allemagne"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_says_what_it_stands_on(rule: str) -> None:
    documented = set(re.findall(r"^\| ([A-Za-z0-9_-]+) \|", (ROOT / "docs" / "rules.md").read_text(), re.M))
    laws = laws_of(RuleId(rule))
    assert bool(laws) is (rule not in TECHNICAL)
    assert {law.id for law in laws} <= documented & LAWS
    for law, french in zip(laws, laws_of(RuleId(rule), "fr"), strict=True):
        assert (law.id, law.text != french.text) == (french.id, True)


def test_no_two_laws_have_the_same_words() -> None:
    for lang in ("en", "fr"):
        said = {law.text for rule in RULES for law in laws_of(RuleId(rule), lang)}
        assert len(said) == len({law.id for rule in RULES for law in laws_of(RuleId(rule), lang)})


def test_evidence_is_told_by_where_it_was_read_and_which_place() -> None:
    def row(*places: str, is_invalid: bool = False) -> CoarseEvidence:
        return CoarseEvidence(
            kind=EvidenceKind.EXIF_GPS,
            connector=Connector.CAPTURE,
            jurisdictions=tuple(Jurisdiction(place) for place in places),
            deny_weight=1,
            allow_weight=0.6,
            is_invalid=is_invalid,
        )

    assert evidence_text(row("CA-QC", "CA-ON")) == "the GPS position in the picture: Quebec, Ontario"
    assert evidence_text(row("CA-QC"), "fr") == "la position GPS dans l'image : Québec"
    assert "cannot be read" in evidence_text(row(UNKNOWN, is_invalid=True))
    assert "illisible" in evidence_text(row(UNKNOWN, is_invalid=True), "fr")
    assert "no place" in evidence_text(row())


@pytest.mark.parametrize(
    ("at", "english", "french"),
    [
        (NOW, "1 November 2026, 06:05 UTC", "1er novembre 2026 à 6 h 05 UTC"),
        (NOW.replace(day=26, hour=23), "26 November 2026, 23:05 UTC", "26 novembre 2026 à 23 h 05 UTC"),
        (datetime(2026, 8, 1, 1, tzinfo=timezone(timedelta(hours=2))), "31 July 2026, 23:00 UTC", "31 juillet 2026 à 23 h 00 UTC"),
    ],
)
def test_a_moment_is_written_as_people_write_it(at: datetime, english: str, french: str) -> None:
    assert (moment_text(at), moment_text(at, "fr")) == (english, french)
    assert moment_text(at).startswith(day_text(at))


@pytest.mark.parametrize(
    ("asked", "header", "lang"),
    [
        ("fr", "en", "fr"),
        ("en-CA", "fr", "en"),
        ("de", "fr-CA, en;q=0.8", "fr"),
        (None, "de, fr;q=0.5, en;q=0.9", "en"),
        (None, "de, fr;q=0.9, en;q=0.5", "fr"),
        (None, "fr;q=0, en;q=0.1", "en"),
        (None, "fr;q=x, en;q=0.1", "en"),
        (None, "de", "en"),
        (None, "", "en"),
        (None, "FR-ca", "fr"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_browsers(asked: str | None, header: str, lang: str) -> None:
    assert language_of(asked, header) == lang


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "en"),
        ({"LANG": "fr_CA.UTF-8"}, "fr"),
        ({"LANG": "fr_CA.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C.UTF-8", "LC_MESSAGES": "fr_FR"}, "fr"),
        ({"LANG": "de_DE"}, "en"),
    ],
)
def test_the_language_of_a_terminal(environment: dict[str, str], lang: str) -> None:
    assert terminal_language(environment) == lang


def test_every_outcome_has_a_remedy_of_its_own_in_both_languages() -> None:
    for lang in ("en", "fr"):
        said = [remedy_of(outcome, lang) for outcome in OUTCOMES if outcome != EMBEDDED]
        assert len(set(said)) == len(said)
        assert all(sentence.endswith(".") for sentence in said)
    assert not {remedy_of(outcome) for outcome in OUTCOMES if outcome != EMBEDDED} & {remedy_of(outcome, "fr") for outcome in OUTCOMES}


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_her_page_has_words_for_every_state_source_right_outcome_and_erasure(lang: str) -> None:
    statuses = set(re.findall(r'status = "(\w+)"|"(\w+)" if', _source_of(erasure_view.__module__)))
    codes = {
        "state": {state.value for state in GrantState},
        "source": {kind.value for kind in SourceKindRule},
        "right": {right.value for right in ContentRight},
        "outcome": {*(outcome.value for outcome in Outcome), EMBEDDED},
        "help": {*(outcome.value for outcome in Outcome), EMBEDDED},
        "erasure": {"effective", *(one or other for one, other in statuses)},
    }
    assert len(codes["erasure"]) == 4
    for kind, values in codes.items():
        said = [TEXTS[lang][f"{kind}_{value}"] for value in sorted(values)]
        assert len(set(said)) == len(said)
        assert not set(said) & values
    assert set(TEXTS["en"]) == set(TEXTS["fr"])


def _source_of(module: str) -> str:
    return (ROOT / Path(*module.split("."))).with_suffix(".py").read_text()


HER_MODULES = (
    "grants",
    "given_grant",
    "renewals",
    "approvals",
    "uploads",
    "upload_handlers",
    "portal",
    "access",
    "sessions",
    "overrides",
    "references",
    "endings",
    "refused",
)
"""What her pages call."""


def test_every_failure_that_her_pages_can_show_has_words_in_french() -> None:
    files = [ROOT / "services" / "registry" / f"{name}.py" for name in HER_MODULES]
    files += [
        ROOT / "assent" / "identity" / "auth.py",
        ROOT / "assent" / "deployment" / "body_pace.py",
        ROOT / "assent" / "deployment" / "sent_form.py",
    ]
    codes = {code for file in files for code in re.findall(r'ApiError\(\s*\d{3},\s*"([^"]+)"', file.read_text())}
    assert {"wrong_secret", "not_waiting", "privacy_signal", "control_unproven"} <= codes
    assert sorted(codes - set(PROBLEMS_FR)) == []
    for code, said in PROBLEMS_FR.items():
        failure = ApiError(409, code, "In English.", "Do this.")
        assert (problem_text(failure, "fr"), problem_text(failure, "en")) == (said, "In English. Do this.")
    for reason in ImageRefusal:
        assert "Envoyez" in problem_text(ApiError(422, f"image_{reason.value}", "In English.", ""), "fr")
