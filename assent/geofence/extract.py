"""All evidence of place in an image file and in what its page says; hostile metadata ends as unreadable, never as an exception."""

from __future__ import annotations

from collections.abc import Iterable

from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.c2pa_place import c2pa_evidence
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.exif_gps import exif_gps_evidence
from assent.geofence.exif_hints import exif_hint_evidence
from assent.geofence.image_blocks import read_blocks
from assent.geofence.iptc_place import iptc_place_evidence
from assent.geofence.page_place import page_evidence_of
from assent.geofence.point import Areas, Location
from assent.geofence.signers import Signers
from assent.geofence.xmp_place import xmp_place_evidence
from assent.optouts.image_metadata import read_image_metadata

MAX_BLOCKS = 8
NOBODY = Signers()


def image_evidence(data: bytes, *, areas: Areas, location: Location, signers: Signers = NOBODY) -> tuple[Evidence, ...]:
    """Evidence of the file's own metadata, in a fixed order and without repetition. Another format than the four is unreadable.

    `signers` are those whose signed positions count as signed; without any, a signed position is a position like another.
    """
    blocks, packets = read_blocks(data), read_image_metadata(data)
    found: list[Evidence] = []
    for block in blocks.exif[:MAX_BLOCKS]:
        found.extend(exif_gps_evidence(block, areas=areas, location=location))
        found.extend(exif_hint_evidence(block))
    for packet in packets.xmp[:MAX_BLOCKS]:
        found.extend(xmp_place_evidence(packet, areas=areas, location=location))
    for segment in blocks.iptc[:MAX_BLOCKS]:
        found.extend(iptc_place_evidence(segment))
    stores, spans = packets.c2pa[:MAX_BLOCKS], packets.c2pa_spans
    found.extend(c2pa_evidence(stores, data=data, spans=spans, areas=areas, location=location, signers=signers))
    # What was not read may hold a place: blocks beyond the limit, and parts that could not be cut out.
    if blocks.is_broken or len(blocks.exif) > MAX_BLOCKS or len(blocks.iptc) > MAX_BLOCKS:
        found.append(unreadable(EvidenceKind.EXIF_GPS))
    if packets.is_broken or len(packets.xmp) > MAX_BLOCKS:
        found.append(unreadable(EvidenceKind.XMP_LOCATION_CREATED))
    if len(packets.c2pa) > MAX_BLOCKS:
        found.append(unreadable(EvidenceKind.SIGNED_GPS))
    return _distinct(found)


def page_evidence(told: Iterable[PageEvidence], *, areas: Areas, location: Location) -> tuple[Evidence, ...]:
    """Evidence of the raw statements that the fetching side saw."""
    return _distinct(found for item in told for found in page_evidence_of(item, areas=areas, location=location))


def _distinct(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(found))
