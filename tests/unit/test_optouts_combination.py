"""Signals only ever add reasons to refuse."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.events.images import Sighting
from assent.events.optouts import SeenOptOut
from assent.optouts.agent import AGENT_NAME, is_addressed, product_token
from assent.optouts.combination import combine, once_each
from assent.optouts.signal import MAX_TOKEN_CHARS, OptOutSignal, SignalKind, SignalScope, SignalSource, SignalVerdict
from tests.unit.decision_cases import SIGHTING

SIGNALS = st.builds(
    OptOutSignal, st.sampled_from(SignalKind), st.sampled_from(SignalVerdict), st.sampled_from(SignalSource), st.text(max_size=80)
)


def signal(verdict: SignalVerdict, kind: SignalKind = SignalKind.TDMREP) -> OptOutSignal:
    return OptOutSignal(kind, verdict, SignalSource.HEADER, "token")


@pytest.mark.parametrize(
    ("verdicts", "is_denied"),
    [
        ([], False),
        (["none"], False),
        (["deny"], True),
        (["unknown"], True),
        (["none", "deny"], True),
        (["none", "unknown"], True),
        (["deny", "none", "none"], True),
    ],
)
def test_any_denial_and_any_doubt_denies(verdicts: list[str], is_denied: bool) -> None:
    for order in permutations(verdicts):
        assert combine(signal(SignalVerdict(verdict)) for verdict in order).is_denied is is_denied


def test_what_was_seen_was_seen_of_the_picture_unless_it_is_said_to_be_of_the_page() -> None:
    """What is said of a page alone, a right named for the page sets aside; what is said of the picture it does not."""
    verdict = combine([signal(SignalVerdict.DENY)])
    assert [[one.of_page for one in seen] for seen in (verdict.seen(), verdict.seen(of_page=True))] == [[False], [True]]


def test_there_is_no_word_for_yes() -> None:
    assert {verdict.value for verdict in SignalVerdict} == {"deny", "unknown", "none"}


@given(st.lists(SIGNALS, max_size=8), SIGNALS, st.integers(0, 8))
def test_one_more_signal_never_turns_a_denial_into_none(signals: list[OptOutSignal], added: OptOutSignal, place: int) -> None:
    more = [*signals[:place], added, *signals[place:]]
    assert combine(more).is_denied or not combine(signals).is_denied
    assert set(combine(more).denies) >= set(combine(signals).denies)


@given(st.lists(SIGNALS, max_size=40), st.booleans())
def test_what_was_seen_is_told_once_of_each_kind_and_refuses_as_before(signals: list[OptOutSignal], of_page: bool) -> None:
    verdict = combine(signals)
    seen = verdict.seen(of_page=of_page)
    assert bool(seen) is verdict.is_denied
    assert {(one.kind, one.verdict) for one in seen} == {(one.kind, one.verdict) for one in (*verdict.denies, *verdict.unknown)}
    assert len(seen) == len({(one.kind, one.verdict) for one in seen}) <= 64
    assert once_each((*seen, *seen)) == seen
    assert {one.of_page for one in seen} <= {of_page}


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        (SignalKind.ROBOTS_TXT, SignalScope.ROBOTS),
        (SignalKind.ROBOTS_TAG, SignalScope.ROBOTS),
        (SignalKind.AI_TXT, SignalScope.ROBOTS),
        (SignalKind.CONTENT_SIGNAL, SignalScope.ROBOTS),
        (SignalKind.ACCESS, SignalScope.ROBOTS),
        (SignalKind.CONTENT_USAGE, SignalScope.CONTENT_RIGHTS),
        (SignalKind.TDMREP, SignalScope.CONTENT_RIGHTS),
        (SignalKind.PLUS_DATA_MINING, SignalScope.CONTENT_RIGHTS),
        (SignalKind.RSL, SignalScope.CONTENT_RIGHTS),
        (SignalKind.LICENCE, SignalScope.CONTENT_RIGHTS),
        (SignalKind.C2PA_TRAINING, SignalScope.SEALED),
        (SignalKind.PLUS_MINOR_MODEL, SignalScope.PERSON),
        (SignalKind.PLUS_MODEL_RELEASE, SignalScope.PERSON),
    ],
)
def test_a_signal_says_whose_business_it_is(kind: SignalKind, scope: SignalScope) -> None:
    assert signal(SignalVerdict.DENY, kind).scope is scope


@given(SIGNALS)
def test_a_token_is_short_and_plain(made: OptOutSignal) -> None:
    assert len(made.token) <= MAX_TOKEN_CHARS
    assert not set(made.token) & set("/:@?&%\n\r ")


def test_the_rule_of_a_refusal_follows_the_kind() -> None:
    assert SignalKind.ROBOTS_TXT.rule == "robots_disallow"
    assert SignalKind.AI_TXT.rule == "optout_signal"


@pytest.mark.parametrize(
    ("name", "agent", "is_ours"),
    [
        ("AssentBot", "assentbot", True),
        ("assentbot/2.1 (+https://assent.example/bot)", AGENT_NAME, True),
        ("*", AGENT_NAME, True),
        ("Assent", AGENT_NAME, False),
        ("AssentBotX", AGENT_NAME, False),
        ("", AGENT_NAME, False),
        ("OtherBot", "OtherBot/1.0", True),
    ],
)
def test_a_name_is_matched_whole_and_in_any_case(name: str, agent: str, is_ours: bool) -> None:
    assert is_addressed(name, agent=agent) is is_ours
    assert product_token(f" {name} ") == product_token(name)


def test_everything_that_can_be_seen_at_once_fits_into_an_event() -> None:
    """An outside producer writes what it likes beside an image that says much itself, and no later reader may choke on that."""
    every = [
        SeenOptOut(kind=kind, verdict=verdict, source=SignalSource.IMAGE, of_page=of_page)
        for verdict in reversed(SignalVerdict)
        for kind in SignalKind
        for of_page in (True, False)
    ]
    seen = once_each((*every, *every))
    assert set(seen) == {one for one in every if one.verdict is not SignalVerdict.NONE}
    sighting = SIGHTING.model_copy(update={"optouts": seen})
    assert Sighting.model_validate_json(sighting.model_dump_json()) == sighting


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("!Train-AI = n!", "train-ai_=_n"),
        ("-a-", "-a-"),
        ("__a__", "a"),
        ("https://x/y", "https_x_y"),
        ("é", ""),
        ("A.b*c", "a.b*c"),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_token_is_plain_and_short_and_no_address(text: str, token: str) -> None:
    assert OptOutSignal(SignalKind.HTML, SignalVerdict.NONE, SignalSource.PAGE, text).token == token


def test_sites_write_our_name_in_their_files_so_it_stays() -> None:
    assert AGENT_NAME == "AssentBot"
