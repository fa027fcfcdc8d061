"""Which grants cover an image, against a bare dict of slotted records; and whole decisions per second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assent.consent.asset import Asset
from assent.consent.decision import Request, allow
from assent.consent.ledger import ConsentLedger
from assent.events.grants import Operation
from assent.events.images import SourceKind
from assent.geofence.policy import Policy
from assent.ids import GrantId
from bench.consent_corpus import PLACE, folder_of, grant_of
from bench.pair import Case
from services.registry.policy_file import read_policy

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
        ledger.apply_grant(grant_of(index, NOW))
    table = {folder_of(index): Bare(f"g-{index}", folder_of(index)) for index in range(count)}
    asked = range(0, count, max(1, count // 1_000))
    assets = [Asset(SourceKind.WEB_PAGE, final_url=f"https://{folder_of(index)}1.jpg") for index in asked]
    folders = [f"{folder_of(index)}1.jpg".rpartition("/")[0] + "/" for index in asked]
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
