"""Places of the older IPTC form (IIM 4.2 in Photoshop's image resources): city, state, country, and words in captions; bounded."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator

from assent.events.evidence import EvidenceKind
from assent.geofence.captions import Captions
from assent.geofence.evidence import Evidence, unreadable
from assent.geofence.named_place import place_evidence

PHOTOSHOP_PREFIX = b"Photoshop 3.0\0"
MAX_RESOURCES = 256
MAX_DATASETS = 512
_SIGNATURES = frozenset({b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR"})
_IPTC_RESOURCE = 0x0404
_CITY, _SUBLOCATION, _STATE, _COUNTRY_CODE, _COUNTRY_NAME = 90, 92, 95, 100, 101
_TITLE, _KEYWORD, _HEADLINE, _CAPTION = 5, 25, 105, 120
_CAPTIONS = frozenset({_TITLE, _KEYWORD, _HEADLINE, _CAPTION})


def iptc_place_evidence(segment: bytes) -> tuple[Evidence, ...]:
    """Evidence of one APP13 segment after its prefix; nothing where no place is stated."""
    fields: dict[int, list[str]] = defaultdict(list)
    captions = Captions()
    try:
        for dataset, value in _datasets(b"".join(_iptc_resources(segment))):
            if dataset in _CAPTIONS:
                captions.add_bytes(value)
            elif text := _text(value):
                fields[dataset].append(text)
    except (struct.error, ValueError):
        return (unreadable(EvidenceKind.IPTC_PLACE),)
    # Code and name may contradict each other: then both count.
    countries = fields[_COUNTRY_CODE] + fields[_COUNTRY_NAME]
    named = place_evidence(
        EvidenceKind.IPTC_PLACE, countries=countries, regions=fields[_STATE], cities=fields[_CITY], names=fields[_SUBLOCATION]
    )
    return (*(() if named is None else (named,)), *captions.evidence())


def _iptc_resources(segment: bytes) -> Iterator[bytes]:
    position = 0
    end = len(segment.rstrip(b"\0"))
    for _ in range(MAX_RESOURCES):
        if position >= end:
            return
        signature, number, name_length = struct.unpack_from(">4sHB", segment, position)
        if signature not in _SIGNATURES:
            raise ValueError("no image resource")
        position += 6 + name_length + 1 + (name_length + 1) % 2
        (length,) = struct.unpack_from(">I", segment, position)
        content = segment[position + 4 : position + 4 + length]
        if len(content) < length:
            raise ValueError("a resource is cut off")
        if number == _IPTC_RESOURCE:
            yield content
        position += 4 + length + length % 2
    raise ValueError("too many resources")


def _datasets(content: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    # Writers pad the block with zeros.
    end = len(content.rstrip(b"\0"))
    for _ in range(MAX_DATASETS):
        if position >= end:
            return
        marker, record, dataset, length = struct.unpack_from(">BBBH", content, position)
        if marker != 0x1C or length > 0x7FFF:
            raise ValueError("no data set")
        value = content[position + 5 : position + 5 + length]
        if len(value) < length:
            raise ValueError("a data set is cut off")
        if record == 2:
            yield dataset, value
        position += 5 + length
    raise ValueError("too many data sets")


def _text(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.strip("\0 \t\r\n")[:128]
