"""The stages that decide, and what a yes or a no of each means for the person shown, in plain English and French."""

from __future__ import annotations

from dataclasses import dataclass

from assent.deciding.refusals import Outcome
from assent.events.images import Stage


@dataclass(frozen=True, slots=True)
class StageText:
    """Its name, and one sentence for her of what its no leaves behind."""

    name: str
    after_no: str


_STAGES: dict[str, dict[str, StageText]] = {
    "en": {
        Stage.CRAWLER: StageText("The visit to the site", "The picture was not loaded, or what was loaded of it was dropped at once."),
        Stage.INTAKE: StageText("The desk for what is handed in", "What was handed in was not taken."),
        Stage.GEOFENCE: StageText("The gate of places", "For this grant nothing of the picture is kept, and no face in it was measured."),
        Stage.CONSENT: StageText("The gate of consent", "Under this grant nothing of the picture is kept, and no template was made of it."),
        Stage.EMBEDDER: StageText("The gate of faces", "No template and no picture of a face is kept from it under this grant."),
        Stage.INDEXER: StageText("The index of faces", "The template was not stored, or it was deleted; nobody can find it."),
        Stage.QUERY: StageText("The search", "The photo that was sent was not kept, and nobody was told of anyone."),
    },
    "fr": {
        Stage.CRAWLER: StageText("La visite du site", "L'image n'a pas été chargée, ou ce qui en avait été chargé a été aussitôt écarté."),
        Stage.INTAKE: StageText("Le guichet de réception", "Ce qui a été remis n'a pas été pris."),
        Stage.GEOFENCE: StageText(
            "La porte des lieux", "Pour cette autorisation, rien de l'image n'est conservé et aucun visage n'y a été mesuré."
        ),
        Stage.CONSENT: StageText(
            "La porte du consentement", "Sous cette autorisation, rien de l'image n'est conservé et aucun gabarit n'en a été tiré."
        ),
        Stage.EMBEDDER: StageText("La porte des visages", "Ni gabarit ni image de visage n'en sont conservés sous cette autorisation."),
        Stage.INDEXER: StageText(
            "L'index des visages", "Le gabarit n'a pas été conservé, ou il a été supprimé ; personne ne peut le trouver."
        ),
        Stage.QUERY: StageText("La recherche", "La photo envoyée n'a pas été conservée, et personne n'a rien appris sur qui que ce soit."),
    },
}
_YES = {
    "en": "A picture of the face alone and a template of it are kept, sealed, until the grant ends; she can end it at any time.",
    "fr": "Une image du seul visage et son gabarit sont conservés, scellés, jusqu'à la fin de l'autorisation ; "
    "la personne peut y mettre fin à tout moment.",
}
_WAITS = {
    "en": "Nothing of the picture was loaded. It waits for her answer, on her own page.",
    "fr": "Rien de l'image n'a été chargé. Elle attend la réponse de la personne, sur sa propre page.",
}
_DECIDED = {"en": {True: "let through", False: "refused"}, "fr": {True: "admise", False: "refusée"}}


def stage_text(stage: str, lang: str = "en") -> str:
    """The name of a stage; one of a newer release is named as it is."""
    found = _STAGES.get(lang, _STAGES["en"]).get(stage)
    return stage if found is None else found.name


def meaning_text(stage: str, outcome: str, *, is_yes: bool, lang: str = "en") -> str:
    """What it means for her; nothing of a stage that is not known."""
    lang = lang if lang in _STAGES else "en"
    if is_yes:
        return _YES[lang]
    if outcome == Outcome.AWAITS_APPROVAL.value:
        return _WAITS[lang]
    found = _STAGES[lang].get(stage)
    return "" if found is None else found.after_no


def decided_text(*, is_yes: bool, lang: str = "en") -> str:
    """The decision itself, of an image."""
    return _DECIDED.get(lang, _DECIDED["en"])[is_yes]
