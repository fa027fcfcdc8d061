"""One statement about a place, with its weights; the raw value never gets this far."""

from __future__ import annotations

from dataclasses import dataclass

from assent.events.evidence import CoarseEvidence, Connector, EvidenceKind
from assent.ids import UNKNOWN, Jurisdiction


@dataclass(frozen=True, slots=True)
class Weights:
    """How much one kind of evidence can place a case in a closed area (`deny`) or show it in an open one (`allow`); 0..1."""

    connector: Connector
    deny: float
    allow: float


# The numbers of the evidence table: anything that is easily forged may deny and can hardly allow.
WEIGHTS: dict[EvidenceKind, Weights] = {
    EvidenceKind.GRANT_RESIDENCE: Weights(Connector.RESIDENCE, 1.0, 0.90),
    EvidenceKind.SIGNED_GPS: Weights(Connector.CAPTURE, 1.0, 0.80),
    EvidenceKind.EXIF_GPS: Weights(Connector.CAPTURE, 1.0, 0.60),
    EvidenceKind.XMP_LOCATION_CREATED: Weights(Connector.CAPTURE, 0.9, 0.50),
    EvidenceKind.XMP_LOCATION_SHOWN: Weights(Connector.SHOWN, 0.8, 0.30),
    EvidenceKind.IPTC_PLACE: Weights(Connector.SHOWN, 0.8, 0.30),
    EvidenceKind.SCHEMA_RESIDENCE: Weights(Connector.RESIDENCE, 0.9, 0.30),
    EvidenceKind.SCHEMA_PLACE: Weights(Connector.CAPTURE, 0.7, 0.30),
    EvidenceKind.GEO_META: Weights(Connector.PUBLICATION, 0.7, 0.20),
    EvidenceKind.PROVINCE_DOMAIN: Weights(Connector.PUBLICATION, 0.9, 0.20),
    EvidenceKind.COUNTRY_DOMAIN: Weights(Connector.PUBLICATION, 0.6, 0.10),
    EvidenceKind.SERVER_ADDRESS: Weights(Connector.SERVER, 0.4, 0.05),
    EvidenceKind.LANGUAGE: Weights(Connector.PUBLICATION, 0.3, 0.0),
    EvidenceKind.URL_WORDS: Weights(Connector.PUBLICATION, 0.3, 0.0),
    EvidenceKind.CAPTION: Weights(Connector.SHOWN, 0.4, 0.0),
    EvidenceKind.TIME_ZONE: Weights(Connector.CAPTURE, 0.2, 0.0),
    EvidenceKind.CALLER: Weights(Connector.CLIENT, 1.0, 0.90),
}

AMBIGUOUS = frozenset({EvidenceKind.IPTC_PLACE})
"""The older IPTC fields never said whether they mean where a picture was taken or what it shows. The table has what it shows, which
places nobody; a count of what is known has to hold for both meanings.
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source says: the jurisdictions it names, never empty; `is_invalid` when it was there and could not be read."""

    kind: EvidenceKind
    connector: Connector
    jurisdictions: frozenset[Jurisdiction]
    deny_weight: float
    allow_weight: float
    is_invalid: bool = False

    def coarse(self) -> CoarseEvidence:
        """The form that a decision event carries."""
        return CoarseEvidence(
            kind=self.kind,
            connector=self.connector,
            jurisdictions=tuple(sorted(self.jurisdictions)),
            deny_weight=self.deny_weight,
            allow_weight=self.allow_weight,
            is_invalid=self.is_invalid,
        )

    @classmethod
    def of(cls, coarse: CoarseEvidence) -> Evidence:
        """The evidence that stands behind such a form: nothing that a decision reads is lost in it."""
        return cls(
            kind=coarse.kind,
            connector=coarse.connector,
            jurisdictions=frozenset(coarse.jurisdictions),
            deny_weight=coarse.deny_weight,
            allow_weight=coarse.allow_weight,
            is_invalid=coarse.is_invalid,
        )


def stated(kind: EvidenceKind, jurisdictions: frozenset[Jurisdiction]) -> Evidence:
    """Evidence of this kind with the weights of its table row; a statement that names no place is unreadable."""
    if not jurisdictions:
        return unreadable(kind)
    weights = WEIGHTS[kind]
    return Evidence(kind, weights.connector, jurisdictions, weights.deny, weights.allow)


def unreadable(kind: EvidenceKind) -> Evidence:
    """Evidence that is present and cannot be read: it adds UNKNOWN, which nothing takes away again."""
    weights = WEIGHTS[kind]
    return Evidence(kind, weights.connector, frozenset({UNKNOWN}), weights.deny, 0.0, is_invalid=True)
