"""Which grants cover an image, against a bare dict of slotted records; and whole decisions per second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assent.consent.asset import Asset
from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import (
    AgeBand,
    BindingMode,
    ConsentForm,
    FaceBinding,
    GeographicScope,
    GrantSnapshot,
    GrantState,
    LegalBasis,
    Operation,
    Purpose,
    Residence,
    SourceKindRule,
    SourceRule,
)
from assent.events.images import SourceKind
from assent.geofence.policy import Policy
from assent.ids import GrantId, Jurisdiction, SubjectId
from bench.pair import Case
from services.registry.policy_file import read_policy

PLACE = Jurisdiction("CA-BC")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bare:
    """What a hand-written dict would hold."""

    grant_id: str
    prefix: str


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """As many grants as people in a town."""
    count = 2_000 if quick else 50_000
    ledger = ConsentLedger()
    for index in range(count):
        ledger.apply_grant(_grant(index))
    table = {f"site.example/people/{index}/": Bare(f"g-{index}", f"site.example/people/{index}/") for index in range(count)}
    asked = range(0, count, max(1, count // 1_000))
    assets = [Asset(SourceKind.WEB_PAGE, final_url=f"https://site.example/people/{index}/1.jpg") for index in asked]
    folders = [f"site.example/people/{index}/1.jpg".rpartition("/")[0] + "/" for index in asked]
    policy = Policy.from_canonical_json(read_policy(None).document)
    requests = [Request(Operation.EMBED, frozenset({PLACE}), NOW, asset=asset) for asset in assets]

    def decide() -> None:
        for index, request in zip(asked, requests, strict=True):
            allow(GrantId(f"g-{index}"), request, ledger=ledger, policy=policy)

    yield [
        Case(
            name="ledger: grants that cover an image",
            against="one look-up of the folder in a bare dict",
            units=len(assets),
            unit="look-ups",
            ours=lambda: [ledger.covering(asset) for asset in assets],
            theirs=lambda: [table.get(name) for name in folders],
            quality=f"{count} grants; ours tries digest, upload, image, every folder above and account",
        ),
        Case(
            name="consent: whole decisions",
            against="",
            units=len(requests),
            unit="decisions",
            ours=decide,
            theirs=None,
            quality="standing, terms, law of the place",
        ),
    ]


def _grant(index: int) -> GrantSnapshot:
    return GrantSnapshot(
        grant_id=GrantId(f"g-{index}"),
        revision=1,
        state=GrantState.GIVEN,
        subject_id=SubjectId(f"s-{index}"),
        age_band=AgeBand.ADULT,
        residences=(Residence(jurisdiction=PLACE),),
        purposes=(Purpose.SELF_SEARCH,),
        operations=tuple(Operation),
        sources=(SourceRule(kind=SourceKindRule.URL_PREFIX, value=f"https://site.example/people/{index}/", only_me=True),),
        binding=FaceBinding(mode=BindingMode.SINGLE_FACE),
        legal=(
            LegalBasis(jurisdiction=PLACE, form=ConsentForm.EXPRESS, alternative_offered=True, evidence_count=1, notice_sha256="5" * 64),
        ),
        scope=GeographicScope(collect_in=(PLACE,), store_in=(PLACE,), disclose_in=(PLACE,)),
        not_before=NOW - timedelta(days=30),
        expires_at=NOW + timedelta(days=300),
        confirmed_at=NOW - timedelta(days=30),
        last_interaction_at=NOW - timedelta(days=1),
        evidence_kinds=("form_log",),
    )
