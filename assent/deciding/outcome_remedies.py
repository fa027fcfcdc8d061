"""What a producer can do about each coarse outcome of its images; it tells nothing of a grant, and of a face no more
than that it is not the one that a subject confirmed."""

# ruff: noqa: E501  one row per outcome
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
_EN: dict[str, str] = {
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
_FR: dict[str, str] = {
    EMBEDDED: "",
    Outcome.SUPPRESSED: "Ces octets ne doivent pas revenir. Ne les envoyez plus.",
    Outcome.OPTED_OUT: "Le site ou l'image dit non. Seul qui les publie peut changer cela.",
    Outcome.UNREADABLE_IMAGE: "Envoyez une image JPEG, PNG, WebP ou HEIC entière, dans les limites. Si l'original n'était plus là, remettez-le et annoncez-le.",
    Outcome.UNKNOWN_PLACE: "Rien qui compte ne dit de quel lieu elle relève. Demandez une autorisation qui nomme son SHA-256 ; elle dit la résidence.",
    Outcome.NO_GRANT: "Personne n'a dit oui à ces octets. Demandez une autorisation qui nomme leur SHA-256.",
    Outcome.GRANT_ENDED: "L'autorisation a pris fin ou n'est pas en vigueur. Dire oui de nouveau est une nouvelle autorisation.",
    Outcome.BYSTANDER: "Quelqu'un d'autre peut figurer sur l'image. La personne marque son visage, ou chacun autorise.",
    Outcome.NOT_THE_SUBJECT: "Le visage ne s'accorde pas avec celui que la personne a confirmé. Elle seule peut changer cela.",
    Outcome.REFERENCE_MISSING: "La photo que la personne a confirmée n'est plus là. Elle en confirme une autre, ou la retire.",
    Outcome.NO_FACE: "Aucun visage n'a été trouvé, ou aucun d'assez bon. Envoyez une photo plus grande et plus nette.",
    Outcome.CLOSED_PLACE: "Un lieu dont elle relève est fermé pour cela. Un fournisseur n'y peut rien.",
    Outcome.NOT_GRANTED: "L'autorisation l'omet. Demandez-en une qui le comprend.",
    Outcome.AWAITS_APPROVAL: "Personne n'a montré qui tient son dossier. La personne approuve l'image elle-même, ou le responsable le prouve.",
    DeadOutcome.UNREADABLE_EVENT: "L'enregistrement n'est pas un événement lu ici. Voyez les causes des lettres mortes, corrigez et renvoyez.",
    DeadOutcome.WRONG_BYTES: "L'événement nomme des octets qui ne sont pas les vôtres, ou pas ceux qui ont été remis. Nommez intake/PRODUCER/SHA256.",
    DeadOutcome.SUSPENDED: "Trop de ce que vous avez signé était illisible, ou l'exploitant vous a suspendu. Corrigez, puis demandez à reprendre.",
}
OUTCOMES = tuple(_EN)


def dead_outcome_of(cause: str) -> DeadOutcome:
    """The coarse class of a dead letter's cause."""
    return _BY_CAUSE.get(cause, DeadOutcome.UNREADABLE_EVENT)


def remedy_of(outcome: str, lang: str = "en") -> str:
    """One or two sentences, empty where nothing is to be done. An outcome of a newer release has none yet."""
    return (_FR if lang == "fr" else _EN).get(outcome, "")
