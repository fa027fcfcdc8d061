"""What said no, and where it said so, in plain English and French; its own words are never among it."""

from __future__ import annotations

from assent.events.optouts import SeenOptOut
from assent.optouts.signal import SignalKind, SignalSource, SignalVerdict
from assent.wording.language import colon

_KINDS: dict[str, dict[str, str]] = {
    "en": {
        SignalKind.ROBOTS_TXT: "the site's rules for robots (robots.txt)",
        SignalKind.ROBOTS_TAG: "a word to robots such as noindex or noai (X-Robots-Tag)",
        SignalKind.CONTENT_USAGE: "a preference on use by machines (Content-Usage)",
        SignalKind.CONTENT_SIGNAL: "a preference on use by machines in robots.txt (Content-Signal)",
        SignalKind.RSL: "licence terms for machines (RSL)",
        SignalKind.TDMREP: "a reservation of text and data mining (TDMRep)",
        SignalKind.AI_TXT: "the site's rules for artificial intelligence (ai.txt)",
        SignalKind.LICENCE: "a licence that is not open",
        SignalKind.PLUS_DATA_MINING: "the data mining field in the picture (PLUS)",
        SignalKind.PLUS_MODEL_RELEASE: "the picture says that the person shown gave no release (PLUS)",
        SignalKind.PLUS_MINOR_MODEL: "the picture says that the person shown is a minor, or may be (PLUS)",
        SignalKind.C2PA_TRAINING: "a signed statement on training and mining in the picture (C2PA)",
        SignalKind.IMAGE_METADATA: "the picture's own metadata, where a no may stand",
        SignalKind.HTML: "the page that shows the picture",
        SignalKind.ACCESS: "a login, a payment or a puzzle that keeps robots out",
    },
    "fr": {
        SignalKind.ROBOTS_TXT: "les règles du site pour les robots (robots.txt)",
        SignalKind.ROBOTS_TAG: "une consigne aux robots, comme noindex ou noai (X-Robots-Tag)",
        SignalKind.CONTENT_USAGE: "une préférence sur l'usage par des machines (Content-Usage)",
        SignalKind.CONTENT_SIGNAL: "une préférence sur l'usage par des machines, dans robots.txt (Content-Signal)",
        SignalKind.RSL: "des conditions de licence pour les machines (RSL)",
        SignalKind.TDMREP: "une réserve de fouille de textes et de données (TDMRep)",
        SignalKind.AI_TXT: "les règles du site pour l'intelligence artificielle (ai.txt)",
        SignalKind.LICENCE: "une licence qui n'est pas ouverte",
        SignalKind.PLUS_DATA_MINING: "le champ de fouille de données de l'image (PLUS)",
        SignalKind.PLUS_MODEL_RELEASE: "l'image dit que la personne montrée n'a pas donné d'autorisation de diffusion (PLUS)",
        SignalKind.PLUS_MINOR_MODEL: "l'image dit que la personne montrée est mineure, ou peut l'être (PLUS)",
        SignalKind.C2PA_TRAINING: "une déclaration signée sur l'entraînement et la fouille, dans l'image (C2PA)",
        SignalKind.IMAGE_METADATA: "les métadonnées de l'image, où un non peut se trouver",
        SignalKind.HTML: "la page qui montre l'image",
        SignalKind.ACCESS: "une connexion, un paiement ou une épreuve qui écarte les robots",
    },
}
_SOURCES: dict[str, dict[str, str]] = {
    "en": {
        SignalSource.ROBOTS_TXT: "in robots.txt",
        SignalSource.TDMREP_JSON: "in tdmrep.json",
        SignalSource.AI_TXT: "in ai.txt",
        SignalSource.STATUS: "by how the server answered",
        SignalSource.HEADER: "beside the answer of the server",
        SignalSource.PAGE: "on the page",
        SignalSource.IMAGE: "inside the picture",
    },
    "fr": {
        SignalSource.ROBOTS_TXT: "dans robots.txt",
        SignalSource.TDMREP_JSON: "dans tdmrep.json",
        SignalSource.AI_TXT: "dans ai.txt",
        SignalSource.STATUS: "par la réponse du serveur",
        SignalSource.HEADER: "avec la réponse du serveur",
        SignalSource.PAGE: "sur la page",
        SignalSource.IMAGE: "dans l'image même",
    },
}
_VERDICTS: dict[str, dict[str, str]] = {
    "en": {SignalVerdict.DENY: "says no", SignalVerdict.UNKNOWN: "cannot be read, and doubt is a no", SignalVerdict.NONE: "says nothing"},
    "fr": {
        SignalVerdict.DENY: "dit non",
        SignalVerdict.UNKNOWN: "est illisible, et le doute vaut un non",
        SignalVerdict.NONE: "ne dit rien",
    },
}
_ASIDE = {"en": "; she has set it aside for this source", "fr": " ; la personne l'a écarté pour cette source"}


def optout_text(seen: SeenOptOut, lang: str = "en", *, is_aside: bool = False) -> str:
    """`a reservation of text and data mining (TDMRep), in tdmrep.json: says no`."""
    lang = lang if lang in _KINDS else "en"
    said = f"{_KINDS[lang][seen.kind]}, {_SOURCES[lang][seen.source]}{colon(lang)}{_VERDICTS[lang][seen.verdict]}"
    return said + (_ASIDE[lang] if is_aside else "")
