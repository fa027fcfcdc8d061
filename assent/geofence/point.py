"""A point on earth as evidence: every area within its accuracy and the buffer of the dataset; a doubtful point is unreadable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.ids import Jurisdiction

OTHER_DATUM_M = 1_000.0
"""How far the older national datums lie from WGS 84 at most, with room (NAD 27 and Tokyo: about half of it)."""
_SAME_AS_WGS84 = frozenset({"", "WGS84", "WGS1984", "NAD83", "ETRS89", "GDA94", "GDA2020", "JGD2000", "JGD2011"})


class Areas(Protocol):
    """The index of areas, as far as evidence cares."""

    version: str

    def at(self, latitude: float, longitude: float, radius_m: float) -> frozenset[Jurisdiction]:
        """Every area that the circle touches. Raises ValueError for a point that is none."""
        ...


class Location(Protocol):
    """How places are told, as far as evidence cares."""

    @property
    def gps_floor_m(self) -> float:
        """The least accuracy that is believed."""
        ...

    def buffer_of(self, dataset: str) -> float:
        """The buffer round borders."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees north and east; `accuracy_m` as reported, 0 where nothing was; `margin_m` for what the reporter could not know."""

    latitude: float
    longitude: float
    accuracy_m: float = 0.0
    margin_m: float = 0.0


def datum_margin_m(datum: str) -> float:
    """Metres to add for the map datum that a position names."""
    name = "".join(char for char in datum.upper() if char.isalnum())
    return 0.0 if name in _SAME_AS_WGS84 else OTHER_DATUM_M


def point_evidence(kind: EvidenceKind, point: Point | None, *, areas: Areas, location: Location) -> Evidence:
    """The areas of the point. None, (0, 0), a point that is none and the open sea are unreadable."""
    if point is None or (point.latitude == 0 and point.longitude == 0) or point.accuracy_m < 0:
        return unreadable(kind)
    radius_m = max(point.accuracy_m, location.gps_floor_m) + point.margin_m + location.buffer_of(areas.version)
    try:
        return stated(kind, areas.at(point.latitude, point.longitude, radius_m))
    except ValueError:
        return unreadable(kind)
