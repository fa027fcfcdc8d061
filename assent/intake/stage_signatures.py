"""What one stage hands to the next, signed: whoever may write to the log still makes no clearance; it signs with no stored key."""

from __future__ import annotations

from assent.events.record import Record, StoredRecord
from assent.events.topics import TOPICS, Topic
from assent.intake.signature import is_signed_by, sign_record
from assent.keys.deployment_keys import DeploymentKeys

HANDED_ON = (Topic.IMAGES_LOCATED, Topic.IMAGES_CLEARED, Topic.FACES_EMBEDDED)
"""Topics that one stage alone writes and on whose word the next one relies: which image, whose grant, which places."""


class StageSignatures:
    """The keys of the stages are derived from the root secret, which every service holds and nobody else does."""

    def __init__(self, keys: DeploymentKeys) -> None:
        owners = {topic: TOPICS[topic].owners[0] for topic in HANDED_ON}
        self._private = {owner: keys.stage_signing_key(owner) for owner in owners.values()}
        self._public = {topic.value: self._private[owner].public_key() for topic, owner in owners.items()}

    def signed(self, record: Record, stage: str) -> Record:
        """The record as this stage hands it on; of a stage on whose word nobody relies, as it is."""
        key = self._private.get(stage)
        return record if key is None else sign_record(record, key)

    def holds(self, record: StoredRecord) -> bool:
        """The record lies on a topic that needs no signature, or the stage that owns its topic signed it."""
        key = self._public.get(record.topic)
        return key is None or is_signed_by(record, key)
