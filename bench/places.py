"""Look-ups of areas against a bare shapely tree over the same polygons, and evidence read from real photographs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import shapely

from assent.geofence.areas import AreaIndex
from assent.geofence.extract import image_evidence
from assent.geofence.policy import Policy
from bench.pair import Case
from demo import photos
from services.registry.policy_file import read_policy

RADIUS_M = 5_100.0


@contextmanager
def cases(folder: Path, *, quick: bool) -> Iterator[list[Case]]:
    """Random points on land and sea, the same for both."""
    areas = AreaIndex.load()
    dice = random.Random(7)  # noqa: S311  points on a map
    points = [(dice.uniform(-60, 75), dice.uniform(-180, 180)) for _ in range(200 if quick else 2_000)]
    geometries = areas.geometries
    tree = shapely.STRtree(geometries)
    policy = Policy.from_canonical_json(read_policy(None).document)
    files = [photos.portrait(photos.Look(side=side), place=photos.VANCOUVER) for side in (320, 400, 480)]

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
            quality=f"{np.size(geometries)} polygons; ours looks in a circle of 5.1 km, so that a border belongs to both sides",
        ),
        Case(
            name="geofence: evidence of a photograph",
            against="",
            units=len(files) * 20,
            unit="files",
            ours=lambda: [image_evidence(data, areas=areas, location=policy.location) for data in files * 20],
            theirs=None,
            quality="EXIF, XMP and IPTC read, GPS placed",
        ),
    ]
