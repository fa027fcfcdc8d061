"""One granted face as it leaves the embedder: sealed vector and picture; the plain vector lives in this module's locals only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from assent.events.faces import FaceBox
from assent.faces.derivative import OverlappingFacesError, derivative
from assent.faces.detected_face import DetectedFace
from assent.faces.image import DecodedImage
from assent.faces.pack import FacePack
from assent.faces.quality import QualityLimits, quality_reasons
from assent.ids import FaceId, GrantId, ImageId, RuleId
from services.embedder.face_choice import ChosenFace

FACE_NAMESPACE = uuid.UUID("6f0a1c52-3b1d-5f0e-9d38-2f4f2a5b7c11")
LOW_QUALITY = RuleId("low_quality")
FACES_OVERLAP = RuleId("faces_overlap")


@dataclass(frozen=True, slots=True, eq=False)
class GrantedFace:
    """`vector` is little-endian float32 bytes, to be sealed at once; `picture` a JPEG in which nobody else is to be seen."""

    region_index: int
    box: FaceBox
    score: float
    vector: bytes
    picture: bytes


def face_id(image_id: ImageId, grant_id: GrantId, region_index: int, model_digest: str) -> FaceId:
    """The deterministic id of a vector: the same image, grant, region and model give the same point."""
    return FaceId(str(uuid.uuid5(FACE_NAMESPACE, f"{image_id}|{grant_id}|{region_index}|{model_digest}")))


def granted_faces(
    pack: FacePack, image: DecodedImage, chosen: list[ChosenFace], faces: list[DetectedFace]
) -> tuple[list[GrantedFace], RuleId | None]:
    """Embed and picture the chosen faces, or nothing and the rule that refuses. CPU-bound: call it off the event loop."""
    if any(quality_reasons(image.rgb, item.face, limits=QualityLimits()) for item in chosen):
        return [], LOW_QUALITY
    own = [item.face for item in chosen]
    try:
        pictures = [derivative(image.rgb, face.box, [other.box for other in faces if other is not face]) for face in own]
    except OverlappingFacesError:
        return [], FACES_OVERLAP
    templates = pack.embedder.embed_many(image.rgb, own)
    return [
        GrantedFace(
            region_index=item.region_index,
            box=_relative(item.face, image),
            score=float(item.face.score),
            vector=np.asarray(template, dtype="<f4").tobytes(),
            picture=picture,
        )
        for item, template, picture in zip(chosen, templates, pictures, strict=True)
    ], None


def _relative(face: DetectedFace, image: DecodedImage) -> FaceBox:
    region = face.box.relative(width=image.width, height=image.height)
    if region is None:
        raise ValueError("a detected face lies outside its image")
    return FaceBox(x=region.x, y=region.y, width=min(region.width, 1 - region.x), height=min(region.height, 1 - region.y))
