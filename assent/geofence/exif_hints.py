"""What EXIF says beside a position that hints at a place: the caption and the offsets of its times (CIPA DC-008)."""

from __future__ import annotations

from collections.abc import Iterator

from assent.events.evidence import EvidenceKind
from assent.geofence.captions import Captions
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.tiff import EXIF_DIRECTORY, TEXTS, Field, TiffError, directory, first_directory
from assent.geofence.time_zone import time_zone_evidence

_CAPTION = 0x010E
_OFFSET_TIME, _OFFSET_TIME_ORIGINAL, _OFFSET_TIME_DIGITIZED = 0x9010, 0x9011, 0x9012
_OFFSETS = (_OFFSET_TIME, _OFFSET_TIME_ORIGINAL, _OFFSET_TIME_DIGITIZED)


def exif_hint_evidence(block: bytes) -> tuple[Evidence, ...]:
    """Evidence of one EXIF block. A block that is no TIFF says nothing here: its position is unreadable already."""
    try:
        first = first_directory(block)
    except TiffError:
        return ()
    return (*_caption(first), *_offsets(block, first))


def _caption(first: dict[int, Field]) -> tuple[Evidence, ...]:
    field = first.get(_CAPTION)
    if field is None:
        return ()
    if field.kind not in TEXTS:
        return (unreadable(EvidenceKind.CAPTION),)
    captions = Captions()
    captions.add_bytes(field.data.partition(b"\0")[0])
    return captions.evidence()


def _offsets(block: bytes, first: dict[int, Field]) -> Iterator[Evidence]:
    pointer = first.get(EXIF_DIRECTORY)
    if pointer is None:
        return
    try:
        fields = directory(block, pointer.number(), pointer.order)
    except TiffError:
        yield unreadable(EvidenceKind.TIME_ZONE)
        return
    for tag in _OFFSETS:
        if tag in fields:
            is_text = fields[tag].kind in TEXTS
            yield from time_zone_evidence(fields[tag].text()) if is_text else (unreadable(EvidenceKind.TIME_ZONE),)
