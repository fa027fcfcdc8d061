"""What a producer can do about each coarse outcome of its images; it tells nothing of a grant, and of a face no more
than that it is not the one that a subject confirmed."""

from __future__ import annotations

from enum import StrEnum

from assent.deciding.refusals import Outcome

EMBEDDED = "embedded"


class DeadOutcome(StrEnum):
    """Why a record of a producer was given up, coarsely: it is no event, its bytes are not its own, or its producer is suspended."""

    UNREADABLE_EVENT = "unreadable_event"
    WRONG_BYTES = "wrong_bytes"
    SUSPENDED = "suspended"


_BY_CAUSE = {
    "foreign_blob": DeadOutcome.WRONG_BYTES,
    "wrong_digest": DeadOutcome.WRONG_BYTES,
    "producer_suspended": DeadOutcome.SUSPENDED,
}
_REMEDIES: dict[str, str] = {
    EMBEDDED: "",
    Outcome.SUPPRESSED: "These bytes must not come back. Do not send them again.",
    Outcome.OPTED_OUT: "The site or the image says no. Only whoever publishes it can change that.",
    Outcome.UNREADABLE_IMAGE: "Send a whole JPEG, PNG, WebP or HEIC within the limits. If the original was gone, PUT and announce it anew.",
    Outcome.UNKNOWN_PLACE: "Nothing that counts says where it belongs. Ask for a grant that names its SHA-256; it states the residence.",
    Outcome.NO_GRANT: "Nobody has said yes to these bytes. Ask for a grant that names their SHA-256.",
    Outcome.GRANT_ENDED: "The grant has ended or is not in force. Saying yes again is a new grant.",
    Outcome.BYSTANDER: "Somebody else may be in the image. She marks her face, or everybody in it grants.",
    Outcome.NO_FACE: "No face was found, or none good enough. Send a larger and sharper picture.",
    Outcome.CLOSED_PLACE: "A place that this belongs to is closed for it. Nothing to be done by a producer.",
    Outcome.NOT_GRANTED: "The grant leaves this out. Ask for a grant that includes it.",
    Outcome.AWAITS_APPROVAL: "Nobody has shown control of its folder. She approves the image herself, or the controller proves control.",
    Outcome.NOT_THE_SUBJECT: "The face does not agree with the one that its subject confirmed. Only she can change that.",
    Outcome.REFERENCE_MISSING: "The picture that its subject confirmed is gone. She confirms another one, or takes it back.",
    DeadOutcome.UNREADABLE_EVENT: "The record is no event that is read here. See the causes of dead letters, mend it and send it again.",
    DeadOutcome.WRONG_BYTES: "The event names bytes that are not yours, or not those that were PUT. Name intake/PRODUCER/SHA256.",
    DeadOutcome.SUSPENDED: "Too much of what you signed was dead, or the operator suspended you. Mend it, and ask to be resumed.",
}
OUTCOMES = tuple(_REMEDIES)


def dead_outcome_of(cause: str) -> DeadOutcome:
    """The coarse class of a dead letter's cause."""
    return _BY_CAUSE.get(cause, DeadOutcome.UNREADABLE_EVENT)


def remedy_of(outcome: str) -> str:
    """One or two sentences, empty where nothing is to be done. An outcome of a newer release has none yet."""
    return _REMEDIES.get(outcome, "")
