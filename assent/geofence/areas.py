"""The areas of the world, loaded once from this package: which of them a circle round a point touches; never a nearest guess.

The only module of the pure packages that reads a file: the boundaries, at start. Decisions get the loaded index as a value.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
import shapely

from assent.geofence.policy import LOADED_AREAS
from assent.ids import Jurisdiction

DATASET = LOADED_AREAS
METRES_PER_DEGREE = 111_195.0
"""Length of a degree of latitude on a sphere of 6 371 km."""
MAX_RADIUS_M = 2_000_000.0
# A polygon lies inside its circle: a few parts in a hundred more make up for it.
_CIRCLE = shapely.get_coordinates(shapely.Point(0.0, 0.0).buffer(1.05, quad_segs=8))


_FOLDER = files("assent.geofence").joinpath("data")


@dataclass(frozen=True, slots=True)
class AreaDescription:
    """Where the areas come from. `sha256` is of the packed file; `sources` say what, under which licence."""

    dataset: str
    sha256: str
    sources: tuple[str, ...]


class AreaDataError(ValueError):
    """Raised when the file of areas is not the one this package was built with; install the package again."""


class AreaIndex:
    """Polygons in degrees (longitude, latitude). `version` names dataset and content, for decisions that are replayed."""

    def __init__(self, areas: Sequence[tuple[Jurisdiction, shapely.Geometry]], *, version: str) -> None:
        self.version = version
        pieces = [(code, piece) for code, whole in areas for piece in shapely.get_parts(whole)]
        self._codes = [code for code, _ in pieces]
        self._geometries = np.array([piece for _, piece in pieces], dtype=object)
        shapely.prepare(self._geometries)
        self._tree = shapely.STRtree(self._geometries)
        # A prepared geometry builds its indexes at its first use, and shapely lets other threads run meanwhile: two at once
        # corrupt the heap.
        self._one_at_a_time = threading.Lock()

    @property
    def geometries(self) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
        """The polygons as they are looked up, shapely geometries in degrees."""
        return self._geometries

    @property
    def codes(self) -> Sequence[Jurisdiction]:
        """Per polygon the area it is a piece of."""
        return self._codes

    @classmethod
    def load(cls, folder: Traversable = _FOLDER) -> AreaIndex:
        """The areas of the package, or of a folder with the same two files. Raises AreaDataError."""
        packed = folder.joinpath(f"areas-{DATASET}.wkb.gz").read_bytes()
        digest = hashlib.sha256(packed).hexdigest()
        if digest != area_description(folder).sha256:
            raise AreaDataError("the areas are not those that their description names; install the package again")
        areas = [(Jurisdiction(code), shapely.from_wkb(wkb)) for code, wkb in _decoded(gzip.decompress(packed))]
        return cls(areas, version=f"{DATASET}-{digest[:12]}")

    def at(self, latitude: float, longitude: float, radius_m: float) -> frozenset[Jurisdiction]:
        """Every area that a circle touches; empty on the open sea. The caller adds the buffer of the dataset to the radius.

        Raises ValueError for a point that is none: not finite, beyond the poles, beyond 180 degrees.
        """
        # Written so that NaN, which is within nothing, is refused too.
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            raise ValueError("not a point on earth: latitude within 90 degrees, longitude within 180, both finite")
        if not 0 <= radius_m <= MAX_RADIUS_M:
            raise ValueError(f"a radius of {radius_m:.0f} m says nothing about a place")
        found: set[Jurisdiction] = set()
        for shape in _shapes(latitude, longitude, radius_m):
            # By bounding boxes first; the polygons are the prepared side, since they have the many corners.
            with self._one_at_a_time:
                near = self._tree.query(shape)
                touched = near[shapely.intersects(self._geometries[near], shape)]
            found.update(self._codes[index] for index in touched)
        return frozenset(found)


def area_description(folder: Traversable = _FOLDER) -> AreaDescription:
    """What the package says of its areas."""
    told = json.loads(folder.joinpath(f"areas-{DATASET}.json").read_bytes())
    sources = tuple(f"{source['what']} ({source['licence']})" for source in told["sources"])
    return AreaDescription(told["dataset"], told["sha256"], sources)


def _shapes(latitude: float, longitude: float, radius_m: float) -> Iterator[shapely.Geometry]:
    """An ellipse in degrees that holds the circle, cut at the antimeridian; near a pole every longitude."""
    high = radius_m / METRES_PER_DEGREE
    furthest = abs(latitude) + high
    wide = 180.0 if furthest >= 89.9 else high / math.cos(math.radians(furthest))
    if wide >= 180.0:
        yield shapely.box(-180.0, latitude - high, 180.0, latitude + high)
        return
    for shift in (0.0, 360.0, -360.0):
        centre = longitude + shift
        if centre - wide <= 180.0 and centre + wide >= -180.0:
            yield shapely.Polygon(_CIRCLE * (wide, high) + (centre, latitude))


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    position = 0
    while position < len(data):
        parts = []
        for _ in range(2):
            (length,) = struct.unpack_from("<I", data, position)
            parts.append(data[position + 4 : position + 4 + length])
            position += 4 + length
        yield parts[0].decode(), parts[1]
