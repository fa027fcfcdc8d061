"""Control of a source: what only a folder or an account names waits until its controller has shown control, or she named it herself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assent.consent.asset import Asset
from assent.consent.decision import Request, Verdict, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import GrantSnapshot, Operation, Purpose, SourceKindRule, SourceRule
from assent.events.images import SourceKind
from assent.ids import GrantId
from tests.unit.grant_examples import CA_BC, NOW, folder, grant
from tests.unit.policy_examples import shipped

SHA = "a" * 64
LATER, OVER = NOW + timedelta(days=1), NOW - timedelta(seconds=1)
PICTURE = "https://site.example/ada/1.jpg"


def rule(kind: SourceKindRule, value: str, until: datetime | None = None) -> SourceRule:
    return SourceRule(kind=kind, value=value, control_until=until)


def found(url: str | None = PICTURE, **more: str) -> Asset:
    return Asset(SourceKind.WEB_PAGE, final_url=url, account=more.get("account"), sha256=more.get("sha256"))


UNPROVEN = folder("https://site.example/ada/", control_until=None)
SHOWN = folder("https://site.example/ada/", control_until=LATER)
ACCOUNT = rule(SourceKindRule.ACCOUNT, "ada@social.example")
IMAGE = rule(SourceKindRule.IMAGE_URL, PICTURE)
HANDED_IN = Asset(SourceKind.UPLOAD, sha256=SHA, upload_grant_id=GrantId("g-1"))

# What the grant names, which image is asked about, the rules that refuse.
CASES: dict[str, tuple[tuple[SourceRule, ...], Asset, tuple[str, ...]]] = {
    "a folder without proof": ((UNPROVEN,), found(), ("control_unproven",)),
    "a folder with a proof that counts": ((SHOWN,), found(), ()),
    "a folder whose proof ended": ((folder("https://site.example/ada/", control_until=OVER),), found(), ("control_unproven",)),
    "a folder whose proof ends now": ((folder("https://site.example/ada/", control_until=NOW),), found(), ("control_unproven",)),
    "an account without proof": ((ACCOUNT,), found(None, account="ada@social.example"), ("control_unproven",)),
    "an account with a proof": ((rule(ACCOUNT.kind, ACCOUNT.value, LATER),), found(None, account="ada@social.example"), ()),
    "the very image, under the folder without proof": ((UNPROVEN, IMAGE), found(), ()),
    "another image beside the one she approved": ((UNPROVEN, IMAGE), found("https://site.example/ada/2.jpg"), ("control_unproven",)),
    "the approved image with a query behind it": ((UNPROVEN, IMAGE), found(f"{PICTURE}?v=2"), ("control_unproven",)),
    "the approved image on another port": ((UNPROVEN, IMAGE), found("https://site.example:8443/ada/1.jpg"), ("source_not_covered",)),
    "its bytes named by digest": ((UNPROVEN, rule(SourceKindRule.ASSET_SHA256, SHA)), found(sha256=SHA), ()),
    "other bytes than the digest": ((UNPROVEN, rule(SourceKindRule.ASSET_SHA256, SHA)), found(sha256="b" * 64), ("control_unproven",)),
    "an upload": ((rule(SourceKindRule.UPLOAD, "g-1"),), HANDED_IN, ()),
    "an upload beside a folder without proof": ((UNPROVEN, rule(SourceKindRule.UPLOAD, "g-1")), HANDED_IN, ()),
    "an inner folder shown, the outer one not": (
        (UNPROVEN, folder("https://site.example/ada/x/", control_until=LATER)),
        found(),
        ("control_unproven",),
    ),
    "an inner folder of one that is shown": (
        (SHOWN, folder("https://site.example/ada/x/", control_until=None)),
        found("https://site.example/ada/x/1.jpg"),
        (),
    ),
    "a sibling that begins alike": ((SHOWN,), found("https://site.example/ada-2/1.jpg"), ("source_not_covered",)),
    "a subdomain": ((SHOWN,), found("https://www.site.example/ada/1.jpg"), ("source_not_covered",)),
    "a folder shown beside the one that covers": (
        (UNPROVEN, folder("https://site.example/eve/", control_until=LATER)),
        found(),
        ("control_unproven",),
    ),
    "a proof on a rule for one image adds nothing elsewhere": (
        (UNPROVEN, rule(SourceKindRule.IMAGE_URL, "https://site.example/ada/2.jpg", LATER)),
        found(),
        ("control_unproven",),
    ),
}


def verdict(held: GrantSnapshot, asset: Asset | None, **more: object) -> Verdict:
    ledger = ConsentLedger()
    ledger.apply_grant(held)
    request = Request(operation=Operation.COLLECT, candidates=frozenset({CA_BC}), now=NOW, asset=asset, **more)  # type: ignore[arg-type]
    return allow(held.grant_id, request, ledger=ledger, policy=shipped())


@pytest.mark.parametrize("case", CASES)
def test_an_image_needs_a_proof_or_her_own_word(case: str) -> None:
    sources, asset, rules = CASES[case]
    assert verdict(grant(sources=sources), asset).rules == rules


@pytest.mark.parametrize("operation", list(Operation))
def test_what_is_held_is_not_judged_by_its_source_again(operation: Operation) -> None:
    """A proof that ended narrows what may be taken later; what was taken under it stays hers, until she ends it."""
    request = Request(operation=operation, candidates=frozenset({CA_BC}), now=NOW, purpose=Purpose.SELF_SEARCH)
    ledger = ConsentLedger()
    ledger.apply_grant(grant(sources=(UNPROVEN,)))
    assert allow(GrantId("g-1"), request, ledger=ledger, policy=shipped()).is_allowed


SOURCES = [UNPROVEN, SHOWN, ACCOUNT, folder("https://site.example/", control_until=LATER), folder("https://other.example/a/")]


@given(some.lists(some.sampled_from(SOURCES), min_size=1, max_size=6), some.permutations(range(6)))
def test_neither_order_nor_repetition_of_rules_opens_anything(rules: list[SourceRule], order: list[int]) -> None:
    mixed = [rules[place % len(rules)] for place in order] + rules
    one, other = grant(sources=tuple(rules)), grant(sources=tuple(mixed))
    assert verdict(one, found()) == verdict(other, found())
    without = grant(sources=tuple(rule.model_copy(update={"control_until": None}) for rule in mixed))
    assert not verdict(without, found()).is_allowed


def test_a_rule_without_a_proof_is_written_as_before() -> None:
    """Sealed records of earlier releases keep their digest."""
    assert UNPROVEN.model_dump(mode="json") == {"kind": "url_prefix", "value": "https://site.example/ada/", "only_me": True}
    assert SourceRule.model_validate_json(SHOWN.model_dump_json()) == SHOWN
