"""Whose record it is by its signature, whether or not it can be read; what a record says of its sender is no proof."""

from __future__ import annotations

from assent.events.record import StoredRecord
from assent.ids import ProducerId
from assent.intake.attribution import named_in
from assent.intake.producers import INNER_PRODUCERS, ProducerDirectory
from assent.intake.signature import SIGNATURE_HEADER, is_signed_by


async def proven_sender(record: StoredRecord, producers: ProducerDirectory) -> ProducerId | None:
    """The outside producer that the record names and whose signature holds for id, key and value; None for everybody else.

    Raises BlobStoreUnavailableError.
    """
    if record.header(SIGNATURE_HEADER) is None:
        return None
    named = named_in(record)
    if named.producer is None or named.producer in INNER_PRODUCERS:
        return None
    public_key = await producers.public_key(named.producer)
    if public_key is None:
        return None
    is_theirs = any(is_signed_by(record, public_key, event_id=event_id) for event_id in named.event_ids)
    return named.producer if is_theirs else None
