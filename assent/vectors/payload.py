"""Points to and from the store's own form; a point of another model, another length or with a NaN does not pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from assent.events.fetched_from import FetchedFrom
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SubjectId
from assent.vectors.store import FacePoint, ModelMismatchError, PointFacts, VectorStoreError

GRANT_ID = "grant_id"
IMAGE_ID = "image_id"
PURPOSES = "purposes"
INDEXED = (GRANT_ID, IMAGE_ID, PURPOSES)
"""The fields that filters name."""


def payload(point: FacePoint | PointFacts) -> dict[str, Any]:
    """The facts of a point as JSON types."""
    source = {} if point.source is None else {"source": point.source}
    fetched = {"fetched": [one.model_dump(mode="json") for one in point.fetched]} if point.fetched else {}
    return source | fetched | _always(point)


def _always(point: FacePoint | PointFacts) -> dict[str, Any]:
    return {
        GRANT_ID: point.grant_id,
        "subject_id": point.subject_id,
        IMAGE_ID: point.image_id,
        PURPOSES: list(point.purposes),
        "jurisdictions": list(point.jurisdictions),
        "model_digest": point.model_digest,
        "expires_at": point.expires_at,
        "revision": point.revision,
        "embedded_at": point.embedded_at,
    }


def facts(point_id: object, stored: Mapping[str, Any] | None) -> PointFacts:
    """The facts back. Raises VectorStoreError when the point was not written by this code."""
    try:
        assert stored is not None
        return PointFacts(
            face_id=FaceId(str(point_id)),
            grant_id=GrantId(stored[GRANT_ID]),
            subject_id=SubjectId(stored["subject_id"]),
            image_id=ImageId(stored[IMAGE_ID]),
            purposes=tuple(stored[PURPOSES]),
            jurisdictions=tuple(Jurisdiction(code) for code in stored["jurisdictions"]),
            model_digest=stored["model_digest"],
            expires_at=int(stored["expires_at"]),
            revision=int(stored["revision"]),
            embedded_at=int(stored["embedded_at"]),
            source=None if stored.get("source") is None else str(stored["source"]),
            fetched=tuple(FetchedFrom.model_validate(one) for one in stored.get("fetched") or ()),
        )
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise VectorStoreError(f"Point {point_id} lacks the facts every point has. It was written by something else: delete it.") from error


def names_no_grant(stored: Mapping[str, Any] | None) -> bool:
    """Something else wrote the point: whatever it is, there is no yes for it."""
    return not isinstance((stored or {}).get(GRANT_ID), str)


def check_points(points: Sequence[FacePoint], *, dimensions: int, model_digest: str) -> None:
    """Raises ModelMismatchError or VectorStoreError at the first point that must not be stored."""
    for point in points:
        if point.model_digest != model_digest:
            raise ModelMismatchError(f"Face {point.face_id} was made by another model than this store's. Embed it again.")
        check_vector(point.vector, dimensions=dimensions)
        check_ids([point.face_id])


def check_vector(vector: NDArray[np.float32], *, dimensions: int) -> None:
    """Raises ModelMismatchError for another length; VectorStoreError for a NaN, an infinity or a zero vector."""
    if vector.shape != (dimensions,):
        raise ModelMismatchError(f"The vector has shape {vector.shape}, the store holds ({dimensions},). Use the store's model.")
    if not np.all(np.isfinite(vector)) or not np.any(vector):
        raise VectorStoreError("The vector is zero or has an entry that is not a finite number. Embed the face again.")


def check_ids(ids: Sequence[FaceId]) -> None:
    """Raises VectorStoreError for an id that is not the canonical text of a UUID: the store would give it back changed."""
    for face_id in ids:
        try:
            is_canonical = str(UUID(face_id)) == face_id
        except ValueError:
            is_canonical = False
        if not is_canonical:
            raise VectorStoreError("A face id is not the lower-case text of a UUID. Make ids with the embedder's rule.")
