"""Real image files in the three formats with places in their metadata: made here, or the photographs of a folder with a place added."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from assent.testing.face_pack import one_face, six_faces

FORMATS = ("JPEG", "PNG", "WEBP")
SIDES_PX = (480, 1_200, 2_400)
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
VANCOUVER, BANFF, SEATTLE = (49.2606, -123.1140), (51.1784, -115.5708), (47.6062, -122.3321)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Country="Canada" '
    b'photoshop:State="British Columbia" photoshop:City="Vancouver"/></rdf:RDF></x:xmpmeta>'
)


def photographs(folder: Path | None) -> list[bytes]:
    """Encoded files: places in EXIF, in XMP alone, and in neither, in turn."""
    pictures = list(_given(folder)) if folder is not None else list(_made())
    return [_encoded(picture, number) for number, picture in enumerate(pictures)]


def _made() -> Iterator[Image.Image]:
    for side in SIDES_PX:
        for picture in (one_face(), six_faces()):
            whole = Image.fromarray(picture)
            scale = side / max(whole.size)
            yield from [whole.resize((round(whole.width * scale), round(whole.height * scale)))] * len(FORMATS)


def _given(folder: Path) -> Iterator[Image.Image]:
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        with Image.open(path) as picture:
            yield picture.convert("RGB")


def _encoded(picture: Image.Image, number: int) -> bytes:
    out = io.BytesIO()
    told: dict[str, bytes] = {}
    if number % 4 in (0, 1):
        told["exif"] = _exif((VANCOUVER, BANFF, SEATTLE)[number % 3])
    if number % 4 in (1, 2):
        told["xmp"] = _XMP
    kind = FORMATS[number % len(FORMATS)]
    if kind == "PNG" and "xmp" in told:
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", told.pop("xmp").decode())
        picture.save(out, format=kind, pnginfo=text, **told)
    else:
        picture.save(out, format=kind, quality=90, **told)
    return out.getvalue()


def _exif(place: tuple[float, float]) -> bytes:
    exif = Image.Exif()
    exif[Base.Make.value] = "Assent"
    latitude, longitude = place
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: _degrees(latitude), 3: "W", 4: _degrees(-longitude)})
    return exif.tobytes()


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = (value - int(value)) * 60
    return float(int(value)), float(int(minutes)), round((minutes - int(minutes)) * 60, 4)
