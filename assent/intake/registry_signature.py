"""The registry's word on the log: who said yes, who ended it, what must go; nobody else holds the key that signs it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.intake.signature import is_signed_by, sign_record

REGISTRYS_WORD = (Topic.GRANTS, Topic.WITHDRAWALS, Topic.ERASURES_REQUESTED)
_NAMES = frozenset(topic.value for topic in REGISTRYS_WORD)


def signed_by_registry(record: Record, private_key: Ed25519PrivateKey) -> Record:
    """The record as the registry puts it on the log; one of another topic as it is."""
    return sign_record(record, private_key, names_topic=True) if record.topic in _NAMES else record


def is_registrys_word(record: Record | StoredRecord, public_key: Ed25519PublicKey) -> bool:
    """The registry wrote it under this key and on this topic, or it lies on a topic where that is not asked."""
    return record.topic not in _NAMES or is_signed_by(record, public_key, names_topic=True)
