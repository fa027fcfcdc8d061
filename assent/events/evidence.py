"""Location evidence as it crosses the log: raw on the image topics, coarse in refusals; the coarse form never holds a raw value."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from assent.events.payload import WireModel
from assent.ids import Jurisdiction


class Connector(StrEnum):
    """What ties a case to a place."""

    RESIDENCE = "residence"
    CAPTURE = "capture"
    SHOWN = "shown"
    PUBLICATION = "publication"
    SERVER = "server"
    CLIENT = "client"


class EvidenceKind(StrEnum):
    """Where a statement about a place was read."""

    GRANT_RESIDENCE = "grant_residence"
    SIGNED_GPS = "signed_gps"
    EXIF_GPS = "exif_gps"
    XMP_LOCATION_CREATED = "xmp_location_created"
    XMP_LOCATION_SHOWN = "xmp_location_shown"
    IPTC_PLACE = "iptc_place"
    SCHEMA_RESIDENCE = "schema_residence"
    SCHEMA_PLACE = "schema_place"
    GEO_META = "geo_meta"
    PROVINCE_DOMAIN = "province_domain"
    COUNTRY_DOMAIN = "country_domain"
    SERVER_ADDRESS = "server_address"
    LANGUAGE = "language"
    URL_WORDS = "url_words"
    CAPTION = "caption"
    TIME_ZONE = "time_zone"
    CALLER = "caller"


class PageEvidence(WireModel):
    """Raw evidence that only the fetching side saw: `value` is text as found, at most 512 characters."""

    kind: EvidenceKind
    value: str = Field(max_length=512)


class CoarseEvidence(WireModel):
    """Evidence as a decision used it: which kind said which jurisdictions, with which weights; never the raw value.

    `is_invalid` marks evidence that was present and unreadable; it stands for the jurisdiction UNKNOWN.
    """

    kind: EvidenceKind
    connector: Connector
    jurisdictions: tuple[Jurisdiction, ...]
    deny_weight: float = Field(ge=0, le=1)
    allow_weight: float = Field(ge=0, le=1)
    is_invalid: bool = False
