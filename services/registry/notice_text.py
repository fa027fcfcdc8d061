"""The notice she reads before she says yes, in plain English or French, made from the request; never says less than the request.

What the operator writes stands behind it, never in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from assent.wording.moment_text import day_text
from assent.wording.place_text import places_text
from services.registry.notice_terms import lines_of_faces, lines_of_her, lines_of_terms, one_line

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
_CHANGING = frozenset({"url_prefix", "account"})
"""Sources whose pictures are not yet known when she reads the notice."""
_WORDS = {
    "en": {
        "who": "Who asks: {name}. Contact: {contact}.",
        "what": "What is done: photos of you are collected from the places below. A face template (a list of numbers made "
        "from your face) is computed and stored, so that your face can be searched for.",
        "why": "What for:",
        "where": "From where:",
        "upload": "photos that you send yourself",
        "only_me": " (you state that nobody else's face appears there: every face found there is taken for yours)",
        "folder": "From a folder or an account, photos are used without asking you about each only while {name} has shown that it "
        "controls that site. Else you are asked about each photo before anything of it is loaded.",
        "joint": "A photo is used only if everyone whose face is in it has agreed, and only until one of you ends it.",
        "region": "Of each photo only the face that is marked in it is used: here below, or by you later.",
        "recipients": "Others may be told of a match. They are, by the names that {name} gives them:",
        "nobody": "Nobody but you may be told of a match.",
        "places": "In which places: {places}.",
        "term": "How long: from {start} until {end}. Then everything is erased.",
        "choice": "You need not agree. If you refuse, nothing is collected and nothing else changes for you.",
        "withdraw": "You may end this at any time with one click and the secret you will be given. No photo and no reason is "
        "asked. Photos and templates are then erased, and you get a receipt that anybody can check.",
        "again": "You said yes to this on {day}. You are asked whether it may go on. Without a new yes it ends as you agreed then.",
        "own": "What follows is written by {name}. It changes nothing of the above.",
        "more": "{name} says more at {url}",
        "digest": "SHA-256 of what {name} says there: {sha256}",
    },
    "fr": {
        "who": "Qui demande : {name}. Contact : {contact}.",
        "what": "Ce qui est fait : des photos de vous sont recueillies aux endroits ci-dessous. Un gabarit du visage (une suite "
        "de nombres tirée de votre visage) est calculé et conservé, afin que votre visage puisse être cherché.",
        "why": "Pourquoi :",
        "where": "D'où :",
        "upload": "les photos que vous envoyez vous-même",
        "only_me": " (vous déclarez que le visage de personne d'autre n'y apparaît : tout visage trouvé là est tenu pour le vôtre)",
        "folder": "D'un dossier ou d'un compte, des photos ne sont utilisées sans vous interroger sur chacune que tant que {name} a montré "
        "en avoir la maîtrise. Sinon la question vous est posée pour chaque photo, avant que rien n'en soit chargé.",
        "joint": "Une photo n'est utilisée que si toutes les personnes qui y figurent ont accepté, et jusqu'à ce que l'une y mette fin.",
        "region": "De chaque photo, seul le visage qui y est marqué est utilisé : ci-dessous, ou par vous plus tard.",
        "recipients": "D'autres peuvent être informés d'une correspondance. Ce sont, selon les noms que {name} leur donne :",
        "nobody": "Personne d'autre que vous ne peut être informé d'une correspondance.",
        "places": "Dans quels lieux : {places}.",
        "term": "Combien de temps : du {start} au {end}. Ensuite tout est effacé.",
        "choice": "Vous n'êtes pas tenue d'accepter. Si vous refusez, rien n'est recueilli et rien d'autre ne change pour vous.",
        "withdraw": "Vous pouvez y mettre fin à tout moment d'un clic, avec le secret qui vous sera remis. Ni photo ni raison ne "
        "sont demandées. Photos et gabarits sont alors effacés, et vous recevez un reçu que chacun peut vérifier.",
        "again": "Vous avez dit oui à ceci le {day}. On vous demande si cela peut continuer. Sans un nouveau oui, cela prend fin comme "
        "convenu alors.",
        "own": "Ce qui suit est écrit par {name}. Cela ne change rien à ce qui précède.",
        "more": "{name} en dit plus à l'adresse {url}",
        "digest": "SHA-256 de ce que {name} y dit : {sha256}",
    },
}


def notice_text(request: Mapping[str, Any]) -> str:
    """The facts of the request, then the operator's own words. In French when the notice's language is French, else in English.

    `request` is the request with its subject, her residence and the sources as they are matched. The same gives the same text.
    """
    language = _language(request)
    return "\n".join([*_facts(request, language), *_own_words(request, _WORDS[language])]) + "\n"


def renewal_text(terms: Mapping[str, Any], *, agreed_at: datetime) -> str:
    """The same facts for a grant that she gave before, with its new end, and the operator's words of then."""
    language = _language(terms)
    first = _WORDS[language]["again"].format(day=day_text(agreed_at, language))
    return "\n".join([first, "", *_facts(terms, language), *_words_behind_facts(terms["notice"]["text"] or "")]) + "\n"


def _language(terms: Mapping[str, Any]) -> str:
    return "fr" if terms["notice"]["language"].startswith("fr") else "en"


def _words_behind_facts(text: str) -> list[str]:
    """The lines of an earlier notice after its last fact, which every one of them has, in the words of its release."""
    lines = text.removesuffix("\n").split("\n")
    last = max((lines.index(words["withdraw"]) for words in _WORDS.values() if words["withdraw"] in lines), default=None)
    return [] if last is None else lines[last + 1 :]


def _facts(request: Mapping[str, Any], language: str) -> list[str]:
    words, sources = _WORDS[language], request["sources"]
    controller, scope, validity = request["controller"], request["geographic_scope"], request["validity"]
    places = sorted({*scope["collect_in"], *scope["store_in"], *scope["disclose_in"]})
    mode = request["face_binding"]["mode"]
    return [
        words["who"].format(name=one_line(controller["name"]), contact=one_line(controller["contact"])),
        *lines_of_her(request, language),
        words["what"],
        words["why"],
        *(f"- {_PURPOSES[language][item['code']]}" for item in request["purposes"]),
        words["where"],
        *(f"- {_source(rule, words)}" for rule in sources),
        *([words["folder"].format(name=one_line(controller["name"]))] if any(rule["kind"] in _CHANGING for rule in sources) else []),
        *([words[mode]] if mode in words else []),
        *lines_of_faces(request, language),
        *_recipients(request, words),
        words["places"].format(places=places_text(places, language)),
        words["term"].format(start=_day(validity["not_before"], language), end=_day(validity["expires_at"], language)),
        *lines_of_terms(request, language),
        words["choice"],
        words["withdraw"],
    ]


def _day(moment: str, language: str) -> str:
    return day_text(datetime.fromisoformat(moment), language)


def _recipients(request: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    """No name that the operator writes can read like the sentence that there is nobody."""
    if not request["recipients"]:
        return [words["nobody"]]
    name = one_line(request["controller"]["name"])
    return [words["recipients"].format(name=name), *(f"- {one_line(item['id'])}" for item in request["recipients"])]


def _source(rule: Mapping[str, Any], words: Mapping[str, str]) -> str:
    named = words["upload"] if rule["kind"] == "upload" else one_line(rule["value"])
    return f"{named}{words['only_me'] if rule['only_me'] else ''}"


def _own_words(request: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    asked, name = request["notice"], one_line(request["controller"]["name"])
    own = ["", words["own"].format(name=name), asked["text"]] if asked["text"] else []
    more = ["", words["more"].format(name=name, url=one_line(asked["url"]))] if asked["url"] else []
    digest = [words["digest"].format(name=name, sha256=asked["sha256"])] if asked["sha256"] and not asked["text"] else []
    return [*own, *more, *digest]
