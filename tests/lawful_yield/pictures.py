"""The bytes of a case's photo, made when it is run: EXIF as phones write it, XMP and IPTC as photographers' programs do."""

from __future__ import annotations

import hashlib
import io
import struct
from xml.sax.saxutils import quoteattr

from PIL import Image, TiffImagePlugin

from tests.lawful_yield.case import Photo

_GPS = 0x8825
_IPTC = {"city": 90, "region": 95, "country_code": 100, "country": 101}
_NO_NUMBER = TiffImagePlugin.IFDRational(0, 0)


def picture(photo: Photo, name: str) -> bytes:
    """A small JPEG that differs from every other case's."""
    red, green, blue = hashlib.sha256(name.encode()).digest()[:3]
    image = Image.new("RGB", (24, 16), (red, green, blue))
    image.putpixel((0, 0), (blue, red, green))
    stream = io.BytesIO()
    image.save(stream, "JPEG", exif=_exif(photo), comment=name.encode())
    segments = [_exif_cut_off()] if photo.fault == "cut_off" else []
    segments += [_xmp(photo)] if photo.xmp or photo.mining or photo.minor or photo.fault == "broken_xmp" else []
    segments += [_iptc(photo)] if photo.iptc else []
    return _with_segments(stream.getvalue(), segments)


def _exif(photo: Photo) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Maker", "Phone 12", "2026:03:04 15:16:17"
    if photo.gps is not None:
        exif[_GPS] = _gps(photo, *photo.gps)
    return exif


def _gps(photo: Photo, latitude: float, longitude: float) -> dict[int, object]:
    if photo.fault == "null_island":
        latitude = longitude = 0.0
    if photo.fault == "beyond_pole":
        latitude = 95.25
    gps: dict[int, object] = {
        1: "N" if latitude >= 0 else "S",
        2: _degrees(latitude),
        3: "E" if longitude >= 0 else "W",
        4: _degrees(longitude),
        # As a phone writes them: altitude, and the way it looked.
        5: b"\x00",
        6: TiffImagePlugin.IFDRational(3120, 100),
        16: "T",
        17: TiffImagePlugin.IFDRational(21150, 100),
    }
    if photo.accuracy_m is not None:
        gps[31] = TiffImagePlugin.IFDRational(round(photo.accuracy_m * 100), 100)
    if photo.fault == "no_number":
        gps[2] = gps[4] = (_NO_NUMBER,) * 3
    if photo.fault == "swapped":
        gps[1], gps[3] = gps[3], gps[1]
    if photo.fault == "void":
        gps[9] = "V"
    return gps


def _degrees(value: float) -> tuple[TiffImagePlugin.IFDRational, ...]:
    whole, rest = divmod(abs(value), 1)
    minutes, rest = divmod(rest * 60, 1)
    parts = (int(whole), 1), (int(minutes), 1), (round(rest * 60 * 100), 100)
    return tuple(TiffImagePlugin.IFDRational(*part) for part in parts)


def _exif_cut_off() -> tuple[int, bytes]:
    """A header whose GPS directory lies beyond its end."""
    return 0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", _GPS, 4, 1, 9_999)


def _xmp(photo: Photo) -> tuple[int, bytes]:
    place = {"CountryName": "country", "CountryCode": "country_code", "ProvinceState": "region", "City": "city"}
    fields = "".join(f" e:{tag}={quoteattr(photo.xmp[name])}" for tag, name in place.items() if name in photo.xmp)
    listed = f"<e:LocationCreated><r:Bag><r:li{fields}/></r:Bag></e:LocationCreated>" if fields else ""
    plus = "".join(
        f" p:{tag}={quoteattr(value)}" for tag, value in (("DataMining", photo.mining), ("MinorModelAgeDisclosure", photo.minor)) if value
    )
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<r:Description r:about="" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'xmlns:p="http://ns.useplus.org/ldf/xmp/1.0/"{plus}>{listed}</r:Description></r:RDF></x:xmpmeta>'
    )
    if photo.fault == "broken_xmp":
        packet = packet[:-40]
    return 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()


def _iptc(photo: Photo) -> tuple[int, bytes]:
    datasets = b"".join(
        struct.pack(">BBBH", 0x1C, 2, _IPTC[name], len(value.encode())) + value.encode() for name, value in sorted(photo.iptc.items())
    )
    resource = b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0" + struct.pack(">I", len(datasets)) + datasets + b"\0" * (len(datasets) % 2)
    return 0xED, b"Photoshop 3.0\0" + resource


def _with_segments(data: bytes, segments: list[tuple[int, bytes]]) -> bytes:
    parts = (struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)
    return data[:2] + b"".join(parts) + data[2:]
