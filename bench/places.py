"""Look-ups of areas against a bare shapely tree over the same polygons, and how long the map takes to load."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import shapely

from assent.geofence.areas import AreaIndex
from bench.pair import Case

RADIUS_M = 5_100.0


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """Random points on land and sea, the same for both."""
    started = time.perf_counter()
    areas = AreaIndex.load()
    loaded_s = time.perf_counter() - started
    dice = random.Random(7)  # noqa: S311  points on a map
    points = [(dice.uniform(-60, 75), dice.uniform(-180, 180)) for _ in range(200 if quick else 2_000)]
    geometries = areas.geometries
    tree = shapely.STRtree(geometries)

    def bare() -> None:
        for latitude, longitude in points:
            tree.query(shapely.Point(longitude, latitude), predicate="intersects")

    yield [
        Case(
            name="geofence: areas at a point",
            against="a bare shapely STRtree over the same polygons, the point alone, without a radius",
            units=len(points),
            unit="look-ups",
            ours=lambda: [areas.at(latitude, longitude, RADIUS_M) for latitude, longitude in points],
            theirs=bare,
            quality=f"{np.size(geometries)} polygons, loaded in {loaded_s:.2f} s; ours looks in a circle of 5.1 km: a border has two sides",
        ),
    ]
