"""How a grant stood when it was decided about, in plain words, English and French; it says nothing of whose grant it is."""

from __future__ import annotations

from assent.consent.ledger import Standing

_EN: dict[str, str] = {
    Standing.UNKNOWN: "no such grant was known",
    Standing.LIVE: "the grant was live",
    Standing.NOT_LIVE: "the grant was not confirmed, or not in force",
    Standing.EXPIRED: "the grant had run out",
    Standing.WITHDRAWN: "the grant had been withdrawn",
    Standing.DENIED: "the record of the grant could not be read",
    Standing.FIXTURE: "the grant was a fixture of the demonstration",
}
_FR: dict[str, str] = {
    Standing.UNKNOWN: "aucune autorisation de ce nom n'était connue",
    Standing.LIVE: "l'autorisation était en vigueur",
    Standing.NOT_LIVE: "l'autorisation n'était pas confirmée, ou pas en vigueur",
    Standing.EXPIRED: "l'autorisation avait pris fin avec le temps",
    Standing.WITHDRAWN: "l'autorisation avait été retirée",
    Standing.DENIED: "l'enregistrement de l'autorisation ne pouvait être lu",
    Standing.FIXTURE: "l'autorisation était un accessoire de la démonstration",
}
STANDINGS = frozenset(_EN)


def standing_text(standing: str, lang: str = "en") -> str:
    """The words of a standing; one of a newer release is named as it is."""
    return (_FR if lang == "fr" else _EN).get(standing, f"the grant stood as {standing}")
