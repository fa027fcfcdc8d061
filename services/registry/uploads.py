"""A photo she hands in herself: looked at for faces, never embedded here; several faces are hers to choose from, nothing is kept before."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from assent.blobs.quarantine import Quarantine
from assent.consent.asset import Asset
from assent.consent.source_rules import matching_rule
from assent.events.envelope import encode
from assent.events.faces import FaceBox
from assent.events.grants import BindingMode, FaceRegion
from assent.events.images import ImageScraped, Sighting, SourceKind
from assent.faces.detected_face import DetectedFace
from assent.faces.image import DecodedImage, ImageLimits, decode, read_header
from assent.faces.image_refusal import ImageRefusedError
from assent.faces.reference import FaceFinder
from assent.identity.errors import ApiError
from assent.ids import GrantId, SightingId
from assent.intake.producers import UPLOAD
from assent.intake.signature import sign_record
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from services.registry.erasure_table import erasure_of
from services.registry.grants import Grants
from services.registry.outcome_table import forget_sightings, insert_sighting
from services.registry.publisher import Publisher, registry_event
from services.registry.store import RegistryStore


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The photo is on its way through the gates."""

    sighting_id: SightingId
    revision: int


class MarkYourFaceError(ApiError):
    """Raised when the photo shows faces and she has not said which is hers. `details.faces` holds relative boxes."""

    def __init__(self, boxes: Sequence[FaceBox], *, sha256: str) -> None:
        self.boxes = tuple(boxes)
        faces = [box.model_dump() for box in boxes]
        super().__init__(
            422,
            "mark_your_face",
            f"The photo shows {len(boxes)} faces.",
            "Send it again with the box of your own face.",
            details={"faces": faces, "asset_sha256": sha256},
        )


class Uploads:
    """Takes photos for live grants that have an upload source."""

    def __init__(
        self,
        *,
        grants: Grants,
        store: RegistryStore,
        quarantine: Quarantine,
        finder: FaceFinder,
        keys: DeploymentKeys,
        publisher: Publisher,
        clock: Clock,
        limits: ImageLimits,
    ) -> None:
        self._grants = grants
        self._store = store
        self._quarantine = quarantine
        self._finder = finder
        self._identifiers = ImageIds(keys)
        self._signing_key = keys.producer_signing_key(UPLOAD)
        self._publisher = publisher
        self._clock = clock
        self._limits = limits

    async def take(self, grant_id: GrantId, data: bytes, *, box: FaceBox | None) -> Uploaded:
        """Seal the photo into quarantine and announce it. Raises ApiError, MarkYourFaceError among them."""
        record = await self._grants.live(grant_id)
        sha256 = hashlib.sha256(data).hexdigest()
        asset = Asset(source_kind=SourceKind.UPLOAD, sha256=sha256, upload_grant_id=grant_id)
        if matching_rule(record.sources, asset) is None:
            raise ApiError(422, "source_not_covered", "This grant does not cover uploads.", "Ask for a grant with an upload source.")
        faces = await self._faces(data)
        if not faces:
            raise ApiError(422, "no_face", "No face was found in the photo.", "Send a photo in which your face is larger.")
        revision = record.revision
        if box is not None:
            marked, _ = await self._grants.add_region(grant_id, FaceRegion(asset_sha256=sha256, box=box))
            revision = marked.revision
        elif not any(region.asset_sha256 == sha256 for region in record.face_binding.regions):
            if len(faces) > 1 or record.face_binding.mode is BindingMode.REGION:
                raise MarkYourFaceError(faces, sha256=sha256)
        return Uploaded(await self._announce(grant_id, data, sha256), revision)

    async def _faces(self, data: bytes) -> list[FaceBox]:
        """Relative boxes of the faces, the surest first. The pixels are gone when this returns."""
        try:
            image = await asyncio.to_thread(decode, data, limits=self._limits)
        except ImageRefusedError as error:
            raise ApiError(422, f"image_{error.reason.value}", str(error), "Send one JPEG, PNG, WebP or HEIC photo.") from error
        found = await asyncio.to_thread(self._finder.detect, image.rgb)
        return [box for face in found if (box := _relative(face, image)) is not None]

    async def _announce(self, grant_id: GrantId, data: bytes, sha256: str) -> SightingId:
        image_id = self._identifiers.image_id(data)
        # Two people may hand in the same photo: each upload is a sighting of its own.
        place = f"urn:assent:upload:{grant_id}"
        sighting_id = self._identifiers.sighting_id(final_url=place, image_id=image_id, producer=UPLOAD)
        now = self._clock.now()
        await self._store.write(lambda database: insert_sighting(database, sighting_id, UPLOAD, grant_id, now=now))
        blob = await self._quarantine.put(sighting_id, data)
        if await self._store.read(lambda database: erasure_of(database, grant_id)) is not None:
            # She withdrew while the photo was on its way: what is told of quarantine may have been told before this lay in it.
            await self._quarantine.delete(sighting_id)
            await self._store.write(lambda database: forget_sightings(database, grant_id))
            raise ApiError(409, "grant_not_live", "The grant ended while the photo was on its way.", "It was deleted.")
        sighting = Sighting(
            sighting_id=sighting_id,
            image_id=image_id,
            producer=UPLOAD,
            source_kind=SourceKind.UPLOAD,
            blob=blob,
            sha256=sha256,
            size_bytes=len(data),
            media_type=read_header(data).media_type.value,
            upload_grant_id=grant_id,
            fetched_at=now,
        )
        event = registry_event(ImageScraped(sighting=sighting), sighting_id, now.isoformat(), time=now)
        await self._publisher.append([sign_record(encode(event), self._signing_key)])
        return sighting_id


def _relative(face: DetectedFace, image: DecodedImage) -> FaceBox | None:
    region = face.box.relative(width=image.width, height=image.height)
    if region is None:
        return None
    return FaceBox(x=region.x, y=region.y, width=min(region.width, 1 - region.x), height=min(region.height, 1 - region.y))
