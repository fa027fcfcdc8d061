"""Find the one face a marked region means; never guesses between two."""

from __future__ import annotations

from collections.abc import Sequence

from assent.faces.box import RegionBox
from assent.faces.detected_face import DetectedFace

# People draw round the head, detectors round the face: a good mark still overlaps by a third.
_MIN_IOU = 0.3
_ALSO_MEANT_IOU = 0.1


def match_region(faces: Sequence[DetectedFace], region: RegionBox, *, width: int, height: int) -> DetectedFace | None:
    """The single face under the region of an upright image of that size; None when none, or more than one, could be meant."""
    marked = region.in_pixels(width=width, height=height)
    meant = [face for face in faces if face.box.iou(marked) >= _MIN_IOU]
    if len(meant) != 1:
        return None
    for other in faces:
        x, y = other.box.centre
        is_inside = marked.x <= x <= marked.x + marked.width and marked.y <= y <= marked.y + marked.height
        if other is not meant[0] and (is_inside or other.box.iou(marked) >= _ALSO_MEANT_IOU):
            return None
    return meant[0]
