"""What one stage hands to the next, signed: whoever may write to the log still makes no clearance; it signs with no stored key."""

from __future__ import annotations

from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.intake.signature import is_signed_by, sign_record
from assent.keys.deployment_keys import DeploymentKeys

HANDED_ON = (Topic.IMAGES_LOCATED, Topic.IMAGES_CLEARED, Topic.FACES_EMBEDDED, Topic.ERASURES_PROGRESSED)
"""Topics on whose word somebody relies: which image, whose grant, which places, and what was erased."""


class StageSignatures:
    """The keys of the stages are derived from the root secret, which every service holds and nobody else does."""

    def __init__(self, keys: DeploymentKeys) -> None:
        owners = {topic.value: TOPICS[topic].owners for topic in HANDED_ON}
        self._private = {owner: keys.stage_signing_key(owner) for named in owners.values() for owner in named}
        self._public = {topic: [self._private[owner].public_key() for owner in named] for topic, named in owners.items()}

    def signed(self, record: Record, stage: str) -> Record:
        """The record as this stage hands it on; one of a topic on whose word nobody relies as it is."""
        key = self._private.get(stage)
        return record if key is None or record.topic not in self._public else sign_record(record, key)

    def holds(self, record: StoredRecord) -> bool:
        """The record lies on a topic that needs no signature, or a stage that owns its topic signed it."""
        keys = self._public.get(record.topic)
        return keys is None or any(is_signed_by(record, key) for key in keys)
