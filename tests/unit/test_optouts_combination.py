"""Signals only ever add reasons to refuse."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.agent import AGENT_NAME, is_addressed, product_token
from assent.optouts.combination import OptOutVerdict, combine
from assent.optouts.signal import MAX_TOKEN_CHARS, OptOutSignal, SignalKind, SignalScope, SignalSource, SignalVerdict

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


def test_there_is_no_word_for_yes() -> None:
    assert {verdict.value for verdict in SignalVerdict} == {"deny", "unknown", "none"}


@given(st.lists(SIGNALS, max_size=8), SIGNALS, st.integers(0, 8))
@pytest.mark.parametrize("asks", [lambda v: v.is_denied, lambda v: v.is_denied_to_rights_holder])
def test_one_more_signal_never_turns_a_denial_into_none(
    asks: Callable[[OptOutVerdict], bool], signals: list[OptOutSignal], added: OptOutSignal, place: int
) -> None:
    more = [*signals[:place], added, *signals[place:]]
    assert asks(combine(more)) or not asks(combine(signals))
    assert set(combine(more).denies) >= set(combine(signals).denies)


@given(st.lists(SIGNALS, max_size=8))
def test_a_rights_holder_is_never_denied_less_than_rights_reach(signals: list[OptOutSignal]) -> None:
    verdict = combine(signals)
    assert verdict.is_denied or not verdict.is_denied_to_rights_holder


@pytest.mark.parametrize(
    ("kind", "scope", "still_denied"),
    [
        (SignalKind.ROBOTS_TXT, SignalScope.ROBOTS, True),
        (SignalKind.ROBOTS_TAG, SignalScope.ROBOTS, True),
        (SignalKind.AI_TXT, SignalScope.ROBOTS, True),
        (SignalKind.ACCESS, SignalScope.ROBOTS, True),
        (SignalKind.CONTENT_USAGE, SignalScope.CONTENT_RIGHTS, False),
        (SignalKind.TDMREP, SignalScope.CONTENT_RIGHTS, False),
        (SignalKind.PLUS_DATA_MINING, SignalScope.CONTENT_RIGHTS, False),
        (SignalKind.RSL, SignalScope.CONTENT_RIGHTS, False),
        (SignalKind.LICENCE, SignalScope.CONTENT_RIGHTS, False),
        (SignalKind.PLUS_MINOR_MODEL, SignalScope.PERSON, True),
        (SignalKind.PLUS_MODEL_RELEASE, SignalScope.PERSON, True),
    ],
)
def test_only_content_rights_yield_to_their_holder(kind: SignalKind, scope: SignalScope, still_denied: bool) -> None:
    denied = signal(SignalVerdict.DENY, kind)
    assert denied.scope is scope
    assert combine([denied]).is_denied_to_rights_holder is still_denied
    assert combine([signal(SignalVerdict.UNKNOWN, kind)]).is_denied_to_rights_holder


@given(SIGNALS)
def test_a_token_is_short_and_plain(made: OptOutSignal) -> None:
    assert len(made.token) <= MAX_TOKEN_CHARS
    assert not set(made.token) & set("/:@?&%\n\r ")


def test_the_rule_of_a_refusal_follows_the_kind() -> None:
    assert signal(SignalVerdict.DENY, SignalKind.ROBOTS_TXT).rule == "robots_disallow"
    assert signal(SignalVerdict.DENY, SignalKind.AI_TXT).rule == "optout_signal"


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
