"""What a notice says of her and of the other terms: what is taken for true of her, how long it is kept, and a digest of all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import rfc8785

from assent.wording.place_text import places_text

_WORDS = {
    "en": {
        "lives": "It is taken for true that you live here: {places}. The law of that place is followed.",
        "adult": "It is taken for true that you are of age{born}.",
        "minor_14_17": "It is taken for true that you are 14 to 17 years old{born}, and that {guardian} says yes for you.",
        "minor_u14": "It is taken for true that you are under 14 years old{born}, and that {guardian} says yes for you.",
        "unknown": "It is not known how old you are.",
        "born": " (born in {year})",
        "no_guardian": "nobody",
        "wrong": "If that is wrong, say no.",
        "marked": "This face is taken for yours: photo with the SHA-256 {sha256}, {x} % from the left, {y} % from the top, {width} % wide, "
        "{height} % high.",
        "members": "It rests on these grants, one of each person in the photo:",
        "kept": "Nothing is kept for longer than {days} days, nor longer than {after} days after what it is for has ended.",
        "kept_no_longer": "Nothing is kept for longer than {days} days, and nothing once what it is for has ended.",
        "processors": "For {name} this is done by:",
        "all": "SHA-256 of everything that is asked for, as it is decided by: {sha256}",
    },
    "fr": {
        "lives": "Il est tenu pour vrai que vous vivez ici : {places}. La loi de ce lieu est suivie.",
        "adult": "Il est tenu pour vrai que vous êtes majeure{born}.",
        "minor_14_17": "Il est tenu pour vrai que vous avez de 14 à 17 ans{born} et que {guardian} dit oui pour vous.",
        "minor_u14": "Il est tenu pour vrai que vous avez moins de 14 ans{born} et que {guardian} dit oui pour vous.",
        "unknown": "On ne sait pas quel âge vous avez.",
        "born": " (née en {year})",
        "no_guardian": "personne",
        "wrong": "Si c'est faux, dites non.",
        "marked": "Ce visage est tenu pour le vôtre : photo dont le SHA-256 est {sha256}, à {x} % de la gauche, à {y} % du haut, large de "
        "{width} %, haut de {height} %.",
        "members": "Cela repose sur ces autorisations, une de chaque personne sur la photo :",
        "kept": "Rien n'est conservé plus de {days} jours, ni plus de {after} jours après la fin de ce à quoi cela sert.",
        "kept_no_longer": "Rien n'est conservé plus de {days} jours, et rien une fois que ce à quoi cela sert a pris fin.",
        "processors": "Pour {name}, cela est fait par :",
        "all": "SHA-256 de tout ce qui est demandé, tel que les décisions en sont prises : {sha256}",
    },
}
_DECIDING = (
    "residence", "controller", "processors", "authority", "recipients", "operations", "controls_source", "face_binding", "legal",
    "evidence", "geographic_scope", "validity", "retention", "collection_method", "withdrawal",
)  # fmt: skip
_OF_HER = ("subject_id", "age_band", "birth_year", "guardian")
_OF_A_SOURCE = ("kind", "value", "only_me")
_OF_A_PURPOSE = ("code", "text", "explicit", "necessary")


def lines_of_her(terms: Mapping[str, Any], language: str) -> Iterator[str]:
    """Where she lives and how old she is, as the request has it: it decides, and she alone knows whether it is so."""
    words, subject = _WORDS[language], terms["subject"]
    places = sorted({place["jurisdiction"] for place in terms["residence"]})
    born = words["born"].format(year=subject["birth_year"]) if subject["birth_year"] else ""
    guardian = one_line(subject["guardian"]["party"]["name"]) if subject["guardian"] else words["no_guardian"]
    yield words["lives"].format(places=places_text(places, language))
    yield words[subject["age_band"]].format(born=born, guardian=guardian)
    yield words["wrong"]


def lines_of_faces(terms: Mapping[str, Any], language: str) -> Iterator[str]:
    """The faces that are marked already, whoever marked them, and the grants that a joint one rests on."""
    words, binding = _WORDS[language], terms["face_binding"]
    for region in binding["regions"]:
        box = {name: f"{100 * region['box'][name]:.1f}" for name in ("x", "y", "width", "height")}
        yield words["marked"].format(sha256=region["asset_sha256"], **box)
    if binding["member_grants"]:
        yield words["members"]
        yield from (f"- {member}" for member in binding["member_grants"])


def lines_of_terms(terms: Mapping[str, Any], language: str) -> Iterator[str]:
    """How long it is kept, who works at it, and the digest: the yes to this notice is one to nothing else."""
    words, kept = _WORDS[language], terms["retention"]
    if terms["processors"]:
        yield words["processors"].format(name=one_line(terms["controller"]["name"]))
        yield from (f"- {one_line(party['name'])}" for party in terms["processors"])
    days, after = kept["max_days"], kept["after_purpose_days"]
    yield words["kept" if after else "kept_no_longer"].format(days=days, after=after)
    yield words["all"].format(sha256=digest_of(terms))


def digest_of(terms: Mapping[str, Any]) -> str:
    """SHA-256 in hex of what decides, as canonical JSON (RFC 8785); the same for a request and for the record made of it."""
    whole = {name: terms[name] for name in _DECIDING}
    whole["subject"] = {name: terms["subject"][name] for name in _OF_HER}
    whole["sources"] = [{name: rule[name] for name in _OF_A_SOURCE} for rule in terms["sources"]]
    whole["purposes"] = [{name: purpose[name] for name in _OF_A_PURPOSE} for purpose in terms["purposes"]]
    return hashlib.sha256(rfc8785.dumps(whole)).hexdigest()


def one_line(text: str) -> str:
    """On one line: a name must not be able to write lines of its own into the facts."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
