"""Areas: the true one is always among those that a buffered point touches; poles, antimeridian and nonsense never give a wrong answer."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from assent.geofence.areas import METRES_PER_DEGREE, AreaDataError, AreaIndex, area_description
from assent.ids import Jurisdiction
from tests.unit.place_examples import LOCATION, areas

BUFFERED_M = 5_100.0

# The hard points of Canada's closed provinces: borders in rivers, through towns and along shores.
CANADA = {
    "Ottawa, Parliament": (45.4236, -75.7009, "CA-ON"),
    "Gatineau, museum": (45.4301, -75.7093, "CA-QC"),
    "Gatineau, city hall": (45.4285, -75.7130, "CA-QC"),
    "Hawkesbury": (45.6070, -74.6050, "CA-ON"),
    "Grenville": (45.6260, -74.6050, "CA-QC"),
    "Montréal, Old Port": (45.5075, -73.5515, "CA-QC"),
    "Québec, ferry": (46.8115, -71.2025, "CA-QC"),
    "Stanstead": (45.0100, -72.0960, "CA-QC"),
    "Derby Line": (45.0045, -72.0990, "US-VT"),
    "Campbellton": (48.0050, -66.6731, "CA-NB"),
    "Pointe-à-la-Croix": (48.0167, -66.6833, "CA-QC"),
    "Fermont": (52.7830, -67.0830, "CA-QC"),
    "Labrador City": (52.9463, -66.9114, "CA-NL"),
    "Lloydminster, west": (53.2783, -110.02, "CA-AB"),
    "Lloydminster, east": (53.2783, -109.99, "CA-SK"),
    "Lake Louise": (51.4254, -116.1773, "CA-AB"),
    "Field": (51.3956, -116.4893, "CA-BC"),
    "Crowsnest Pass": (49.59, -114.51, "CA-AB"),
    "Sparwood": (49.733, -114.885, "CA-BC"),
    "Calgary": (51.0447, -114.0719, "CA-AB"),
    "White Rock": (49.0253, -122.8026, "CA-BC"),
    "Blaine": (48.9937, -122.7470, "US-WA"),
    "Point Roberts": (48.9856, -123.0777, "US-WA"),
    "Victoria": (48.4219, -123.3700, "CA-BC"),
    "Vancouver, Canada Place": (49.2888, -123.1111, "CA-BC"),
    "Tofino": (49.1530, -125.9066, "CA-BC"),
}
ELSEWHERE = {
    "St. Louis": (38.6270, -90.1994, "US-MO"),
    "East St. Louis": (38.6245, -90.1506, "US-IL"),
    "Hammond": (41.5833, -87.5, "US-IN"),
    "Kenosha": (42.5847, -87.8212, "US-WI"),
    "Chicago, Navy Pier": (41.8917, -87.6043, "US-IL"),
    "Albury": (-36.0737, 146.9135, "AU-NSW"),
    "Wodonga": (-36.1217, 146.8881, "AU-VIC"),
    "Tweed Heads": (-28.1833, 153.5500, "AU-NSW"),
    "Strabane": (54.8270, -7.4633, "GB"),
    "Dundalk": (54.0, -6.4167, "IE"),
    "Strasbourg": (48.5734, 7.7521, "FR"),
    "Kehl": (48.5725, 7.8150, "DE"),
    "Geneva": (46.2044, 6.1432, "CH"),
    "Narva": (59.3772, 28.1903, "EE"),
    "Nicosia": (35.1656, 33.3540, "CY"),
    "Dover": (51.1279, 1.3134, "GB"),
}


@pytest.mark.parametrize("name", [*CANADA, *ELSEWHERE])
def test_the_true_area_is_among_those_within_the_buffer(name: str) -> None:
    latitude, longitude, area = (CANADA | ELSEWHERE)[name]
    assert area in areas().at(latitude, longitude, BUFFERED_M)


@pytest.mark.parametrize("name", ["Gatineau, museum", "Québec, ferry", "Tofino"])
def test_without_the_buffer_the_map_is_wrong_there(name: str) -> None:
    """What the buffer is for: remove it and this map places people elsewhere or nowhere."""
    latitude, longitude, area = CANADA[name]
    assert area not in areas().at(latitude, longitude, 0)


@pytest.mark.parametrize(
    ("name", "both"),
    [
        ("Ottawa, Parliament", {"CA-ON", "CA-QC"}),
        ("Lloydminster, west", {"CA-AB", "CA-SK"}),
        ("Blaine", {"CA-BC", "US-WA"}),
        ("East St. Louis", {"US-IL", "US-MO"}),
        ("Wodonga", {"AU-NSW", "AU-VIC"}),
        ("Strabane", {"GB", "IE"}),
    ],
)
def test_a_point_inside_the_buffer_belongs_to_both_sides(name: str, both: set[str]) -> None:
    latitude, longitude, _ = (CANADA | ELSEWHERE)[name]
    assert areas().at(latitude, longitude, BUFFERED_M) == both


def test_far_from_a_border_there_is_one_area() -> None:
    assert areas().at(53.5461, -113.4938, BUFFERED_M) == {"CA-AB"}
    assert areas().at(41.8781, -87.6298, BUFFERED_M) == {"US-IL"}
    assert areas().at(48.8566, 2.3522, BUFFERED_M) == {"FR"}


def test_a_wide_circle_takes_in_the_neighbour() -> None:
    assert "US-IL" not in areas().at(41.60, -87.34, BUFFERED_M)
    assert "US-IL" in areas().at(41.60, -87.34, 20_000 + BUFFERED_M)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (71.2, 180.0, {"RU"}),
        (71.2, -180.0, {"RU"}),
        (-16.8, 179.999, {"FJ"}),
        (-16.8, -179.999, {"FJ"}),
        (-90.0, 0.0, {"AQ"}),
        (-89.9999, 123.0, {"AQ"}),
        (90.0, 0.0, set()),
        (89.9999, -77.0, set()),
        (-45.0, -120.0, set()),
    ],
)
def test_poles_antimeridian_and_open_sea(latitude: float, longitude: float, expected: set[str]) -> None:
    assert areas().at(latitude, longitude, BUFFERED_M) == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(bad: float) -> None:
    for point in ((bad, 0.0, 1.0), (0.0, bad, 1.0), (50.0, 10.0, bad)):
        with pytest.raises(ValueError):
            areas().at(*point)


@pytest.mark.parametrize("point", [(95.0, 0.0, 1.0), (-90.001, 0.0, 1.0), (0.0, 180.5, 1.0), (50.0, 10.0, -1.0), (50.0, 10.0, 1e9)])
def test_out_of_range_is_refused(point: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError):
        areas().at(*point)


def test_a_radius_of_2_000_km_is_looked_up_and_a_metre_more_says_nothing() -> None:
    assert "FR" in areas().at(48.0, 2.0, 2_000_000)
    with pytest.raises(ValueError, match="2000001 m says nothing"):
        areas().at(48.0, 2.0, 2_000_001)


SECTORS = [Jurisdiction(f"X{letter}") for letter in "ABCDEFGHIJKL"]


def cap(south: float, north: float) -> AreaIndex:
    """Twelve areas round a pole, each of 30 degrees, the first from 180 degrees west on."""
    boxes = [(name, shapely.box(30 * place - 180, south, 30 * place - 150, north)) for place, name in enumerate(SECTORS)]
    return AreaIndex(boxes, version="caps-1")


@pytest.mark.parametrize(
    ("south", "north", "latitude", "radius_m"),
    [(85, 90, 89.999, 5_100), (85, 90, 90, 0), (88, 90, 75, 2_000_000), (-90, -85, -89.999, 5_100), (-90, -88, -75, 2_000_000)],
)
def test_a_circle_that_holds_a_pole_touches_every_area_round_it(south: float, north: float, latitude: float, radius_m: float) -> None:
    assert cap(south, north).at(latitude, 90.0, radius_m) == set(SECTORS)


def test_a_wide_circle_reaches_over_the_pole() -> None:
    assert areas().at(82.0, 60.0, 2_000_000) >= {"CA-NU", "GL", "RU"}


def test_a_circle_near_a_pole_that_does_not_hold_it_touches_those_on_its_side() -> None:
    assert cap(85, 90).at(86.0, 75.0, 5_100) == {SECTORS[8]}
    assert cap(85, 90).at(86.0, 89.9, 50_000) == {SECTORS[8], SECTORS[9]}
    assert cap(85, 90).at(84.0, 75.0, 5_100) == set()


@pytest.mark.parametrize("longitude", [179.99, -179.99, 180.0, -180.0])
def test_a_circle_over_the_antimeridian_touches_both_sides(longitude: float) -> None:
    assert cap(0, 10).at(5.0, longitude, 5_100) == {SECTORS[0], SECTORS[-1]}


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 50_000), st.floats(1, 50_000))
def test_a_wider_circle_never_loses_an_area(latitude: float, longitude: float, radius_m: float, more_m: float) -> None:
    assert areas().at(latitude, longitude, radius_m) <= areas().at(latitude, longitude, radius_m + more_m)


@given(st.floats(-85, 85), st.floats(-180, 180), st.floats(0, 360), st.floats(0, 1))
def test_an_area_is_found_from_any_point_within_the_radius(latitude: float, longitude: float, bearing: float, part: float) -> None:
    """On a sphere, walk at most the radius in any direction: the areas where one arrives were touched by the circle."""
    angle = part * BUFFERED_M / 6_371_000
    lat, lon, way = (math.radians(value) for value in (latitude, longitude, bearing))
    there = math.asin(math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(way))
    turn = math.atan2(math.sin(way) * math.sin(angle) * math.cos(lat), math.cos(angle) - math.sin(lat) * math.sin(there))
    arrived = (math.degrees(lon + turn) + 540) % 360 - 180
    assert areas().at(math.degrees(there), arrived, 0) <= areas().at(latitude, longitude, BUFFERED_M)


def by_brute_force(latitude: float, longitude: float, radius_m: float) -> set[str]:
    """Every polygon of the map asked, without an index, with a circle that is a shape moved and stretched."""
    index = areas()
    high = radius_m / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(abs(latitude) + high))
    circle = shapely.Point(0, 0).buffer(1.05, quad_segs=8)
    found: set[str] = set()
    for shift in (-360, 0, 360):
        centre = longitude + shift
        shape = shapely.transform(circle, lambda xy, c=centre: xy * (wide, high) + (c, latitude))  # type: ignore[misc]
        touched = shapely.intersects(shape, index.geometries)
        found.update(index.codes[place] for place in np.flatnonzero(touched).tolist())
    return found


def test_the_index_finds_what_brute_force_finds() -> None:
    """The hard points and their surroundings, both sides of the antimeridian, and points anywhere."""
    dice = random.Random(20)
    hard = [(latitude, longitude) for latitude, longitude, _ in (CANADA | ELSEWHERE).values()]
    around = [(latitude + dice.gauss(0, 0.08), longitude + dice.gauss(0, 0.08)) for latitude, longitude in hard for _ in range(5)]
    anywhere = [(dice.uniform(-85, 85), dice.uniform(-180, 180)) for _ in range(400)]
    points = [(*point, BUFFERED_M) for point in (*hard, *around, *anywhere)]
    # Across the antimeridian a shore on one side and a point on the other: wide circles, since few shores lie near it.
    points += [
        (dice.uniform(*where), side * (180 - dice.uniform(0, 0.5)), 150_000.0)
        for where in ((60, 75), (-22, -14), (-50, -40))
        for side in (-1, 1)
        for _ in range(40)
    ]
    found = {point: areas().at(*point) for point in points}
    assert {point: set(names) for point, names in found.items()} == {point: by_brute_force(*point) for point in points}
    assert sum(len(names) > 1 for names in found.values()) > 40


def test_the_index_loads_fast_and_names_its_data() -> None:
    before = time.perf_counter()
    index = AreaIndex.load()
    assert time.perf_counter() - before < 1.0
    dataset, _, digest = index.version.partition("-")
    assert (dataset, len(digest)) == ("ne10m", 12)
    assert LOCATION.buffer_of(index.version) == 5000


def test_areas_that_are_not_those_of_their_description_are_refused(tmp_path: Path) -> None:
    name = "areas-ne10m"
    described = {"dataset": "ne10m", "sources": [{"what": "A map", "licence": "public domain"}]}
    area = shapely.to_wkb(shapely.box(0, 0, 10, 10))
    packed = gzip.compress(b"".join(struct.pack("<I", len(part)) + part for part in (b"XA", area, b"XB-1", area)))
    (tmp_path / f"{name}.wkb.gz").write_bytes(packed)
    (tmp_path / f"{name}.json").write_text(json.dumps({**described, "sha256": hashlib.sha256(packed).hexdigest()}))
    assert AreaIndex.load(tmp_path).at(5.0, 5.0, 0) == {"XA", "XB-1"}
    assert area_description(tmp_path).sources == ("A map (public domain)",)
    (tmp_path / f"{name}.wkb.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(AreaDataError, match="install the package again"):
        AreaIndex.load(tmp_path)


LOOKED_UP_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from random import Random
from assent.geofence.areas import AreaIndex

chance = Random(1)
points = [(chance.uniform(-80, 80), chance.uniform(-179, 179)) for _ in range(1_500)]
for _ in range(4):
    index = AreaIndex.load()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda point: index.at(*point, 300_000.0), points))
print(sum(map(len, found)))
"""


def test_several_threads_may_look_up_at_once() -> None:
    """In a process of its own: what two threads can do to a prepared geometry ends the process."""
    done = subprocess.run([sys.executable, "-c", LOOKED_UP_AT_ONCE], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0
