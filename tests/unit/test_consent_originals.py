"""The consent filter deletes the originals of what it ended in the batch that was committed, and of nothing else."""

from __future__ import annotations

from typing import cast

from assent.blobs.object_blob_store import open_blob_store
from assent.blobs.quarantine import Quarantine
from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import Gate
from assent.deciding.suppressions import Suppressions
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, encode
from assent.events.images import GrantFinding, ImageLocated
from assent.events.payload import EventPayload
from assent.events.record import StoredRecord
from assent.ids import Jurisdiction
from assent.keys.cipher import DataKey
from assent.stream.outcomes import Emit, Refuse
from assent.testing.fake_clock import FakeClock
from services.consent.processor import ConsentProcessor
from tests.unit.decision_cases import EVERYWHERE, GRANT, POLICIES, SIGHTING, Held
from tests.unit.grant_examples import NOW


class AtTheEnd:
    """Tables that stand at the end of the log: what the test puts into the ledger is all there is."""

    async def catch_up(self, timeout_s: float) -> None:
        """There is nothing to wait for."""


async def test_what_was_refused_in_an_abandoned_batch_and_passes_when_it_comes_again_keeps_its_original() -> None:
    quarantine, ledger = Quarantine(open_blob_store("memory://"), DataKey(bytes(32))), ConsentLedger()
    sighting = SIGHTING.model_copy(update={"blob": await quarantine.put(SIGHTING.sighting_id, b"a photo")})
    finding = GrantFinding(grant_id=GRANT, revision=1, candidates=(Jurisdiction("CA-BC"),), evidence=(), decision=None)
    located = ImageLocated(sighting=sighting, findings=(finding,), policy_version="1", datasets=())
    event: Event[EventPayload] = Event("located", "/assent/geofence", NOW, located)
    written = encode(event)
    record = StoredRecord(written.topic, 0, 0, 0, written.key, written.value, written.headers)
    processor = ConsentProcessor(
        gate=Gate(Held(ledger, POLICIES[0], Suppressions()), FakeClock(NOW)),
        tables=cast(DecisionTables, AtTheEnd()),
        quarantine=quarantine,
        catch_up_timeout_s=1.0,
    )
    await processor.before_batch()
    assert isinstance(await processor.handle(event, record), Refuse)
    ledger.apply_grant(EVERYWHERE)
    await processor.before_batch()
    assert isinstance(await processor.handle(event, record), Emit)
    await processor.after_commit([event])
    assert await quarantine.get(SIGHTING.sighting_id) == b"a photo"
