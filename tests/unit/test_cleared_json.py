"""What the consent filter puts together as JSON is, byte for byte, what the models would have written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.blobs.quarantine import Quarantine
from assent.consent.asset import Asset
from assent.consent.content_rights import SetAside
from assent.consent.decision import Stand
from assent.consent.judged import judged_grant
from assent.consent.judged_json import json_of_yes
from assent.consent.ledger import ConsentLedger, Standing
from assent.consent.source_rules import asset_keys, matching_rule, naming_rules, rule_key
from assent.consent.source_url import folders, is_folder_of
from assent.deciding.gate import INGEST, Gate
from assent.deciding.suppressions import Suppressions
from assent.deciding.tables import DecisionTables
from assent.events.decisions import DecisionRecord
from assent.events.envelope import Event, encode
from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind, PageEvidence
from assent.events.grants import GrantSnapshot, SourceKindRule, SourceRule
from assent.events.image_json import LocatedJson
from assent.events.images import Clearance, GrantFinding, ImageCleared, ImageLocated, Sighting, SourceKind
from assent.events.record import StoredRecord
from assent.events.written import WrittenEvent
from assent.geofence.policy import Policy
from assent.ids import GrantId, ImageId, Jurisdiction, ProducerId, SightingId
from assent.optouts.signal import ContentRight
from assent.stream.outcomes import Emit
from assent.testing.fake_clock import FakeClock
from services.consent.processor import ConsentProcessor
from tests.unit.decision_cases import ASSET, CANDIDATES, EVERYWHERE, GRANT, MEMBERS, MOMENTS, OPTOUTS, POLICIES, Held, grants, ledgers
from tests.unit.grant_examples import NOW

SETTINGS: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
NASTY = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(('],"decision":', ',"evidence":[', ',"findings":[{', "]}", '],"', '"', "\\", '\\"],"deny_weight":', "\x7f\u2028", "é")),
)
SIGHTINGS = st.builds(
    Sighting,
    sighting_id=NASTY.map(SightingId),
    image_id=NASTY.map(ImageId),
    producer=st.sampled_from((ProducerId("crawler"), ProducerId('pro"ducer'))),
    source_kind=st.sampled_from(SourceKind),
    blob=NASTY,
    sha256=st.just(ASSET.sha256),
    size_bytes=st.integers(1, 9),
    media_type=NASTY,
    final_url=st.sampled_from((ASSET.final_url, ASSET.final_url, None, "no url")),
    page_url=st.one_of(st.none(), NASTY),
    account=st.sampled_from((ASSET.account, None)),
    upload_grant_id=st.sampled_from((GRANT, None)),
    fetched_at=MOMENTS,
    # Most opt-outs refuse, and then nothing is cleared.
    optouts=st.one_of(*[st.just(())] * 4, OPTOUTS),
    page_evidence=st.lists(st.builds(PageEvidence, kind=st.sampled_from(EvidenceKind), value=NASTY), max_size=3).map(tuple),
)
WEIGHTS = st.floats(0, 1)
ROWS = st.builds(
    CoarseEvidence,
    kind=st.sampled_from(EvidenceKind),
    connector=st.sampled_from(Connector),
    jurisdictions=st.lists(NASTY.map(Jurisdiction), max_size=2).map(tuple),
    deny_weight=WEIGHTS,
    allow_weight=WEIGHTS,
    is_invalid=st.booleans(),
)


def of_geofence() -> DecisionRecord:
    held = ConsentLedger()
    held.apply_grant(EVERYWHERE)
    return Gate(Held(held, POLICIES[0], Suppressions()), FakeClock(NOW)).locate(EVERYWHERE, [], INGEST, asset=ASSET).decision


FINDINGS = st.builds(
    GrantFinding,
    grant_id=st.sampled_from((GRANT, GRANT, *MEMBERS, GrantId('g"'))),
    revision=st.integers(1, 9),
    candidates=CANDIDATES,
    evidence=st.lists(ROWS, max_size=3).map(tuple),
    # An earlier release wrote none.
    decision=st.sampled_from((of_geofence(), None)),
)
LOCATED = st.builds(
    ImageLocated,
    sighting=SIGHTINGS,
    findings=st.lists(FINDINGS, min_size=1, max_size=3).map(tuple),
    policy_version=NASTY,
    datasets=st.lists(NASTY, max_size=2).map(tuple),
)


def written_anew(located: ImageLocated) -> LocatedJson:
    return LocatedJson.of(b"{}", located)


@settings(max_examples=200, **SETTINGS)
@given(LOCATED)
def test_what_a_stage_wrote_is_cut_out_as_the_models_write_it(located: ImageLocated) -> None:
    whole = json.loads(located.to_json())
    anew = written_anew(located)
    assert json.loads(anew.sighting) == whole["sighting"]
    assert [json.loads(rows) for rows in anew.evidence] == [finding["evidence"] for finding in whole["findings"]]
    cut = LocatedJson.cut(located.to_json().decode(), located)
    assert cut == anew


def moved(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda whole: {name: whole[name] for name in names} | whole


def with_more(whole: dict[str, Any]) -> dict[str, Any]:
    return whole | {"findings": [{**finding, "more": {"decision": [], "evidence": []}} for finding in whole["findings"]]}


def with_more_behind_the_evidence(whole: dict[str, Any]) -> dict[str, Any]:
    found = []
    for finding in whole["findings"]:
        decision = finding.pop("decision")
        found.append({**finding, "more": {"rows": [{}], "decision": 1}, "decision": decision})
    return whole | {"findings": found}


FORMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "as it is": lambda whole: whole,
    "the policy first": moved("policy_version"),
    "the policy before the findings": moved("sighting", "policy_version"),
    "the datasets before the findings": moved("sighting", "datasets"),
    "a sighting with more": lambda whole: whole | {"sighting": {**whole["sighting"], "findings": [{"evidence": []}]}},
    "a sighting with a field more": lambda whole: whole | {"sighting": {**whole["sighting"], "more": 1}},
    "findings with more": with_more,
    "more behind the evidence": with_more_behind_the_evidence,
    "no decision": lambda whole: whole | {"findings": [{**finding, "decision": None} for finding in whole["findings"]]},
    "a first finding of an older release": lambda whole: (
        whole
        | {
            "findings": [
                {name: part for name, part in finding.items() if at or name != "decision"} for at, finding in enumerate(whole["findings"])
            ]
        }
    ),
    "an older release": lambda whole: (
        whole | {"findings": [{name: part for name, part in finding.items() if name != "decision"} for finding in whole["findings"]]}
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["close", "wide"])
@settings(max_examples=20, **SETTINGS)
@given(located=LOCATED)
def test_another_form_says_the_same(form: str, separators: tuple[str, str], located: ImageLocated) -> None:
    """Of another release, whose fields stand in another order or are more: nothing else is cut out of it."""
    value = json.dumps(FORMS[form](json.loads(located.to_json())), separators=separators).encode()
    told, anew = LocatedJson.of(value, ImageLocated.model_validate_json(value)), written_anew(located)
    assert {**json.loads(told.sighting), "more": 1, "findings": []} == {**json.loads(anew.sighting), "more": 1, "findings": []}
    # Another writer may round a weight to other digits, never to another number.
    assert [json.loads(rows) for rows in told.evidence] == [json.loads(rows) for rows in anew.evidence]


@settings(max_examples=150, **SETTINGS)
@given(ledgers(), st.sampled_from(POLICIES), LOCATED)
def test_a_clearance_is_what_its_models_would_write(ledger: ConsentLedger, policy: Policy, located: ImageLocated) -> None:
    gate = Gate(Held(ledger, policy, Suppressions()), FakeClock(NOW))
    nothing = cast(tuple[DecisionTables, Quarantine], (None, None))
    processor = ConsentProcessor(gate=gate, tables=nothing[0], quarantine=nothing[1], catch_up_timeout_s=1)
    record = encode(Event("located", "/assent/geofence", NOW, located))
    outcome = asyncio.run(
        processor.handle(
            Event("located", "/assent/geofence", NOW, located),
            StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers),
        )
    )
    if not isinstance(outcome, Emit):
        return
    (told,) = [event for event in outcome.events if isinstance(event, WrittenEvent)]
    asset = Asset.of(located.sighting)
    optouts = located.sighting.optouts
    judged = [
        (found, gate.judge(found.grant_id, INGEST, candidates=found.candidates, asset=asset, optouts=optouts)) for found in located.findings
    ]
    cleared = ImageCleared(
        sighting=located.sighting,
        clearances=tuple(
            Clearance(
                grant_id=found.grant_id,
                revision=one.opened.revision,
                candidates=found.candidates,
                evidence=found.evidence,
                decision=one.decision,
            )
            for found, one in judged
            if one.opened is not None
        ),
        policy_version=policy.version,
        datasets=located.datasets,
    )
    assert told.value == cleared.to_json()
    assert encode(told) == encode(Event(told.id, told.source, told.time, cleared, told.traceparent))


def test_a_plain_yes_is_written_at_once() -> None:
    """Nearly every yes is one, so the models must not be needed for it."""
    held = ConsentLedger()
    held.apply_grant(EVERYWHERE)
    judged = Gate(Held(held, POLICIES[0], Suppressions()), FakeClock(NOW)).judge(
        GRANT, INGEST, candidates=(Jurisdiction("CA-BC"),), asset=ASSET
    )
    assert judged.opened is not None
    assert judged.grounds.found is not None
    found = judged.grounds.found
    assert json_of_yes(found, judged.grounds.places, judged.grounds.marked) is not None
    set_aside = SetAside(image=frozenset({ContentRight.RSL}))
    others: list[dict[str, Any]] = [
        {"is_shown": False},
        {"rule": None},
        {"members": (EVERYWHERE,)},
        {"standing": Standing.EXPIRED},
        {"grant": None},
        {"aside": set_aside},
    ]
    assert [json_of_yes(found._replace(**other), judged.grounds.places, 0) for other in others] == [None] * len(others)


@given(
    st.sampled_from(("h.example/", "h.example/a/", "h.example/a/b/", "h.example/a/b.jpg", "h.example/a", "", "/", "h.example/a/b.jpg?x/")),
    st.sampled_from(("h.example/a/b.jpg", "h.example/a/b/c.jpg", "h.example/", "h.example/a/b.jpg?x/y", "h.example/a/?q=/b/c")),
)
def test_a_folder_is_told_without_listing_all(folder: str, where: str) -> None:
    assert is_folder_of(folder, where) == (folder in folders(f"https://{where}"))


@settings(max_examples=200, **SETTINGS)
@given(grants(), SIGHTINGS)
def test_the_most_exact_rule_that_names_an_image_is_found(grant: GrantSnapshot, sighting: Sighting) -> None:
    asset = Asset.of(sighting)
    by_key = {rule_key(rule): rule for rule in grant.sources}
    expected = next((by_key[key] for key in asset_keys(asset) if key in by_key), None)
    assert matching_rule(grant.sources, asset) == expected


def test_of_two_rules_for_one_folder_the_later_counts_and_a_more_exact_one_before_both() -> None:
    folder = SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://site.example/ada/")
    later, image = folder.model_copy(update={"only_me": True}), SourceRule(kind=SourceKindRule.IMAGE_URL, value=str(ASSET.final_url))
    assert naming_rules([folder, later], ASSET) == [later, folder]
    assert naming_rules([later, folder], ASSET) == [folder, later]
    assert naming_rules([folder, image, later], ASSET) == [image, later, folder]


def test_times_of_a_grant_keep_the_offset_they_were_written_with() -> None:
    told = EVERYWHERE.model_dump(mode="json") | {"expires_at": "2027-03-02T09:05:06.25-05:00", "not_before": "2026-03-02T14:05:06Z"}
    grant = GrantSnapshot.model_validate(told)
    again = json.loads(grant.to_json())
    assert (again["expires_at"], again["not_before"]) == ("2027-03-02T09:05:06.250000-05:00", "2026-03-02T14:05:06Z")
    assert grant.not_before.tzinfo is UTC


@settings(max_examples=300, **SETTINGS)
@given(grants(), st.booleans(), CANDIDATES)
def test_whatever_a_live_grant_says_is_written_as_its_model_is(grant: GrantSnapshot, guardian: bool, places: Any) -> None:
    """Whether or not the verdict is a yes."""
    held = grant.model_copy(update={"guardian": guardian})
    found = Stand(Standing.LIVE, held, held.sources[0])
    assert json_of_yes(found, frozenset(places), 2) == judged_grant(found, frozenset(places), 2).to_json().decode()


def test_a_form_with_a_signature_and_one_without_are_written_as_their_models_are() -> None:
    for signature in (None, "wet", "e_signature", "vc"):
        held = EVERYWHERE.model_copy(update={"legal": tuple(each.model_copy(update={"signature": signature}) for each in EVERYWHERE.legal)})
        found = Stand(Standing.LIVE, held, held.sources[0])
        places = frozenset(each.jurisdiction for each in held.legal)
        assert json_of_yes(found, places, 1) == judged_grant(found, places, 1).to_json().decode()
