"""Where a place was read, in plain English and French; what was read is never among it."""

from __future__ import annotations

from assent.events.evidence import CoarseEvidence, EvidenceKind
from assent.wording.language import colon
from assent.wording.place_text import places_text

_KINDS: dict[str, dict[str, str]] = {
    "en": {
        EvidenceKind.GRANT_RESIDENCE: "the residence stated in the grant",
        EvidenceKind.SIGNED_GPS: "a signed GPS position in the picture",
        EvidenceKind.EXIF_GPS: "the GPS position in the picture",
        EvidenceKind.XMP_LOCATION_CREATED: "the place where it was taken, written in the picture's metadata (XMP)",
        EvidenceKind.XMP_LOCATION_SHOWN: "the place that it shows, written in the picture's metadata (XMP)",
        EvidenceKind.IPTC_PLACE: "the place written in the picture's older metadata (IPTC)",
        EvidenceKind.SCHEMA_RESIDENCE: "where the page says that the person lives",
        EvidenceKind.SCHEMA_PLACE: "the place that the page states for the picture",
        EvidenceKind.GEO_META: "the place that the page states for itself",
        EvidenceKind.PROVINCE_DOMAIN: "the web address, which belongs to a province or state",
        EvidenceKind.COUNTRY_DOMAIN: "the country ending of the web address",
        EvidenceKind.SERVER_ADDRESS: "where the server stands",
        EvidenceKind.LANGUAGE: "the language and region of the page",
        EvidenceKind.URL_WORDS: "words in the web address",
        EvidenceKind.CAPTION: "a place named beside the picture",
        EvidenceKind.TIME_ZONE: "the time zone in the picture",
        EvidenceKind.CALLER: "where the person who asks is",
    },
    "fr": {
        EvidenceKind.GRANT_RESIDENCE: "la résidence déclarée dans l'autorisation",
        EvidenceKind.SIGNED_GPS: "une position GPS signée dans l'image",
        EvidenceKind.EXIF_GPS: "la position GPS dans l'image",
        EvidenceKind.XMP_LOCATION_CREATED: "le lieu de prise de vue inscrit dans les métadonnées de l'image (XMP)",
        EvidenceKind.XMP_LOCATION_SHOWN: "le lieu montré, inscrit dans les métadonnées de l'image (XMP)",
        EvidenceKind.IPTC_PLACE: "le lieu inscrit dans les anciennes métadonnées de l'image (IPTC)",
        EvidenceKind.SCHEMA_RESIDENCE: "le lieu où la personne habite, selon la page",
        EvidenceKind.SCHEMA_PLACE: "le lieu que la page indique pour l'image",
        EvidenceKind.GEO_META: "le lieu que la page indique pour elle-même",
        EvidenceKind.PROVINCE_DOMAIN: "l'adresse web, qui relève d'une province ou d'un État",
        EvidenceKind.COUNTRY_DOMAIN: "la terminaison nationale de l'adresse web",
        EvidenceKind.SERVER_ADDRESS: "l'emplacement du serveur",
        EvidenceKind.LANGUAGE: "la langue et la région de la page",
        EvidenceKind.URL_WORDS: "des mots de l'adresse web",
        EvidenceKind.CAPTION: "un lieu nommé à côté de l'image",
        EvidenceKind.TIME_ZONE: "le fuseau horaire dans l'image",
        EvidenceKind.CALLER: "l'endroit où se trouve la personne qui demande",
    },
}
_UNREADABLE = {"en": "it is there and cannot be read, so the place counts as unknown", "fr": "présent mais illisible, donc lieu inconnu"}
_NOWHERE = {"en": "noted, and it names no place that counts", "fr": "consigné, sans lieu qui compte"}


def evidence_kind_text(kind: str, lang: str = "en") -> str:
    """Where it was read; a kind of a newer release is named as it is."""
    return _KINDS.get(lang, _KINDS["en"]).get(kind, kind)


def evidence_text(item: CoarseEvidence, lang: str = "en") -> str:
    """`the GPS position in the picture: Quebec`."""
    lang = lang if lang in _KINDS else "en"
    if item.is_invalid:
        said = _UNREADABLE[lang]
    else:
        said = places_text(item.jurisdictions, lang) if item.jurisdictions else _NOWHERE[lang]
    return f"{evidence_kind_text(item.kind, lang)}{colon(lang)}{said}"
