"""Whether the granted faces of a picture agree with what their subjects confirmed; how like two faces are is told to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobNotFoundError
from assent.consent.ledger import ConsentLedger
from assent.consent.reference import NOT_THE_SUBJECT, REFERENCE_MISSING, Reference, has_stranger, references_of
from assent.events.grants import BindingMode, GrantSnapshot
from assent.faces.embed import Template
from assent.faces.pack import FacePack
from assent.faces.reference import reference_face
from assent.ids import FaceId, RuleId
from assent.keys.cipher import UnsealError
from assent.keys.grant_keys import GrantKeyring
from services.embedder.granted_face import GrantedFace


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A granted face and the id that it is stored under."""

    face_id: FaceId
    face: GrantedFace


class SubjectCheck:
    """Templates of references are made from their pictures when they are first needed and forgotten with the batch.

    So a reference that she took back, a picture that is gone and a grant that ended need no word: nothing outlives the batch.
    """

    def __init__(
        self, *, ledger: ConsentLedger, derivatives: Derivatives, grant_keys: GrantKeyring, pack: FacePack, min_cosine: float
    ) -> None:
        self._ledger = ledger
        self._derivatives = derivatives
        self._grant_keys = grant_keys
        self._pack = pack
        self._min_cosine = min_cosine
        self._templates: dict[Reference, Template | None] = {}

    def __len__(self) -> int:
        """How many templates of references are in memory."""
        return len(self._templates)

    def forget(self) -> None:
        """Let go of every template."""
        self._templates.clear()

    async def kept(
        self, grant: GrantSnapshot, found: Sequence[NewFace], *, drops_image_with_strangers: bool
    ) -> tuple[list[NewFace], RuleId | None]:
        """Those that may be kept, and the rule that drops the others. Raises KeyDestroyedError for a person whose grant has ended."""
        references = references_of(grant, self._ledger.members(grant))
        if not any(references):
            return list(found), None
        templates = [None if reference is None else await self._template(reference) for reference in references]
        is_missing = any(known is None for reference, known in zip(references, templates, strict=True) if reference is not None)
        rule = REFERENCE_MISSING if is_missing else NOT_THE_SUBJECT
        agrees = [[self._agrees(item, *pair) for pair in zip(references, templates, strict=True)] for item in found]
        is_joint = grant.binding.mode is BindingMode.JOINT
        if not has_stranger(agrees) if is_joint else all(agree for (agree,) in agrees):
            return list(found), None
        held = [await self._derivatives.holds(grant.grant_id, item.face_id) for item in found]
        if is_joint:
            # A stranger in it shows that not everybody in the picture has granted, and then none of it is covered.
            return (list(found), None) if all(held) else ([], rule)
        kept = [item for item, (agree,), is_held in zip(found, agrees, held, strict=True) if agree or is_held]
        if len(kept) == len(found):
            return kept, None
        return ([] if drops_image_with_strangers else kept), rule

    def _agrees(self, item: NewFace, reference: Reference | None, template: Template | None) -> bool:
        """A person who confirmed nothing is taken at the word of the grant; the face that was confirmed is itself."""
        if reference is None or item.face_id == reference.face_id:
            return True
        if template is None:
            return False
        return float(np.frombuffer(item.face.vector, dtype="<f4") @ template) >= self._min_cosine

    async def _template(self, reference: Reference) -> Template | None:
        """None where the picture is gone, does not open, or shows no face that is good enough: doubt about the case."""
        if reference not in self._templates:
            self._templates[reference] = await self._made(reference)
        return self._templates[reference]

    async def _made(self, reference: Reference) -> Template | None:
        # First and apart: a key of another deployment is no doubt about this picture, and stops the process as everywhere.
        await self._grant_keys.get(reference.grant_id)
        try:
            picture = await self._derivatives.get(reference.grant_id, reference.face_id)
        except (BlobNotFoundError, UnsealError):
            return None
        return await asyncio.to_thread(self._embedded, picture)

    def _embedded(self, picture: bytes) -> Template | None:
        face = reference_face(self._pack.detector, picture)
        return None if face is None else face.template(self._pack.embedder)
