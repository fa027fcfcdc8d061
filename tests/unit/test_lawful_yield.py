"""Lawful yield: the committed cases are those of the tables, every fault is the only one of its case, and the page tells the numbers."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from assent.deciding.recorded import recorded_decisions
from assent.deciding.replay import replay
from assent.events.envelope import decode, encode
from assent.events.images import Stage
from services.registry.policy_file import read_policy
from tests.lawful_yield.case import Case, Granted
from tests.lawful_yield.document import BEGIN, DOCUMENT, END, numbers, written
from tests.lawful_yield.lawful import lawful_cases
from tests.lawful_yield.report import CASES, Result, Yield, lines, measured, read_cases, run
from tests.lawful_yield.unlawful import faulty_pairs
from tests.unit.policy_examples import EVERY_OPERATION, shipped

OPENED = {place for place, rules in shipped().jurisdictions.items() if set(EVERY_OPERATION) <= set(rules.with_grant) and not rules.filings}
"""Places that a grant can open under the shipped policy as it is; Quebec's entry waits for its filings."""


@pytest.fixture(scope="module")
def found() -> Yield:
    return asyncio.run(measured())


def test_the_committed_cases_are_those_that_the_tables_give() -> None:
    assert lines(read_cases("lawful")) == lines(lawful_cases())
    assert lines(read_cases("unlawful")) == lines(case for _, _, case in faulty_pairs())


def test_the_page_tells_the_numbers_and_nothing_is_wrong(found: Yield) -> None:
    assert found.faults() == []
    text = DOCUMENT.read_text()
    assert text == written(text, found)
    assert found.line in numbers(found)


def test_every_decision_about_a_case_replays(found: Yield) -> None:
    """Invariant 10, over what the services' own code told of each case, as it would be read from the log."""
    events = [event for result in (*found.lawful, *found.unlawful, *found.unasked) for event in result.events]
    decisions = [decision for event in events for decision in recorded_decisions(decode(encode(event)))]
    different = [decision for decision in decisions if not replay(decision, shipped()).is_same(decision)]
    assert different == []
    stages = Counter((decision.stage, decision.is_yes) for decision in decisions)
    assert stages[Stage.CONSENT, True] >= 489
    assert min(stages[stage, False] for stage in (Stage.CRAWLER, Stage.GEOFENCE, Stage.CONSENT)) >= 50


def test_every_opened_place_has_residents_at_home_and_travelling() -> None:
    cases = lawful_cases()
    assert OPENED == {"CA-BC", "CA-AB", "US-IL"}
    assert {place for case in cases for place in case.lives} == OPENED
    travels = {(case.lives[0], case.taken) for case in cases}
    assert travels == {(lives, taken) for lives in OPENED for taken in OPENED}


def test_a_lawful_case_is_lawful_by_its_own_facts() -> None:
    """Told from the facts alone: open where she lives and where it was taken, and granted for each of them."""
    for case in lawful_cases():
        assert case.grant is not None
        assert {*case.lives, case.taken} <= OPENED
        assert set(case.grant.places) == {*case.lives, case.taken}
        assert case.grant.changes == {}
        assert (case.ended, case.suppressed, case.photo.fault, case.photo.faces, case.rules) == (None, False, None, 1, ())


def test_the_mix_is_what_the_page_says() -> None:
    cases = lawful_cases()
    endings = Counter(case.site.image_url.split("/")[2].rpartition(".")[2] for case in cases if case.entrance != "upload")
    assert {"ca", "com", "org"} <= endings.keys()
    assert min(endings[name] for name in ("ca", "com", "org")) >= 80
    assert 0.40 <= sum(case.photo.gps is not None for case in cases) / CASES <= 0.50
    assert 0.12 <= sum(case.taken not in case.lives for case in cases) / CASES <= 0.25
    assert {"en-CA", "en-US", "fr-CA", "en"} <= {case.site.language for case in cases}


async def test_every_unlawful_case_passes_without_its_fault() -> None:
    """So what refuses it is the fault, and not a thing that nobody meant."""
    results = await run(base for _, base, _ in faulty_pairs())
    assert [(result.case.id, result.ending.rules) for result in results if not result.ending.is_passed] == []
    assert len(results) == CASES


def test_every_unlawful_case_says_which_rule_must_refuse_it() -> None:
    cases = read_cases("unlawful")
    assert len({case.id for case in cases}) == CASES
    assert all(case.rules for case in cases)
    assert all(base != case.model_copy(update={"about": base.about, "rules": ()}) for _, base, case in faulty_pairs())


async def test_a_case_that_slips_through_or_is_refused_for_another_reason_is_told() -> None:
    """The count can fail: a lawful case put among the unlawful ones is found, and so is a wrong label."""
    lawful, unlawful = lawful_cases()[0], read_cases("unlawful")[0]
    wrong = lawful.model_copy(update={"rules": ("no_grant",)})
    mislabelled = unlawful.model_copy(update={"rules": ("CA-6",)})
    results = await run([wrong, mislabelled])
    faults = Yield(await run([unlawful]), results, []).faults()
    assert f"{wrong.id} passes: {wrong.about}" in faults
    assert f"{mislabelled.id} is refused by no_grant and not by CA-6: {mislabelled.about}" in faults
    assert "0 of 1 lawful cases pass; at least 95% must" in faults


async def test_what_is_open_to_a_grant_is_closed_without_its_form() -> None:
    """A grant of the right person for the wrong place passes nowhere."""
    case = lawful_cases()[0]
    stripped = case.model_copy(update={"grant": Granted(places=("NZ",), source="folder", only_me=True)})
    (result,) = await run([stripped])
    assert {"legal_form_missing", "scope_not_granted"} <= set(result.ending.rules)


def test_a_page_without_a_place_for_numbers_is_refused(found: Yield) -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        written("# Lawful yield\n", found)
    assert written(f"{BEGIN}old{END}", found).count(BEGIN) == 1


def test_the_shipped_policy_is_the_one_that_is_measured() -> None:
    assert read_policy(None).version == shipped().version


def failed(results: list[Result]) -> list[Case]:
    return [result.case for result in results if not result.ending.is_passed]


def test_lawful_cases_that_fail_do_so_for_the_reasons_told(found: Yield) -> None:
    """Each of them tells a place that is closed, or one that cannot be told: never a hint, a language or a domain."""
    for case in failed(found.lawful):
        assert case.photo.gps is not None or (case.photo.xmp or case.photo.iptc).keys() == {"city", "country"}
