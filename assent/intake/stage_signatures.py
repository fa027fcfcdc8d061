"""What one stage hands to the next, signed: whoever may write to the log still makes no clearance; it signs with no stored key."""

from __future__ import annotations

import hmac

from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.keys.deployment_keys import DeploymentKeys

HANDED_ON = (Topic.IMAGES_LOCATED, Topic.IMAGES_CLEARED, Topic.FACES_EMBEDDED)
"""Topics that one stage alone writes and on whose word the next one relies: which image, whose grant, which places."""
STAGE_HEADER = "assent-stage"
FORM = b"hmac-sha256-1:"
"""What stands before the 64 hex digits: another form of signature gets another name, and a reader knows which it is."""


class StageSignatures:
    """HMAC-SHA256 (RFC 2104) under a key per stage, derived from the root secret, which every service holds and nobody else does."""

    def __init__(self, keys: DeploymentKeys) -> None:
        owners = {topic.value: TOPICS[topic].owners[0] for topic in HANDED_ON}
        self._of_stage = {owner: keys.stage_key(owner) for owner in owners.values()}
        self._of_topic = {topic: self._of_stage[owner] for topic, owner in owners.items()}

    def signed(self, record: Record, stage: str) -> Record:
        """The record as this stage hands it on; of a stage on whose word nobody relies, as it is."""
        key = self._of_stage.get(stage)
        if key is None:
            return record
        headers = (*record.headers, (STAGE_HEADER, _signature(record, key)))
        return Record(record.topic, record.key, record.value, headers, record.partition)

    def holds(self, record: StoredRecord) -> bool:
        """The record lies on a topic that needs no signature, or the stage that owns its topic signed it for this topic."""
        key = self._of_topic.get(record.topic)
        if key is None:
            return True
        told = record.header(STAGE_HEADER)
        return told is not None and hmac.compare_digest(told, _signature(record, key))


def _signature(record: Record | StoredRecord, key: bytes) -> bytes:
    """Over topic, event id, key and value, each after its length in four bytes, big-endian."""
    parts = (record.topic.encode(), record.header("ce_id") or b"", record.key, record.value or b"")
    text = b"".join([piece for part in parts for piece in (len(part).to_bytes(4, "big"), part)])
    return FORM + hmac.digest(key, text, "sha256").hex().encode()
