"""The notice she reads before she says yes, in plain English or French, made from the request; never says less than the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PURPOSES = {
    "en": {
        "self_search": "so that you can find your own face among these photos",
        "verify": "to check one photo against your own",
        "gallery_search": "so that the recipients named below can find you from a photo",
    },
    "fr": {
        "self_search": "pour que vous puissiez trouver votre propre visage parmi ces photos",
        "verify": "pour comparer une photo à la vôtre",
        "gallery_search": "pour que les destinataires nommés ci-dessous puissent vous trouver à partir d'une photo",
    },
}
_WORDS = {
    "en": {
        "who": "Who asks: {name}. Contact: {contact}.",
        "what": "What is done: photos of you are collected from the places below. A face template (a list of numbers made "
        "from your face) is computed and stored, so that your face can be searched for.",
        "why": "What for:",
        "where": "From where:",
        "upload": "photos that you send yourself",
        "recipients": "Who may be told of a match: {who}.",
        "nobody": "nobody but you",
        "places": "In which places: {places}.",
        "term": "How long: from {start} until {end}. Then everything is erased.",
        "choice": "You need not agree. If you refuse, nothing is collected and nothing else changes for you.",
        "withdraw": "You may end this at any time with one click and the secret you will be given. No photo and no reason is "
        "asked. Photos and templates are then erased, and you get a receipt that anybody can check.",
    },
    "fr": {
        "who": "Qui demande : {name}. Contact : {contact}.",
        "what": "Ce qui est fait : des photos de vous sont recueillies aux endroits ci-dessous. Un gabarit du visage (une suite "
        "de nombres tirée de votre visage) est calculé et conservé, afin que votre visage puisse être cherché.",
        "why": "Pourquoi :",
        "where": "D'où :",
        "upload": "les photos que vous envoyez vous-même",
        "recipients": "Qui peut être informé d'une correspondance : {who}.",
        "nobody": "personne d'autre que vous",
        "places": "Dans quels lieux : {places}.",
        "term": "Combien de temps : du {start} au {end}. Ensuite tout est effacé.",
        "choice": "Vous n'êtes pas tenue d'accepter. Si vous refusez, rien n'est recueilli et rien d'autre ne change pour vous.",
        "withdraw": "Vous pouvez y mettre fin à tout moment d'un clic, avec le secret qui vous sera remis. Ni photo ni raison ne "
        "sont demandées. Photos et gabarits sont alors effacés, et vous recevez un reçu que chacun peut vérifier.",
    },
}


def notice_text(request: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> str:
    """The text, in French when the notice's language is French, else in English. The same request gives the same text."""
    language = "fr" if request["notice"]["language"].startswith("fr") else "en"
    words = _WORDS[language]
    controller, scope, validity = request["controller"], request["geographic_scope"], request["validity"]
    places = sorted({*scope["collect_in"], *scope["store_in"], *scope["disclose_in"]})
    recipients = ", ".join(item["id"] for item in request["recipients"]) or words["nobody"]
    lines = [
        words["who"].format(name=controller["name"], contact=controller["contact"]),
        words["what"],
        words["why"],
        *(f"- {_PURPOSES[language][item['code']]}" for item in request["purposes"]),
        words["where"],
        *(f"- {words['upload'] if rule['kind'] == 'upload' else rule['value']}" for rule in sources),
        words["recipients"].format(who=recipients),
        words["places"].format(places=", ".join(places)),
        words["term"].format(start=validity["not_before"][:10], end=validity["expires_at"][:10]),
        words["choice"],
        words["withdraw"],
    ]
    return "\n".join(lines) + "\n"
