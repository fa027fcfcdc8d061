"""The face somebody asks about: found, embedded and forgotten; the picture and its vector are never kept, logged or cached."""

from __future__ import annotations

import asyncio

from assent.faces.detected_face import DetectedFace
from assent.faces.embed import Template
from assent.faces.image import DecodedImage, ImageLimits, decode
from assent.faces.image_refusal import ImageRefusedError
from assent.faces.pack import FacePack
from assent.identity.errors import ApiError


class ProbeReader:
    """Turns an uploaded picture with one face into a template, off the event loop; `busy` bounds how many at once."""

    def __init__(self, pack: FacePack, *, limits: ImageLimits, concurrency: int) -> None:
        self._pack = pack
        self._limits = limits
        self._busy = asyncio.Semaphore(concurrency)

    async def template(self, data: bytes) -> Template:
        """The template of the only face. Raises ApiError 422 for no image, no face, or several (with their boxes)."""
        async with self._busy:
            return await asyncio.to_thread(self._template, data)

    def _template(self, data: bytes) -> Template:
        try:
            image = decode(data, limits=self._limits)
        except ImageRefusedError as error:
            raise ApiError(422, "image_refused", str(error), "Send one JPEG, PNG, WebP or HEIC picture.") from None
        faces = self._pack.detector.detect(image.rgb)
        if not faces:
            raise ApiError(422, "no_face", "No face was found in the picture.", "Send a picture that shows one face clearly.")
        if len(faces) > 1:
            raise ApiError(
                422,
                "several_faces",
                f"{len(faces)} faces were found; none was looked at further.",
                "Send a picture with one face, for example a crop of one of the boxes.",
                details={"boxes": [_box(face, image) for face in faces]},
            )
        return self._pack.embedder.embed(image.rgb, faces[0])


def _box(face: DetectedFace, image: DecodedImage) -> dict[str, float]:
    box = face.box.relative(width=image.width, height=image.height)
    return {} if box is None else {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
