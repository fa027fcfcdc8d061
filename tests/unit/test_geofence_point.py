"""A point as evidence: every area that its circle touches, and unreadable wherever the point may be none."""

from __future__ import annotations

import pytest

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import stated, unreadable
from assent.geofence.point import OTHER_DATUM_M, Point, datum_margin_m, point_evidence
from assent.ids import Jurisdiction
from tests.unit.policy_examples import places, shipped

KIND = EvidenceKind.EXIF_GPS


class OneArea:
    """British Columbia everywhere but on the sea; a circle that was asked about is remembered."""

    version = "ne10m-1"

    def __init__(self) -> None:
        self.radii: list[float] = []

    def at(self, latitude: float, longitude: float, radius_m: float) -> frozenset[Jurisdiction]:
        if abs(latitude) > 90:
            raise ValueError("no point")
        self.radii.append(radius_m)
        return places() if latitude < 0 else places("CA-BC")


@pytest.mark.parametrize(
    ("point", "is_read"),
    [
        (None, False),
        (Point(0, 0), False),
        (Point(0, 1), True),
        (Point(1, 0), True),
        (Point(49, -123), True),
        (Point(49, -123, accuracy_m=0), True),
        (Point(49, -123, accuracy_m=-0.5), False),
        (Point(91, 0), False),
        (Point(-1, 0), False),
    ],
)
def test_a_doubtful_point_is_unreadable(point: Point | None, is_read: bool) -> None:
    found = point_evidence(KIND, point, areas=OneArea(), location=shipped().location)
    assert found == (stated(KIND, places("CA-BC")) if is_read else unreadable(KIND))


@pytest.mark.parametrize(("accuracy_m", "margin_m", "radius_m"), [(0, 0, 5100), (100, 0, 5100), (101, 0, 5101), (300, 1000, 6300)])
def test_the_circle_is_as_wide_as_accuracy_margin_and_border_together(accuracy_m: float, margin_m: float, radius_m: float) -> None:
    areas = OneArea()
    point_evidence(KIND, Point(49, -123, accuracy_m, margin_m), areas=areas, location=shipped().location)
    assert areas.radii == [radius_m]
    point_evidence(KIND, Point(49, -123, accuracy_m=1000), areas=areas, location=shipped().location)
    point_evidence(KIND, Point(49, -123, margin_m=1000), areas=areas, location=shipped().location)
    assert areas.radii == [radius_m, 6000, 6100]


def test_another_map_datum_widens_the_circle() -> None:
    for name in ("", "WGS-84", "wgs 84", "WGS 1984", "NAD83", "etrs89", "GDA94", "GDA2020", "JGD2000", "JGD2011"):
        assert datum_margin_m(name) == 0
    for name in ("NAD27", "Tokyo", "WGS72", "?x"):
        assert datum_margin_m(name) == OTHER_DATUM_M == 1000
