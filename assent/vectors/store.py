"""The port of the vector store and what crosses it; a search without grants finds nothing, it never means all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.events.fetched_from import FetchedFrom
from assent.ids import FaceId, GrantId, ImageId, Jurisdiction, SubjectId
from assent.stream.outcomes import RetryLaterError


class VectorStoreError(Exception):
    """Raised when the store cannot do what was asked of it; the base of the others here."""


class VectorStoreUnavailableError(VectorStoreError, RetryLaterError):
    """Raised when the store is closed, does not answer in time or answers with a fault: nothing is known of the outcome.

    A processor holds by it.
    """


class VectorStoreLockedError(VectorStoreError):
    """Raised when another process has the folder open: a second writer would damage it."""


class ModelMismatchError(VectorStoreError):
    """Raised when vectors of another model or length would be mixed in: their distances mean nothing."""


@dataclass(frozen=True, slots=True)
class PointFacts:
    """What is known of one face without its vector. `expires_at` and `embedded_at` are Unix seconds.

    `source` is the keyed name of the source rule that let it in, `fetched` every address it came from; None and empty for
    points of releases that did not keep them.
    """

    face_id: FaceId
    grant_id: GrantId
    subject_id: SubjectId
    image_id: ImageId
    purposes: tuple[str, ...]
    jurisdictions: tuple[Jurisdiction, ...]
    model_digest: str
    expires_at: int
    revision: int
    embedded_at: int
    source: str | None = None
    fetched: tuple[FetchedFrom, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FacePoint:
    """One face as it is stored: float32[dimensions] and the facts."""

    face_id: FaceId
    grant_id: GrantId
    subject_id: SubjectId
    image_id: ImageId
    vector: NDArray[np.float32]
    purposes: tuple[str, ...]
    jurisdictions: tuple[Jurisdiction, ...]
    model_digest: str
    expires_at: int
    revision: int
    embedded_at: int
    source: str | None = None
    fetched: tuple[FetchedFrom, ...] = ()

    def __repr__(self) -> str:
        # A template is as good as a photograph: it must not reach a traceback or a log.
        return f"FacePoint(face_id={self.face_id!r}, grant_id={self.grant_id!r})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One face found, with its cosine similarity to the probe in [-1, 1]."""

    facts: PointFacts
    score: float


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """How deleted vectors were removed from the disk, and whether their bytes were looked for and not found."""

    method: str
    is_clean: bool
    files_scanned: int
    bytes_scanned: int


class VectorStore(Protocol):
    """Vectors of one model. Every method raises VectorStoreUnavailableError when the store does not answer."""

    async def open(self) -> None:
        """Make ready. Raises VectorStoreLockedError and ModelMismatchError."""
        ...

    async def close(self) -> None:
        """Write everything out and let go; closing twice does nothing."""
        ...

    async def upsert(self, points: Sequence[FacePoint]) -> None:
        """Insert or replace by id. Raises ModelMismatchError, or VectorStoreError for a NaN; then none is written."""
        ...

    async def delete(self, ids: Sequence[FaceId]) -> None:
        """Delete by id; an id that is not there is no error."""
        ...

    async def retrieve(self, ids: Sequence[FaceId]) -> list[PointFacts]:
        """The facts of those of these ids that are there."""
        ...

    async def ids_of_grant(self, grant_id: GrantId) -> list[FaceId]:
        """Every id stored under a grant, in id order."""
        ...

    async def find_image(self, image_id: ImageId) -> list[PointFacts]:
        """Every face of an image, in id order."""
        ...

    async def search(
        self, vector: NDArray[np.float32], *, grant_ids: frozenset[GrantId], purpose: str, limit: int, threshold: float
    ) -> list[Candidate]:
        """The best faces under these grants that allow this purpose, exact, best first; an empty set of grants finds nothing."""
        ...

    async def scroll(self, after: FaceId | None, limit: int) -> list[PointFacts]:
        """The next page in id order, after an id or from the start; empty at the end."""
        ...

    async def drop_foreign(self) -> int:
        """Delete every point that names no grant: something else wrote it, and nobody said yes to it. How many there were."""
        ...

    async def count(self) -> int:
        """How many points there are, exactly."""
        ...

    async def flush(self) -> None:
        """Return once everything written or deleted so far survives a crash."""
        ...

    async def purge(self) -> PurgeReport:
        """Remove the bytes of deleted and replaced vectors from the disk, and look whether they are gone."""
        ...
