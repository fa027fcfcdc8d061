"""Who may say yes on the log: a grant that the registry did not sign opens nothing and closes what it names; an end counts from anybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.consent.ledger import Standing
from assent.deciding.fold import DECISION_TOPICS, DecisionFold, UntrustedPolicyError
from assent.events.envelope import Event, encode
from assent.events.erasures import ErasureCause, ErasureLevel, ErasureProgressed, ErasureRequested
from assent.events.grants import GrantWithdrawn, SuppressionAdded
from assent.events.payload import EventPayload
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import ErasureId, GrantId
from assent.intake.registry_signature import is_registrys_word, signed_by_registry
from assent.intake.signature import SIGNATURE_HEADER, sign_record
from assent.intake.stage_signatures import StageSignatures
from assent.keys.deployment_keys import DeploymentKeys
from assent.stream.read_ahead import SLICE, fold_ahead
from services.indexer.erasure_table import ErasureTable
from tests.unit.grant_examples import NOW, grant

HERS, ANOTHERS = GrantId("g-1"), GrantId("g-2")
REGISTRY, STAGE, POLICY = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))


def unsigned(data: EventPayload, event: str = "e-1") -> Record:
    return encode(Event(event, "/assent/registry", NOW, data))


def signed(data: EventPayload, event: str = "e-1") -> Record:
    return signed_by_registry(unsigned(data, event), REGISTRY)


def with_signature(record: Record, signature: bytes | None) -> Record:
    kept = tuple(header for header in record.headers if header[0] != SIGNATURE_HEADER)
    return replace(record, headers=kept if signature is None else (*kept, (SIGNATURE_HEADER, signature)))


def stored(record: Record, offset: int = 0) -> StoredRecord:
    return StoredRecord(record.topic, 0, offset, 0, record.key, record.value, record.headers)


def folded(records: Sequence[Record]) -> DecisionFold:
    fold = DecisionFold(policy_key=POLICY.public_key(), grant_key=REGISTRY.public_key())
    for offset, record in enumerate(records):
        fold.apply(stored(record, offset))
    return fold


def standing(*records: Record, of: GrantId = HERS) -> Standing:
    return folded(records).ledger.standing(of, NOW)


def lent(genuine: Record, to: Record) -> Record:
    """Another record under the signature of a genuine one."""
    return with_signature(to, genuine.header(SIGNATURE_HEADER))


WITHDRAWN = GrantWithdrawn(grant_id=HERS, withdrawn_at=NOW)
FORGED: dict[str, Callable[[], Record]] = {
    "unsigned": lambda: unsigned(grant()),
    "an empty signature": lambda: with_signature(unsigned(grant()), b""),
    "a cut signature": lambda: with_signature(signed(grant()), (signed(grant()).header(SIGNATURE_HEADER) or b"")[:-1]),
    "a stage's key": lambda: signed_by_registry(unsigned(grant()), STAGE),
    "the policy's key": lambda: signed_by_registry(unsigned(grant()), POLICY),
    "the way a producer signs, without the topic": lambda: sign_record(unsigned(grant()), REGISTRY),
    "signed for another topic": lambda: lent(
        sign_record(replace(unsigned(grant()), topic="policies"), REGISTRY, names_topic=True), unsigned(grant())
    ),
    "the signature of her withdrawal": lambda: lent(signed(WITHDRAWN), unsigned(grant())),
    "the signature of another revision": lambda: lent(signed(grant()), unsigned(grant(revision=2))),
    "more than she agreed to": lambda: lent(signed(grant()), unsigned(grant(recipients=("org-x",)))),
    "another event id": lambda: lent(signed(grant()), unsigned(grant(), "e-2")),
    "another's grant under her key": lambda: replace(signed(grant(ANOTHERS)), key=HERS.encode()),
    "her grant as another's": lambda: lent(signed(grant(ANOTHERS)), unsigned(grant())),
    "a tombstone": lambda: replace(unsigned(grant()), value=None),
}


def test_what_the_registry_signed_stands() -> None:
    assert standing(signed(grant())) is Standing.LIVE
    assert folded([signed(grant())]).unreadable == {}


@pytest.mark.parametrize("name", FORGED)
def test_a_grant_that_the_registry_did_not_sign_opens_nothing_and_closes_what_it_names(name: str) -> None:
    forged, genuine = FORGED[name](), signed(grant())
    for records in ([forged], [genuine, forged], [forged, genuine], [genuine, forged, genuine]):
        fold = folded(records)
        assert fold.ledger.standing(HERS, NOW) is Standing.DENIED
        assert fold.ledger.live(HERS, NOW) is None
        assert fold.unreadable == {"grants": 1}


def test_a_genuine_grant_under_another_key_does_nothing_for_or_against_its_own_person() -> None:
    moved = replace(signed(grant(ANOTHERS)), key=HERS.encode())
    assert standing(moved, of=ANOTHERS) is Standing.UNKNOWN
    assert standing(signed(grant(ANOTHERS)), moved, of=ANOTHERS) is Standing.LIVE


def test_a_genuine_grant_on_another_topic_is_no_grant() -> None:
    for topic in (Topic.WITHDRAWALS, Topic.SUPPRESSIONS):
        moved = replace(signed(grant()), topic=topic.value)
        assert standing(moved) is not Standing.LIVE
        assert folded([moved]).ledger.grant(HERS) is None


def test_an_older_genuine_revision_that_is_put_on_the_log_again_changes_nothing() -> None:
    old, new = signed(grant(recipients=("org-x",))), signed(grant(revision=2))
    for records in ([old, new, old], [new, old]):
        fold = folded(records)
        held = fold.ledger.live(HERS, NOW)
        assert held is not None
        assert (held.revision, held.recipients, fold.unreadable) == (2, (), {})


def test_a_withdrawal_counts_whoever_wrote_it_and_says_when_it_was_not_the_registry() -> None:
    for record, strange in ((signed(WITHDRAWN), {}), (unsigned(WITHDRAWN), {"withdrawals": 1})):
        fold = folded([signed(grant()), record, signed(grant(revision=2))])
        assert fold.ledger.standing(HERS, NOW) is Standing.WITHDRAWN
        assert fold.unreadable == strange


def test_a_withdrawal_that_nobody_signed_and_nobody_can_read_denies_and_is_counted_once() -> None:
    fold = folded([signed(grant()), replace(unsigned(WITHDRAWN), value=b"{")])
    assert fold.ledger.standing(HERS, NOW) is Standing.DENIED
    assert fold.unreadable == {"withdrawals": 1}


def test_nobody_signs_suppressions_and_they_count() -> None:
    fold = folded([unsigned(SuppressionAdded(suppression_key="k", added_at=NOW))])
    assert fold.suppressions.has_key("k")
    assert fold.unreadable == {}


def test_a_signed_grant_that_cannot_be_read_still_denies() -> None:
    newer = replace(unsigned(grant()), value=(unsigned(grant()).value or b"").replace(b"assent.grant/1", b"assent.grant/9"))
    assert standing(signed(grant()), signed_by_registry(newer, REGISTRY)) is Standing.DENIED


def twice(record: Record) -> Record:
    """The same with a key that stands in it twice: readers differ on which one counts."""
    return replace(record, value=b'{"at_first":1,"at_first":2,' + (record.value or b"")[1:])


def test_what_the_registry_did_not_sign_is_read_as_a_strangers() -> None:
    fold = folded([signed(grant()), twice(unsigned(WITHDRAWN))])
    assert (fold.ledger.standing(HERS, NOW), fold.unreadable) == (Standing.DENIED, {"withdrawals": 1})
    fold = folded([twice(unsigned(SuppressionAdded(suppression_key="k", added_at=NOW)))])
    assert (fold.suppressions.has_key("k"), fold.unreadable) == (True, {"suppressions": 1})


def test_what_cannot_be_read_closes_what_its_key_names_and_nothing_else() -> None:
    suppression = replace(unsigned(SuppressionAdded(suppression_key="k", added_at=NOW)), value=b"{")
    fold = folded([suppression])
    assert (fold.suppressions.has_key("k"), fold.unreadable) == (True, {"suppressions": 1})
    assert not fold.ledger.is_denied(GrantId("k"))
    newer = replace(unsigned(grant()), value=(unsigned(grant()).value or b"").replace(b"assent.grant/1", b"assent.grant/2"))
    fold = folded([signed_by_registry(newer, REGISTRY)])
    assert (fold.ledger.is_denied(HERS), len(fold.suppressions), fold.unreadable) == (True, 0, {"grants": 1})


def test_a_key_that_is_no_text_stops_nothing() -> None:
    fold = folded([replace(unsigned(grant()), key=b"\xff"), replace(unsigned(WITHDRAWN), key=b"\xff", value=b"{")])
    assert (fold.ledger.is_denied(GrantId("\ufffd")), fold.unreadable) == (True, {"grants": 1, "withdrawals": 1})
    suppression = unsigned(SuppressionAdded(suppression_key="k", added_at=NOW))
    assert folded([replace(suppression, key=b"\xff", value=b"{")]).suppressions.has_key("\ufffd")
    assert folded([Record(Topic.OPTOUTS.value, b"\xff", b"{")]).optouts.is_closed("\ufffd")


def test_a_policy_that_cannot_be_read_stops_the_service() -> None:
    record = Record(Topic.POLICIES.value, b"policy", b"{", ())
    with pytest.raises(UntrustedPolicyError, match="policy record at offset 1: "):
        folded([signed(grant()), record])


def test_the_demo_alone_takes_fixtures() -> None:
    for accepts in (True, False):
        fold = DecisionFold(policy_key=POLICY.public_key(), grant_key=REGISTRY.public_key(), accepts_fixtures=accepts)
        assert fold.ledger.accepts_fixtures is accepts
    assert not folded([]).ledger.accepts_fixtures


def test_a_decider_follows_everything_that_closes() -> None:
    assert {topic.value for topic in DECISION_TOPICS} == {"grants", "withdrawals", "policies", "suppressions", "optouts"}


@settings(deadline=None)  # a busy machine is no slow fold
@given(st.lists(st.sampled_from(sorted(FORGED)), min_size=1, max_size=4), st.data())
def test_no_order_or_repetition_of_forged_and_genuine_records_opens_anything(names: list[str], data: st.DataObject) -> None:
    records = [*(FORGED[name]() for name in names), signed(grant()), signed(grant(revision=2))]
    assert standing(*data.draw(st.permutations(records * 2))) is Standing.DENIED


ASKED = ErasureRequested(erasure_id=ErasureId("x-1"), grant_id=HERS, cause=ErasureCause.WITHDRAWAL, requested_at=NOW)
TOLD = ErasureProgressed(
    erasure_id=ErasureId("x-1"),
    grant_id=HERS,
    store="vectors",
    level=ErasureLevel.PHYSICAL,
    count_before=1,
    count_after=0,
    method="m",
    reached_at=NOW,
)


def test_nothing_is_erased_that_the_registry_did_not_ask_for_and_nothing_taken_as_erased_on_a_strangers_word(tmp_path: Path) -> None:
    stages = StageSignatures(DeploymentKeys.load_or_create(tmp_path))

    def unfinished(*records: Record) -> tuple[list[ErasureId], dict[str, int]]:
        table = ErasureTable(is_genuine=lambda record: is_registrys_word(record, REGISTRY.public_key()) and stages.holds(record))
        for record in records:
            table.apply(stored(record))
        return [erasure.request.erasure_id for erasure in table.unfinished(("vectors",))], dict(table.unreadable)

    assert unfinished(signed(ASKED)) == (["x-1"], {})
    assert unfinished(unsigned(ASKED)) == ([], {"erasures.requested": 1})
    assert unfinished(signed_by_registry(unsigned(ASKED), STAGE)) == ([], {"erasures.requested": 1})
    assert unfinished(replace(signed(grant()), topic=ASKED.topic.value)) == ([], {"erasures.requested": 1})
    for owner in ("indexer", "registry"):
        assert unfinished(signed(ASKED), stages.signed(unsigned(TOLD), owner)) == ([], {})
    for record in (unsigned(TOLD), signed(TOLD), stages.signed(unsigned(TOLD), "embedder"), sign_record(unsigned(TOLD), REGISTRY)):
        assert unfinished(signed(ASKED), record) == (["x-1"], {"erasures.progressed": 1})


async def test_records_that_are_read_in_threads_mean_what_they_mean_one_by_one() -> None:
    """The table reads like this while it loads."""
    others = [signed(grant(GrantId(f"o-{number}")), f"o-{number}") for number in range(2 * SLICE)]
    told = [*others[:SLICE], *(FORGED[name]() for name in FORGED), signed(grant()), *others[SLICE:], unsigned(WITHDRAWN), others[0]]
    records = [stored(record, offset) for offset, record in enumerate(told)]
    alone, ahead = (DecisionFold(policy_key=POLICY.public_key(), grant_key=REGISTRY.public_key()) for _ in range(2))
    for record in records:
        alone.apply(record)
    await fold_ahead(ahead, records, taken=lambda count: None)
    for fold in (alone, ahead):
        assert fold.ledger.standing(HERS, NOW) is Standing.WITHDRAWN
        assert len(fold.ledger) == 2 * SLICE + 1
        assert fold.ledger.standing(GrantId("o-0"), NOW) is Standing.LIVE
    assert ahead.unreadable == alone.unreadable
