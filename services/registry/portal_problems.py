"""What her pages say in French of something that did not work, by its code; in English the failure speaks for itself."""

from __future__ import annotations

from collections.abc import Mapping

from assent.identity.errors import ApiError

_NOT_AN_IMAGE = "Ce n'est pas une image que l'on peut lire. Envoyez une photo JPEG, PNG, WebP ou HEIC entière."
_TOO_LARGE = "La photo est trop grande. Envoyez-en une plus petite."
PROBLEMS_FR: Mapping[str, str] = {
    "unauthenticated": "Il faut être connectée. Connectez-vous avec le secret de votre autorisation.",
    "forbidden": "Ce rôle ne peut pas faire cela. Connectez-vous avec le secret de votre autorisation.",
    "foreign_origin": "Cette demande n'est pas venue d'une page de ce site. Rouvrez la page et recommencez.",
    "wrong_secret": "Ce secret n'ouvre pas cette autorisation. Vérifiez les deux ; un secret n'ouvre qu'une autorisation.",
    "already_answered": "Une réponse a déjà été donnée à cette demande. Utilisez désormais le secret de l'autorisation elle-même.",
    "not_signed_in_as_her": "Cette personne a déjà dit oui, et rien ne montre que c'est elle qui répond maintenant. Connectez-vous avec le "
    "secret d'une autorisation antérieure, puis répondez de nouveau.",
    "bad_device_signature": "La signature de cet appareil n'est pas valable. Dites oui de nouveau, ou avec le seul secret.",
    "staff_cannot_confirm": "Seule la personne concernée peut dire oui. Déconnectez-vous et laissez-la répondre.",
    "notice_mismatch": "Ce n'est pas l'avis de cette autorisation. Lisez son avis, puis répondez.",
    "privacy_signal": "Votre navigateur demande que rien ne soit communiqué (Global Privacy Control), et cette demande ne vise rien "
    "d'autre. Dites non, ou désactivez ce signal pour ce site si vous y tenez.",
    "grant_not_live": "Cette autorisation n'est pas en vigueur. Dire oui de nouveau est une nouvelle autorisation.",
    "grant_too_large": "Les sources et les visages marqués de cette autorisation sont trop longs ensemble. Demandez-en plusieurs.",
    "X-3": "Une autorisation commune couvre chaque personne sur la photo ; l'autorisation de l'une d'elles manque ou a pris fin.",
    "QC-7": "Une autorisation peut être raccourcie ainsi, pas prolongée. Renouvelez-la.",
    "nothing_to_renew": "La renouveler maintenant ne prolongerait guère l'autorisation. Revenez plus tard.",
    "nothing_left": "Il ne resterait rien de l'autorisation. Retirez-la plutôt.",
    "region_not_found": "Le cadre dépasse l'image, ou aucun visage ne s'y trouve. Marquez de nouveau votre visage.",
    "source_not_covered": "Cette autorisation ne couvre pas cela. Il en faut une qui le nomme.",
    "source_not_named": "L'autorisation ne nomme pas cette source. Regardez de nouveau votre page.",
    "too_many_sources": "L'autorisation nomme déjà autant de sources que possible. Il en faut une autre.",
    "bad_address": "Cette adresse ne peut être lue. Envoyez-la telle qu'elle est montrée.",
    "not_waiting": "Cette image n'attend plus. Regardez de nouveau votre page.",
    "override_not_possible": "Ce que cette source dit des droits demeure : rien ne montre qui les détient.",
    "control_unproven": "Personne n'a montré avoir la maîtrise de cette source, ou la preuve a pris fin. Il faut d'abord la montrer.",
    "joint_grant": "Une autorisation commune n'a pas de photo de référence. Confirmez-en une sous votre propre autorisation.",
    "image_too_small": "La photo est trop petite. Envoyez-en une plus grande.",
    "image_animated": "L'image bouge. Envoyez une photo fixe.",
    "face_not_held": "Cette image n'est pas conservée sous votre autorisation. Regardez de nouveau votre page.",
    "reference_unclear": "Cette image ne montre pas un seul visage assez net pour servir de référence. Confirmez-en une autre.",
    "no_face": "Aucun visage n'a été trouvé sur la photo. Envoyez-en une où votre visage est plus grand.",
    "invalid": "Le formulaire est incomplet ou a été modifié en chemin. Remplissez-le et renvoyez-le.",
    "malformed": "Le formulaire ne peut être lu. Renvoyez-le.",
    "too_large": _TOO_LARGE,
    "image_too_many_bytes": _TOO_LARGE,
    "image_too_many_pixels": _TOO_LARGE,
    "too_slow": "L'envoi n'avançait presque plus et a été arrêté. Recommencez.",
    "revision_conflict": "L'autorisation a été modifiée entre-temps. Regardez de nouveau votre page.",
    "not_found": "Il n'y a rien sous ce numéro. Vérifiez-le.",
    "registry_file_read": "Un autre programme lit le fichier du registre. Cela reprendra de soi-même ; réessayez dans un moment.",
    "log_unavailable": "Le journal ne répond pas à l'instant. Un retrait est consigné et se poursuit de lui-même ; sinon, réessayez.",
    "key_store_unavailable": "Le dépôt des clés ne répond pas à l'instant. Un retrait compte déjà ; sinon, réessayez dans un moment.",
    "not_ready": "On ne peut vérifier à l'instant ce qui est en vigueur. Réessayez dans un moment.",
    "internal_error": "Quelque chose n'a pas fonctionné de notre côté. Réessayez dans un moment.",
}


def problem_text(error: ApiError, lang: str) -> str:
    """What went wrong and what to do, in the language of the page as far as it is known there."""
    said = f"{error.message} {error.remedy}".strip()
    if lang != "fr":
        return said
    return PROBLEMS_FR.get(error.code, _NOT_AN_IMAGE if error.code.startswith("image_") else said)
