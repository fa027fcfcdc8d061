"""Content rights set aside: by name, for one source, under a proof that counts; whatever else was seen refuses as if nobody had spoken."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assent.consent.asset import Asset
from assent.consent.content_rights import MAY_OVERRIDE, NOTHING, SetAside, optout_rules, set_aside
from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import INGEST, Gate, Judgement
from assent.deciding.recorded import RecordedDecision, recorded_decisions
from assent.deciding.refusals import Refusal
from assent.deciding.replay import replay
from assent.deciding.suppressions import Suppressions
from assent.events.grants import BindingMode, FaceBinding, GrantSnapshot, GrantWithdrawn, SourceKindRule, SourceRule
from assent.events.images import SourceKind, Stage
from assent.events.optouts import SeenOptOut
from assent.ids import GrantId, RuleId
from assent.optouts.combination import combine
from assent.optouts.robots import robots_policy
from assent.optouts.signal import ContentRight, SignalKind, SignalSource, SignalVerdict
from assent.testing.fake_clock import FakeClock
from tests.unit.decision_cases import OPTOUTS, RULES, SEEN_OPTOUTS, Held, refused
from tests.unit.grant_examples import CA_BC, NOW, grant
from tests.unit.policy_examples import shipped

LATER, OVER = NOW + timedelta(days=1), NOW - timedelta(seconds=1)
OUTER, FOLDER, PICTURE = "https://site.example/all/", "https://site.example/all/ada/", "https://site.example/all/ada/1.jpg"
TDM, LICENCE = ContentRight.TDMREP, ContentRight.LICENCE
SHA, EVERY = "a" * 64, tuple(ContentRight)
NEVER = tuple(kind for kind in SignalKind if kind.value not in {right.value for right in ContentRight})


def rule(*rights: ContentRight, value: str = FOLDER, kind: str = "url_prefix", until: datetime | None = LATER) -> SourceRule:
    return SourceRule(kind=SourceKindRule(kind), value=value, only_me=True, control_until=until, overrides=rights)


def seen(kind: SignalKind = SignalKind.TDMREP, verdict: str = "deny", *, of_page: bool = False) -> SeenOptOut:
    return SeenOptOut(kind=kind, verdict=SignalVerdict(verdict), source=SignalSource.HEADER, of_page=of_page)


def found(url: str | None = PICTURE, *, page: str | None = FOLDER, sha256: str | None = None) -> Asset:
    return Asset(SourceKind.WEB_PAGE, final_url=url, page_url=page, sha256=sha256)


def gate_over(*grants: GrantSnapshot, at: datetime = NOW) -> Gate:
    ledger = ConsentLedger()
    for held in grants:
        ledger.apply_grant(held)
    return Gate(Held(ledger, shipped(), Suppressions()), FakeClock(at))


def judged(held: GrantSnapshot, *optouts: SeenOptOut, asset: Asset | None = None, at: datetime = NOW) -> Judgement:
    return gate_over(held, at=at).judge(GrantId("g-1"), INGEST, candidates=[CA_BC], asset=asset or found(), optouts=optouts)


# What the grant names, which picture and page, what was seen, whether it passes.
CASES: dict[str, tuple[tuple[SourceRule, ...], Asset, tuple[SeenOptOut, ...], bool]] = {
    "nothing seen, nothing set aside": ((rule(),), found(), (), True),
    "a reservation, nothing set aside": ((rule(),), found(), (seen(),), False),
    "a reservation, set aside by name": ((rule(TDM),), found(), (seen(),), True),
    "a reservation, another right set aside": ((rule(LICENCE),), found(), (seen(),), False),
    "what says nothing, as somebody may have written it": ((rule(),), found(), (seen(verdict="none"),), True),
    "two rights seen, one set aside": ((rule(TDM),), found(), (seen(), seen(SignalKind.LICENCE)), False),
    "two rights seen, both set aside": ((rule(TDM, LICENCE),), found(), (seen(), seen(SignalKind.LICENCE)), True),
    "what could not be read, set aside": ((rule(*EVERY),), found(), (seen(verdict="unknown"),), False),
    "read here and unreadable there": ((rule(*EVERY),), found(), (seen(), seen(verdict="unknown")), False),
    "set aside under a proof that ended": ((rule(*EVERY, until=OVER), rule(value=OUTER)), found(), (seen(),), False),
    "set aside under a proof that ends now": ((rule(*EVERY, until=NOW), rule(value=OUTER)), found(), (seen(),), False),
    "set aside for another folder": ((rule(), rule(*EVERY, value=f"{OUTER}eve/")), found(), (seen(),), False),
    "set aside for a sibling that begins alike": ((rule(), rule(*EVERY, value=f"{OUTER}ad/")), found(), (seen(),), False),
    "set aside for the folder around it": ((rule(), rule(TDM, value=OUTER)), found(), (seen(),), True),
    "set aside for this very picture": ((rule(), rule(TDM, value=PICTURE, kind="image_url")), found(), (seen(),), True),
    "set aside for this picture without a proof": (
        (rule(), rule(TDM, value=PICTURE, kind="image_url", until=None)),
        found(),
        (seen(),),
        False,
    ),
    "set aside for the picture beside it": ((rule(), rule(TDM, value=f"{FOLDER}2.jpg", kind="image_url")), found(), (seen(),), False),
    "set aside for its bytes": ((rule(), rule(*EVERY, value=SHA, kind="asset_sha256")), found(sha256=SHA), (seen(),), False),
    "set aside for what she hands in": (
        (rule(*EVERY, value="g-1", kind="upload"),),
        Asset(SourceKind.UPLOAD, sha256=SHA, upload_grant_id=GrantId("g-1")),
        (seen(SignalKind.PLUS_DATA_MINING),),
        False,
    ),
    "the page says it, set aside for both": ((rule(TDM),), found(), (seen(of_page=True),), True),
    "the page says it, set aside for the picture alone": (
        (rule(), rule(TDM, value=PICTURE, kind="image_url")),
        found(),
        (seen(of_page=True),),
        False,
    ),
    "the page of another host says it": ((rule(TDM),), found(page="https://agency.example/ada/"), (seen(of_page=True),), False),
    "the page of another host, the picture says it": ((rule(TDM),), found(page="https://agency.example/ada/"), (seen(),), True),
    "a page that nobody knows says it": ((rule(TDM),), found(page=None), (seen(of_page=True),), False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_right_is_set_aside_by_name_for_its_source_while_control_is_shown(case: str) -> None:
    sources, asset, optouts, passes = CASES[case]
    told = judged(grant(sources=sources), *optouts, asset=asset)
    assert told.rules == (() if passes else ("optout_signal",))
    (located,) = gate_over(grant(sources=sources)).located(asset, (), INGEST, optouts=optouts)
    assert ("optout_signal" in located.rules) is not passes
    (collected,) = gate_over(grant(sources=sources)).collectable(asset, (), optouts=optouts)
    assert ("optout_signal" in collected.rules) is not passes


@pytest.mark.parametrize("kind", NEVER)
def test_nothing_sets_aside_what_is_no_right_in_the_picture(kind: SignalKind) -> None:
    rules = judged(grant(sources=(rule(*EVERY),)), seen(kind)).rules
    assert rules == ("robots_disallow" if kind is SignalKind.ROBOTS_TXT else "optout_signal",)


def test_what_robots_txt_says_of_rights_yields_and_what_it_says_of_coming_in_does_not() -> None:
    text = b"User-agent: *\nContent-Usage: train-ai=n\nDisallow: /all/eve/\nLicense: https://site.example/terms.xml\n"
    aside = SetAside(frozenset(EVERY))
    policy = robots_policy(200, text, agent="AssentBot/1.0")
    rights = combine(policy.signals("/all/ada/1.jpg")).seen()
    assert {one.kind for one in rights} == {SignalKind.CONTENT_USAGE, SignalKind.RSL}
    assert list(optout_rules(rights, aside)) == []
    assert list(optout_rules(rights, NOTHING)) == ["optout_signal"] * 2
    assert list(optout_rules(combine(policy.signals("/all/eve/1.jpg")).seen(), aside)) == ["robots_disallow"]
    signals = robots_policy(200, b"User-agent: *\nContent-Signal: ai-train=no\n", agent="AssentBot/1.0")
    assert list(optout_rules(combine(signals.signals("/all/ada/1.jpg")).seen(), aside)) == ["optout_signal"]


def test_the_end_of_the_grant_or_of_the_proof_takes_it_away_at_once() -> None:
    held = grant(sources=(rule(TDM, until=LATER),))
    assert judged(held, seen()).opened is not None
    assert judged(held, seen(), at=LATER - timedelta(microseconds=1)).opened is not None
    assert judged(held, seen(), at=LATER).rules == ("control_unproven", "optout_signal")
    taken_back = held.model_copy(update={"revision": 2, "sources": (rule(until=LATER),)})
    assert judged(taken_back, seen()).rules == ("optout_signal",)
    gate = gate_over(held)
    ledger = ConsentLedger()
    ledger.apply_grant(held)
    ledger.apply_withdrawal(GrantWithdrawn(grant_id=held.grant_id, withdrawn_at=NOW))
    gate = Gate(Held(ledger, shipped(), Suppressions()), FakeClock(NOW))
    told = gate.judge(held.grant_id, INGEST, candidates=[CA_BC], asset=found(), optouts=(seen(),))
    assert (told.opened, told.rules) == (None, ("grant_withdrawn",))


def test_one_of_several_people_cannot_say_it_for_the_others() -> None:
    joint = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-1"),))
    assert set_aside(grant(sources=(rule(*EVERY),), binding=joint), found(), NOW) == NOTHING
    assert set_aside(grant(sources=(rule(*EVERY),)), found(), NOW) == SetAside(frozenset(EVERY), frozenset(EVERY))


SOURCES = some.lists(RULES, min_size=1, max_size=4).map(tuple)
ASSETS = some.builds(
    found,
    some.sampled_from(("https://site.example/ada/1.jpg", "https://site.example/ada/x/2.jpg", "https://site.example/eve/1.jpg", None)),
    page=some.sampled_from(("https://site.example/ada/", "https://agency.example/", None)),
    sha256=some.sampled_from((SHA, None)),
)


def refusing(sources: tuple[SourceRule, ...], asset: Asset, optouts: tuple[SeenOptOut, ...]) -> frozenset[RuleId]:
    return frozenset(optout_rules(optouts, set_aside(grant(sources=sources), asset, NOW)))


@given(SOURCES, ASSETS, OPTOUTS, SEEN_OPTOUTS)
def test_one_more_denial_never_turns_a_no_into_a_yes(
    sources: tuple[SourceRule, ...], asset: Asset, optouts: tuple[SeenOptOut, ...], added: SeenOptOut
) -> None:
    assert refusing(sources, asset, optouts) <= refusing(sources, asset, (*optouts, added))
    assert set(judged(grant(sources=sources), *optouts, asset=asset).rules) <= set(
        judged(grant(sources=sources), *optouts, added, asset=asset).rules
    )


@given(SOURCES, ASSETS, OPTOUTS)
def test_what_cannot_be_set_aside_refuses_whatever_the_grant_names(
    sources: tuple[SourceRule, ...], asset: Asset, optouts: tuple[SeenOptOut, ...]
) -> None:
    stays = [one for one in optouts if one.kind in NEVER or one.verdict is SignalVerdict.UNKNOWN]
    assert bool(refusing(sources, asset, optouts)) or not stays
    named = {right for each in sources for right in each.overrides}
    unnamed = [one for one in optouts if one.kind.value not in named]
    assert bool(refusing(sources, asset, optouts)) or not unnamed


@given(SOURCES, ASSETS, OPTOUTS)
def test_without_a_proof_nothing_is_set_aside(sources: tuple[SourceRule, ...], asset: Asset, optouts: tuple[SeenOptOut, ...]) -> None:
    for until in (None, NOW, OVER):
        lost = tuple(each.model_copy(update={"control_until": until}) for each in sources)
        assert set_aside(grant(sources=lost), asset, NOW) == NOTHING
        assert bool(refusing(lost, asset, optouts)) is bool(optouts)
    other = tuple(each for each in sources if each.kind not in MAY_OVERRIDE)
    assert set_aside(grant(sources=other or sources), asset, NOW) == NOTHING or not other


@given(SOURCES, ASSETS, OPTOUTS)
def test_a_page_never_yields_more_than_its_picture(sources: tuple[SourceRule, ...], asset: Asset, optouts: tuple[SeenOptOut, ...]) -> None:
    aside = set_aside(grant(sources=sources), asset, NOW)
    assert aside.page <= aside.image
    of_picture = tuple(one.model_copy(update={"of_page": False}) for one in optouts)
    assert refusing(sources, asset, of_picture) <= refusing(sources, asset, optouts)


def told_of(told: Judgement) -> RecordedDecision:
    refusal = Refusal(told.rules or (RuleId("none"),), grant_id=GrantId("g-1"), revision=1, candidates=(CA_BC,), decision=told.decision)
    (decision,) = recorded_decisions(refused(gate_over(grant()), Stage.CONSENT, refusal))
    return replace(decision, rules=told.rules)


def test_a_decision_tells_what_was_set_aside_and_is_made_again_from_it() -> None:
    held = grant(sources=(rule(TDM, LICENCE),))
    decision = told_of(judged(held, seen(), seen(SignalKind.LICENCE, of_page=True)))
    assert decision.is_yes
    assert decision.record is not None
    assert decision.record.grant is not None
    source = decision.record.grant.source
    assert source is not None
    assert (source.overrides, source.page_overrides) == ((LICENCE, TDM), (LICENCE, TDM))
    assert [(one.kind.value, one.of_page) for one in decision.record.optouts] == [("tdmrep", False), ("licence", True)]
    assert "site.example" not in decision.record.model_dump_json()
    assert replay(decision, shipped()).is_same(decision)
    for less in ({"overrides": ()}, {"page_overrides": ()}):
        # What stands for the page stands for the picture as well, so both have to be left out for the first.
        changed = source.model_copy(update=less | ({"page_overrides": ()} if "overrides" in less else {"overrides": (TDM,)}))
        grant_then = decision.record.grant.model_copy(update={"source": changed})
        told = replace(decision, record=decision.record.model_copy(update={"grant": grant_then}))
        assert replay(told, shipped()).rules == ("optout_signal",)
        assert not replay(told, shipped()).is_same(told)


def test_what_was_set_aside_for_the_picture_alone_is_set_aside_again_and_not_for_its_page() -> None:
    """The page lies elsewhere, under somebody else's control."""
    elsewhere = found(page="https://other.example/p/")
    for optout, rules in ((seen(), ()), (seen(of_page=True), ("optout_signal",))):
        decision = told_of(judged(grant(sources=(rule(TDM),)), optout, asset=elsewhere))
        assert decision.rules == rules
        assert replay(decision, shipped()).is_same(decision)


def test_a_source_without_anything_set_aside_is_written_as_before() -> None:
    """Sealed records of earlier releases keep their digest, and decisions their bytes."""
    assert "overrides" not in rule().model_dump(mode="json")
    assert SourceRule.model_validate_json(rule(TDM).model_dump_json()) == rule(TDM)
    written = judged(grant(sources=(rule(),))).decision.model_dump_json()
    assert "overrides" not in written
    assert "optouts" not in written


def test_a_right_that_nobody_knows_makes_the_grant_unreadable() -> None:
    with pytest.raises(ValueError, match="overrides"):
        SourceRule.model_validate({"kind": "url_prefix", "value": FOLDER, "overrides": ["robots_txt"]})
