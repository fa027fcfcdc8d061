"""The face that she confirms as hers, among those held under her grant: looked at for its clearness, never compared or embedded here."""

from __future__ import annotations

import asyncio

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobNotFoundError, BlobStoreUnavailableError
from assent.events.grants import BindingMode
from assent.faces.reference import FaceFinder, reference_face
from assent.identity.errors import ApiError
from assent.ids import FaceId, GrantId
from assent.keys.cipher import UnsealError
from services.registry.grant_record import Grant
from services.registry.grants import Grants
from services.registry.outcome_table import HeldFace, faces_of
from services.registry.publisher import Offsets
from services.registry.refused import face_not_held
from services.registry.store import RegistryStore

LOOK_S = 2.0
"""How long her page waits to know whether a picture is there: she must be able to end her grant while the store is away."""


class References:
    """Confirming one changes no face that is held already; it counts for what is embedded after the answer."""

    def __init__(self, *, grants: Grants, store: RegistryStore, derivatives: Derivatives, finder: FaceFinder) -> None:
        self._grants = grants
        self._store = store
        self._derivatives = derivatives
        self._finder = finder

    async def faces(self, grant_id: GrantId) -> list[HeldFace]:
        """What she may choose from, oldest first."""
        return await self._store.read(lambda database: faces_of(database, grant_id))

    async def confirm(self, grant_id: GrantId, face_id: FaceId, *, expected_revision: int | None = None) -> tuple[Grant, Offsets]:
        """This face is hers. Raises ApiError 404 for a face that this grant does not hold, 422 for one that is no good to compare with."""
        record = await self._grants.live(grant_id, expected_revision)
        if record.face_binding.mode is BindingMode.JOINT:
            raise ApiError(
                422,
                "joint_grant",
                "A joint grant covers several people.",
                "Confirm a picture under your own grant; it counts in pictures of several people too.",
            )
        await self._look(grant_id, face_id)
        if record.reference == face_id:
            return record, {}
        return await self._grants.revise(record, {"reference": face_id})

    async def take_back(self, grant_id: GrantId) -> tuple[Grant, Offsets]:
        """From now on new faces are taken as before she confirmed any."""
        record = await self._grants.live(grant_id)
        if record.reference is None:
            return record, {}
        return await self._grants.revise(record, {"reference": None})

    async def is_gone(self, record: Grant) -> bool | None:
        """Whether the picture that she confirmed is there no more; None where there is none, or the store does not say."""
        if record.reference is None:
            return None
        try:
            async with asyncio.timeout(LOOK_S):
                return not await self._derivatives.holds(record.grant_id, record.reference)
        except (BlobStoreUnavailableError, TimeoutError):
            return None

    async def _look(self, grant_id: GrantId, face_id: FaceId) -> None:
        """The picture is there and shows one clear face: the embedder asks the same again of it."""
        if face_id not in {face.face_id for face in await self.faces(grant_id)}:
            raise face_not_held()
        try:
            picture = await self._derivatives.get(grant_id, face_id)
        except (BlobNotFoundError, UnsealError) as error:
            raise face_not_held() from error
        if await asyncio.to_thread(reference_face, self._finder, picture) is None:
            raise ApiError(
                422,
                "reference_unclear",
                "The face in this picture is not clear enough to compare others with.",
                "Choose a larger and sharper one.",
            )
