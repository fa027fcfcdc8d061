"""The words of the console in plain English and French; every key is in both."""

from __future__ import annotations

from collections.abc import Mapping

from assent.identity.errors import ApiError
from assent.wording.language import language_of

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Console",
        "other_language": "Français",
        "flow": "Flow",
        "search": "Search",
        "my_page": "My page",
        "sign_out": "Sign out",
        "flow_lead": "Every image passes four gates before a face becomes a vector. Nothing passes without a recorded yes.",
        "scraped": "Taken in",
        "located": "Place is open",
        "cleared": "Somebody said yes",
        "embedded": "Faces embedded",
        "refused": "Refused",
        "withdrawn": "Grants withdrawn",
        "images": "Latest images",
        "no_images": "Nothing has come yet.",
        "picture_alt": "The face that a grant covers",
        "not_shown": "not kept",
        "refusals": "Latest refusals",
        "no_refusals": "None.",
        "stage": "Gate",
        "outcome": "Outcome",
        "rule": "Rule",
        "why": "Why",
        "what_next": "What can be done",
        "when": "When",
        "search_lead": "Look for yourself among the photos that your own grants cover. The photo you send is not kept.",
        "ground": "On which ground",
        "self": "I look for myself",
        "gallery": "Search among people who allowed it to us",
        "photo": "Photo (JPEG, PNG, WebP or HEIC)",
        "face_id": "Face, by its number (for the second ground)",
        "look": "Search",
        "found": "Found",
        "faces_found": "Faces found in your photo",
        "face": "Face",
        "box_text": "from the left {left} %, from the top {top} %, {width} % wide, {height} % high",
        "found_none": "No candidate. It looks the same whether nobody matched or a match may not be told.",
        "candidate_note": "A match is a candidate, not an identification. A person decides.",
        "score": "Similarity",
        "threshold": "shown from",
        "gallery_faces": "faces looked at",
        "expected_false": "false candidates to expect",
        "refused_title": "Refused",
        "failed_title": "That did not work",
        "again": "Search again",
        "face_box": "Frame of the face",
        "stage_crawler": "Crawler",
        "stage_intake": "Intake",
        "stage_geofence": "Place",
        "stage_consent": "Consent",
        "stage_embedder": "Faces",
        "stage_indexer": "Index",
        "stage_query": "Search",
    },
    "fr": {
        "title": "Console",
        "other_language": "English",
        "flow": "Parcours",
        "search": "Recherche",
        "my_page": "Ma page",
        "sign_out": "Se déconnecter",
        "flow_lead": "Chaque image passe quatre portes avant qu'un visage devienne un vecteur. Rien ne passe sans un oui consigné.",
        "scraped": "Reçues",
        "located": "Lieu ouvert",
        "cleared": "Quelqu'un a dit oui",
        "embedded": "Visages encodés",
        "refused": "Refusées",
        "withdrawn": "Autorisations retirées",
        "images": "Dernières images",
        "no_images": "Rien n'est encore arrivé.",
        "picture_alt": "Le visage qu'une autorisation couvre",
        "not_shown": "non conservée",
        "refusals": "Derniers refus",
        "no_refusals": "Aucun.",
        "stage": "Porte",
        "outcome": "Résultat",
        "rule": "Règle",
        "why": "Pourquoi",
        "what_next": "Ce qui peut être fait",
        "when": "Quand",
        "search_lead": "Cherchez-vous parmi les photos que vos autorisations couvrent. La photo envoyée n'est pas conservée.",
        "ground": "À quel titre",
        "self": "Je me cherche moi-même",
        "gallery": "Chercher parmi ceux qui nous l'ont permis",
        "photo": "Photo (JPEG, PNG, WebP ou HEIC)",
        "face_id": "Visage, par son numéro (pour le second titre)",
        "look": "Chercher",
        "found": "Trouvé",
        "faces_found": "Visages trouvés dans votre photo",
        "face": "Visage",
        "box_text": "à {left} % de la gauche, à {top} % du haut, largeur {width} %, hauteur {height} %",
        "found_none": "Aucun candidat. La réponse est la même si personne ne correspond ou si l'on ne peut le dire.",
        "candidate_note": "Une correspondance est un candidat, pas une identification. Une personne décide.",
        "score": "Ressemblance",
        "threshold": "montrée à partir de",
        "gallery_faces": "visages examinés",
        "expected_false": "faux candidats à prévoir",
        "refused_title": "Refusé",
        "failed_title": "Cela n'a pas fonctionné",
        "again": "Chercher de nouveau",
        "face_box": "Cadre du visage",
        "stage_crawler": "Robot",
        "stage_intake": "Réception",
        "stage_geofence": "Lieu",
        "stage_consent": "Consentement",
        "stage_embedder": "Visages",
        "stage_indexer": "Index",
        "stage_query": "Recherche",
    },
}

OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "embedded": "embedded",
        "suppressed": "asked never to come back",
        "opted_out": "the site, page or picture said no",
        "unreadable_image": "no readable image",
        "unknown_place": "place unknown",
        "no_grant": "nobody said yes",
        "grant_ended": "grant not live",
        "bystander": "somebody else is in it",
        "no_face": "no usable face",
        "closed_place": "closed place",
        "not_granted": "not what was granted",
        "awaits_approval": "waits for her own yes to this image",
        "not_the_subject": "not the face that she confirmed",
        "reference_missing": "the face that she confirmed cannot be compared with any more",
    },
    "fr": {
        "embedded": "encodée",
        "suppressed": "ne doit pas revenir",
        "opted_out": "le site, la page ou l'image a dit non",
        "unreadable_image": "pas d'image lisible",
        "unknown_place": "lieu inconnu",
        "no_grant": "personne n'a dit oui",
        "grant_ended": "autorisation sans effet",
        "bystander": "quelqu'un d'autre y figure",
        "no_face": "pas de visage utilisable",
        "closed_place": "lieu fermé",
        "not_granted": "au-delà de l'autorisation",
        "awaits_approval": "attend son propre oui à cette image",
        "not_the_subject": "pas le visage qu'elle a confirmé",
        "reference_missing": "le visage qu'elle a confirmé ne peut plus servir de comparaison",
    },
}

PROBLEMS_FR: Mapping[str, str] = {
    "unauthenticated": "Il faut être connecté. La photo n'a pas été regardée.",
    "forbidden": "Ce rôle ne peut pas faire cela. La photo n'a pas été regardée.",
    "foreign_origin": "Cette demande n'est pas venue d'une page de ce site.",
    "closed_place": "Le service n'est pas offert là où vous êtes. La photo n'a pas été regardée.",
    "unknown_basis": "Aucune photo n'est regardée à ce titre.",
    "purpose_not_allowed": "Ce but n'est pas permis ici.",
    "probe_not_covered": "Ce visage n'est pas de ceux que l'on peut chercher. Nommez-en un dont l'autorisation vous permet ce but.",
    "no_picture": "Aucune photo n'a été envoyée.",
    "no_face": "Aucun visage n'a été trouvé. Envoyez une photo qui en montre un clairement.",
    "several_faces": "Plusieurs visages ont été trouvés, et aucun n'a été examiné. Envoyez une photo d'un seul visage.",
    "image_refused": "Ce n'est pas une image que l'on peut lire. Envoyez une photo JPEG, PNG, WebP ou HEIC.",
    "too_large": "La photo est trop grande. Envoyez-en une plus petite.",
    "not_a_form": "Le formulaire ne peut être lu. Envoyez-le de nouveau.",
    "malformed": "Le formulaire ne peut être lu. Envoyez-le de nouveau.",
    "picture_not_last": "Le formulaire ne peut être lu. Envoyez-le de nouveau.",
    "not_ready": "On ne peut vérifier à l'instant qui a dit oui; rien n'est donc montré. Réessayez dans un moment.",
}
"""What a page says of a failure, by its code; in English the failure speaks for itself."""


def outcome_text(outcome: str, lang: str) -> str:
    """The words of an outcome; one of a newer release is named as it is."""
    return OUTCOMES[lang].get(outcome, outcome)


def problem_text(error: ApiError, lang: str) -> str:
    """What went wrong and what to do, in the language of the page as far as it is known there."""
    said = f"{error.message} {error.remedy}".strip()
    return PROBLEMS_FR.get(error.code, said) if lang == "fr" else said


def texts_for(lang: str | None, accept_language: str) -> tuple[str, Mapping[str, str]]:
    """The language asked for, else the first of the browser's that is known, else English."""
    chosen = language_of(lang, accept_language)
    return chosen, TEXTS[chosen]
