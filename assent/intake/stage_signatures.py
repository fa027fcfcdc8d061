"""What one stage hands to the next, signed: whoever may write to the log still makes no clearance; it signs with no stored key."""

from __future__ import annotations

import hmac
import struct

from assent.events.record import Record, StoredRecord, first_header
from assent.events.topics import HANDED_ON, TOPICS
from assent.intake.prepared_mac import PreparedMac
from assent.keys.deployment_keys import DeploymentKeys

STAGE_HEADER = "assent-stage"
FORM = b"hmac-sha256-1:"
"""What stands before the 64 hex digits: another form of signature gets another name, and a reader knows which it is."""
_LENGTHS = struct.Struct(">IIII")


class StageSignatures:
    """HMAC-SHA256 (RFC 2104) under a key per stage, derived from the root secret, which every service holds and nobody else does."""

    def __init__(self, keys: DeploymentKeys) -> None:
        owners = {topic.value: TOPICS[topic].owners for topic in HANDED_ON}
        self._of_stage = {owner: PreparedMac(keys.stage_key(owner)) for named in owners.values() for owner in named}
        self._of_topic = {topic: [self._of_stage[owner] for owner in named] for topic, named in owners.items()}

    def signed(self, record: Record, stage: str) -> Record:
        """The record as this stage hands it on; one of a topic on whose word nobody relies as it is."""
        mac = self._of_stage.get(stage)
        if mac is None or record.topic not in self._of_topic:
            return record
        headers = (*record.headers, (STAGE_HEADER, _signature(record, mac)))
        return Record(record.topic, record.key, record.value, headers, record.partition)

    def holds(self, record: StoredRecord) -> bool:
        """The record lies on a topic that needs no signature, or a stage that owns its topic signed it for this topic."""
        macs = self._of_topic.get(record.topic)
        if macs is None:
            return True
        told = first_header(record.headers, STAGE_HEADER)
        if told is None:
            return False
        for mac in macs:
            if hmac.compare_digest(told, _signature(record, mac)):
                return True
        return False


def _signature(record: Record | StoredRecord, mac: PreparedMac) -> bytes:
    """Over the lengths of topic, event id, key and value, each in four bytes, big-endian, and then the four themselves."""
    topic, event_id, value = record.topic.encode(), first_header(record.headers, "ce_id") or b"", record.value or b""
    lengths = _LENGTHS.pack(len(topic), len(event_id), len(record.key), len(value))
    return FORM + mac.hex(b"".join((lengths, topic, event_id, record.key, value)))
