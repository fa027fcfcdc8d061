"""Decisions made at random by the gate that services ask, for properties over all of them; grants and places differ in every field."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from hypothesis import strategies as st

from assent.blobs.quarantine import Quarantine
from assent.consent.asset import Asset
from assent.consent.ledger import FIXTURE_EVIDENCE, ConsentLedger
from assent.deciding.gate import COLLECT, INGEST, NO_GRANT, Gate
from assent.deciding.opted_out import OptedOut
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.suppressions import Suppressions
from assent.deciding.tables import DecisionTables
from assent.events.decisions import DecisionRecord
from assent.events.envelope import Event, decode, encode
from assent.events.evidence import EvidenceKind
from assent.events.faces import FaceBox, FaceEmbedded
from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
    FaceBinding,
    FaceRegion,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    GrantWithdrawn,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import GrantFinding, ImageLocated, Sighting, SourceKind, Stage
from assent.events.optouts import SeenOptOut
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.policy import Policy
from assent.ids import UNKNOWN, FaceId, GrantId, ImageId, Jurisdiction, ProducerId, RuleId, SightingId, SubjectId
from assent.optouts.combination import once_each
from assent.optouts.signal import ContentRight, SignalKind, SignalSource, SignalVerdict
from assent.stream.outcomes import Ignore, ToldEvent
from assent.testing.fake_clock import FakeClock
from services.consent.processor import ConsentProcessor
from tests.unit.grant_examples import NOTICE, NOW, grant
from tests.unit.policy_examples import policy_with, shipped

PLACES = tuple(Jurisdiction(code) for code in ("CA-BC", "CA-AB", "CA-QC", "CA-ON", "CA", "US-IL", "US-TX", "FR", "AU", "NZ", UNKNOWN))
FILED = {name: {"reference": "f-1", "filed_on": "2026-01-01"} for name in ("cai_process", "cai_database", "privacy_impact_assessment")}
POLICIES = (
    shipped(),
    policy_with(CA_QC={"filings": FILED}),
    policy_with(
        CA_QC={"filings": FILED | {"cai_database": {"reference": "f-2", "filed_on": "2026-05-01"}}},
        US_IL={"status": "stayed", "as_of": "2026-05-01"},
    ),
    policy_with(CA_BC={"bystanders": "drop_image", "server_deny_weight": 1.0}, CA_AB={"purposes": {"allow": ["verify"]}}),
)
GRANT, MEMBERS = GrantId("g-1"), (GrantId("g-2"), GrantId("g-3"))
SHA = "a" * 64
FIELDS = ("collected_or_stored", "specific_purpose", "length_of_term")
SIGHTING = Sighting(
    sighting_id=SightingId("5" * 64),
    image_id=ImageId("6" * 64),
    producer=ProducerId("crawler"),
    source_kind=SourceKind.WEB_PAGE,
    blob="quarantine/5",
    sha256=SHA,
    size_bytes=1,
    media_type="image/jpeg",
    final_url="https://site.example/ada/1.jpg",
    page_url="https://site.example/ada/",
    account="ada@host.example",
    upload_grant_id=GRANT,
    fetched_at=NOW,
)
ASSET = Asset.of(SIGHTING)
SOURCES = (
    (SourceKindRule.URL_PREFIX, "https://site.example/ada/"),
    (SourceKindRule.URL_PREFIX, "https://site.example/eve/"),
    (SourceKindRule.IMAGE_URL, "https://site.example/ada/1.jpg"),
    (SourceKindRule.ACCOUNT, "ada@host.example"),
    (SourceKindRule.ASSET_SHA256, SHA),
    (SourceKindRule.UPLOAD, GRANT),
)


@dataclass(frozen=True, slots=True)
class Made:
    """What was told of decisions, and the policy they were made under."""

    events: tuple[Event[EventPayload], ...]
    policy: Policy


@dataclass(slots=True)
class Held:
    """What a decider holds."""

    ledger: ConsentLedger
    policy: Policy | None
    suppressions: Suppressions
    optouts: OptedOut = field(default_factory=OptedOut)


def often(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Mostly the usual, or everything would be refused for several things at once."""
    return st.sampled_from((usual,) * (3 * len(others)) + others)


def few(values: tuple[Any, ...], *, least: int = 0, most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(values), unique=True, min_size=least, max_size=most).map(tuple)


NEAR = st.timedeltas(timedelta(microseconds=-2), timedelta(microseconds=2)).map(lambda step: NOW + step)
"""Around now to the microsecond: where a time is at its end."""
FAR = st.timedeltas(timedelta(-1_200), timedelta(1_200)).map(lambda step: NOW + step)
MOMENTS = st.one_of(NEAR, FAR)
BASES = st.builds(
    LegalBasis,
    jurisdiction=st.sampled_from(PLACES),
    form=st.sampled_from(ConsentForm),
    explicit=st.booleans(),
    signature=st.sampled_from(("e_signature", "wet", "vc", None)),
    alternative_offered=st.booleans(),
    notice_fields=st.sampled_from((FIELDS, FIELDS[:1], ())),
    evidence_count=st.integers(0, 2),
    notice_sha256=st.sampled_from((NOTICE, None)),
)
SCOPES = st.builds(GeographicScope, collect_in=few(PLACES, most=9), store_in=few(PLACES, most=9), disclose_in=st.just(()))
RULES = st.builds(
    lambda source, only_me, until, rights: SourceRule(
        kind=source[0], value=source[1], only_me=only_me, control_until=until, overrides=rights
    ),
    st.sampled_from(SOURCES),
    st.booleans(),
    st.one_of(st.none(), NEAR, FAR),
    few(tuple(ContentRight), most=5),
)
WHOLE = FaceBox(x=0, y=0, width=1, height=1)
REGIONS = st.sampled_from((SHA, "b" * 64)).map(lambda sha256: FaceRegion(asset_sha256=sha256, box=WHOLE))
ALONE = st.sampled_from((BindingMode.SINGLE_FACE, BindingMode.REGION))
BINDINGS = st.one_of(
    st.builds(FaceBinding, mode=ALONE, regions=st.lists(REGIONS, max_size=2).map(tuple)),
    st.sampled_from((MEMBERS, MEMBERS, MEMBERS[:1], ())).map(lambda told: FaceBinding(mode=BindingMode.JOINT, member_grants=told)),
    st.just(FaceBinding(mode=BindingMode.REFERENCE_MATCH)),
)
FIELD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "revision": st.integers(1, 9),
    "state": st.sampled_from(GrantState),
    "age_band": st.sampled_from(AgeBand),
    "guardian": st.booleans(),
    "residences": few(PLACES, least=1, most=2).map(lambda places: tuple(Residence(jurisdiction=place) for place in places)),
    "purposes": few(tuple(Purpose), least=1),
    "operations": few(tuple(Operation), least=1, most=5),
    "sources": st.lists(RULES, min_size=1, max_size=3).map(tuple),
    "binding": BINDINGS,
    "legal": st.lists(BASES, max_size=6).map(tuple),
    "scope": SCOPES,
    "not_before": MOMENTS,
    "expires_at": MOMENTS,
    "confirmed_at": st.none(),
    "last_interaction_at": st.one_of(MOMENTS, st.just(NOW - timedelta(days=1_095))),
    "evidence_kinds": st.sampled_from(((FIXTURE_EVIDENCE,), ())),
}
EVERYWHERE = grant(
    legal=tuple(
        LegalBasis(
            jurisdiction=place,
            form=ConsentForm.WRITTEN_RELEASE,
            signature="e_signature",
            alternative_offered=True,
            notice_fields=FIELDS,
            evidence_count=1,
            notice_sha256=NOTICE,
        )
        for place in PLACES
    ),
    scope=GeographicScope(collect_in=PLACES, store_in=PLACES, disclose_in=PLACES),
)
"""A grant for every place; what is drawn takes something of it away."""


@st.composite
def grants(draw: st.DrawFn) -> GrantSnapshot:
    changed = draw(st.lists(st.sampled_from(sorted(FIELD_VALUES)), unique=True, max_size=4))
    held = draw(st.sampled_from((EVERYWHERE, OVERRIDING)))
    return held.model_copy(update={name: draw(FIELD_VALUES[name]) for name in changed})


SEEN_OPTOUTS = st.builds(
    SeenOptOut,
    kind=st.sampled_from((*ContentRight, *ContentRight, *SignalKind)).map(lambda kind: SignalKind(kind.value)),
    verdict=often(SignalVerdict.DENY, SignalVerdict.UNKNOWN),
    source=st.sampled_from(SignalSource),
    of_page=st.booleans(),
)
OPTOUTS = st.one_of(st.just(()), st.lists(SEEN_OPTOUTS, max_size=3).map(once_each))
OVERRIDING = EVERYWHERE.model_copy(
    update={"sources": tuple(rule.model_copy(update={"overrides": tuple(sorted(ContentRight))}) for rule in EVERYWHERE.sources)}
)
"""The same, with every content right set aside that can be."""
SELDOM = st.integers(0, 9).map(lambda number: number == 0)
MEMBER_GRANTS = st.one_of(st.just(EVERYWHERE), st.just(EVERYWHERE), grants(), st.none())
WITHDRAWAL_TIMES = st.one_of(NEAR, FAR)


@st.composite
def ledgers(draw: st.DrawFn) -> ConsentLedger:
    ledger = ConsentLedger(accepts_fixtures=draw(st.booleans()))
    if not draw(SELDOM):
        ledger.apply_grant(draw(grants()))
    for person, member in enumerate(MEMBERS, start=1):
        held = draw(MEMBER_GRANTS)
        if held is not None:
            told = {"grant_id": member, "subject_id": SubjectId(f"s-{person}")}
            ledger.apply_grant(held.model_copy(update=told))
    if draw(SELDOM):
        ledger.deny(GRANT)
    if draw(SELDOM):
        ledger.apply_withdrawal(GrantWithdrawn(grant_id=GRANT, withdrawn_at=draw(WITHDRAWAL_TIMES)))
    return ledger


PLACING = (EvidenceKind.EXIF_GPS, EvidenceKind.SIGNED_GPS, EvidenceKind.XMP_LOCATION_CREATED)
KINDS = st.sampled_from((*PLACING, *(kind for kind in EvidenceKind if kind is not EvidenceKind.CALLER)))
NAMED = few(PLACES[:3] + PLACES[5:6] + PLACES[:-1], least=1, most=2).map(frozenset)


@st.composite
def statements(draw: st.DrawFn) -> Evidence:
    kind = draw(KINDS)
    if draw(SELDOM):
        return unreadable(kind)
    found = stated(kind, draw(NAMED))
    # What an outside producer says allows nothing.
    return replace(found, allow_weight=0.0) if draw(SELDOM) else found


STATEMENTS = st.lists(statements(), max_size=4)


@st.composite
def made(draw: st.DrawFn) -> Made:
    """Decisions of one stage, as its service tells them."""
    held = Held(draw(ledgers()), draw(st.sampled_from(POLICIES)), Suppressions())
    gate = Gate(held, FakeClock(NOW))
    assert held.policy is not None
    stages: list[Callable[[Gate, st.DrawFn], Sequence[ToldEvent]]] = [crawled, located, *[consented] * 2, *[embedded] * 3, indexed]
    return Made(tuple(decode(encode(event)) for event in draw(st.sampled_from(stages))(gate, draw)), held.policy)


def refused(gate: Gate, stage: Stage, refusal: Refusal) -> Event[EventPayload]:
    what = Refused.of(SIGHTING)
    return refusal_event(what, refusal, stage=stage, cause_id="c", policy_version=gate.policy.version, datasets=("ne10m",), now=NOW)


def crawled(gate: Gate, draw: st.DrawFn) -> list[Event[EventPayload]]:
    """As `Visitor.may_collect` does, with something seen of the site where a grant opened."""
    findings = gate.collectable(ASSET, draw(STATEMENTS), optouts=draw(OPTOUTS))
    if not findings:
        return [refused(gate, Stage.CRAWLER, Refusal((NO_GRANT,), decision=DecisionRecord(at=NOW, operations=COLLECT)))]
    seen = draw(SEEN_OF_SITE)
    return [refused(gate, Stage.CRAWLER, Refusal.of(finding, observed=None if finding.rules else cast(Any, seen))) for finding in findings]


def located(gate: Gate, draw: st.DrawFn) -> list[Event[EventPayload]]:
    """As `GeofenceProcessor` does with evidence that it has read."""
    evidence = draw(STATEMENTS)
    findings = gate.located(ASSET, evidence, INGEST, optouts=draw(OPTOUTS))
    events = [refused(gate, Stage.GEOFENCE, Refusal.of(finding)) for finding in findings if finding.rules]
    if not findings:
        nobody = gate.uncovered(evidence)
        refusal = Refusal(nobody.rules, candidates=nobody.candidates, evidence=nobody.evidence, decision=nobody.decision)
        events.append(refused(gate, Stage.GEOFENCE, refusal))
    passed = tuple(
        GrantFinding(
            grant_id=finding.grant.grant_id,
            revision=finding.grant.revision,
            candidates=finding.candidates,
            evidence=finding.evidence,
            decision=finding.decision,
        )
        for finding in findings
        if not finding.rules
    )
    if passed:
        data = ImageLocated(sighting=SIGHTING, findings=passed, policy_version=gate.policy.version, datasets=("ne10m",))
        events.append(Event("located", "/assent/geofence", NOW, data))
    return events


CANDIDATES = st.one_of(few(PLACES[:2], least=1), few(PLACES[:2], least=1), few(PLACES)).map(lambda places: tuple(sorted(places)))
LOOKED = often("faces", "image_unreadable", "quarantine_expired")
FACES = often(1, 0, 2, 3)
SEEN_OF_SITE = st.sampled_from(("robots_disallow", "optout_signal", "fetch_failed", "image_too_large"))
SEEN_OF_FACE = st.sampled_from(
    (None,) * 6 + ("region_not_found", "low_quality", "faces_overlap", "grant_withdrawn", "not_the_subject", "reference_missing")
)
SEEN_OF_STORE = st.sampled_from(("suppressed", "source_not_covered", "grant_withdrawn"))


def consented(gate: Gate, draw: st.DrawFn) -> list[ToldEvent]:
    """The service's own processor."""
    finding = GrantFinding(grant_id=GRANT, revision=1, candidates=draw(CANDIDATES), evidence=())
    sighting = SIGHTING.model_copy(update={"optouts": draw(OPTOUTS)})
    data = ImageLocated(sighting=sighting, findings=(finding,), policy_version="before", datasets=("ne10m",))
    event: Event[EventPayload] = Event("located", "/assent/geofence", NOW, data)
    # Neither is asked while an event is handled.
    nothing = cast(tuple[DecisionTables, Quarantine], (None, None))
    processor = ConsentProcessor(gate=gate, tables=nothing[0], quarantine=nothing[1], catch_up_timeout_s=1)
    record = encode(event)
    outcome = asyncio.run(processor.handle(event, StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)))
    assert not isinstance(outcome, Ignore)
    return list(outcome.events)


def embedded(gate: Gate, draw: st.DrawFn) -> list[Event[EventPayload]]:
    """As `EmbedderProcessor` does, for a number of faces and what may be seen of them."""
    places = draw(CANDIDATES)
    judged = gate.judge_bound(GRANT, INGEST, candidates=places, asset=ASSET, optouts=draw(OPTOUTS))
    if judged.opened is not None:
        looked = draw(LOOKED)
        opened = judged.opened
        judged = (
            gate.judge_faces(judged, opened, ASSET, draw(FACES), candidates=places) if looked == "faces" else judged.seen(RuleId(looked))
        )
    seen = draw(SEEN_OF_FACE)
    if judged.opened is not None and seen is not None:
        judged = judged.seen(RuleId(seen))
    if judged.opened is None:
        refusal = Refusal(judged.rules, grant_id=GRANT, revision=1, candidates=places, decision=judged.decision)
        return [refused(gate, Stage.EMBEDDER, refusal)]
    face = FaceEmbedded(
        face_id=FaceId("f"),
        grant_id=GRANT,
        revision=judged.opened.revision,
        subject_id=judged.opened.subject_id,
        image_id=SIGHTING.image_id,
        sighting_id=SIGHTING.sighting_id,
        region_index=0,
        box=WHOLE,
        detection_score=0.9,
        model_digest="m",
        dimensions=128,
        sealed_vector=b"sealed",
        derivative="d",
        candidates=places,
        policy_version=gate.policy.version,
        embedded_at=NOW,
        decision=judged.decision,
    )
    return [Event("embedded", "/assent/embedder", NOW, face)]


def indexed(gate: Gate, draw: st.DrawFn) -> list[Event[EventPayload]]:
    """As `FaceIndexer` does: a vector without a picture beside it."""
    places = draw(CANDIDATES)
    judged = gate.judge(GRANT, (Operation.STORE,), candidates=places, asset=None)
    if judged.opened is not None:
        judged = judged.seen(RuleId(draw(SEEN_OF_STORE)))
    refusal = Refusal(judged.rules, grant_id=GRANT, revision=1, candidates=places, decision=judged.decision)
    return [refused(gate, Stage.INDEXER, refusal)]
