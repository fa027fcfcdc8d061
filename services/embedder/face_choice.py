"""Which detected faces a grant means in this image; it compares boxes, never faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assent.consent.binding import REGION_NOT_FOUND, Binding, JointFaces, MarkedFaces, SingleFace, faces_rule
from assent.faces.box import RegionBox
from assent.faces.detected_face import DetectedFace
from assent.faces.image import DecodedImage
from assent.faces.region import match_region
from assent.ids import RuleId


@dataclass(frozen=True, slots=True)
class ChosenFace:
    """A granted face and the index that tells it from the grant's other faces in this image."""

    face: DetectedFace
    region_index: int


def choose(
    binding: Binding, faces: Sequence[DetectedFace], image: DecodedImage, *, drops_image_with_bystanders: bool
) -> tuple[list[ChosenFace], RuleId | None]:
    """The granted faces, or an empty list and the rule that refuses."""
    rule = faces_rule(binding, len(faces), drops_image_with_bystanders=drops_image_with_bystanders)
    if rule is not None:
        return [], rule
    match binding:
        case SingleFace() | JointFaces():
            return [ChosenFace(face, index) for index, face in enumerate(faces)], None
        case MarkedFaces(boxes=boxes):
            chosen: list[ChosenFace] = []
            for index, box in enumerate(boxes):
                if not box.is_inside_image:
                    return [], REGION_NOT_FOUND
                region = RegionBox(box.x, box.y, box.width, box.height)
                face = match_region(faces, region, width=image.width, height=image.height)
                if face is None or any(face is other.face for other in chosen):
                    return [], REGION_NOT_FOUND
                chosen.append(ChosenFace(face, index))
            return chosen, None
    return [], REGION_NOT_FOUND
