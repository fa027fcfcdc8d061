"""Decoding takes JPEG, PNG and WebP at bounded cost, upright, and refuses the rest with a reason; HEIC has tests of its own."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from assent.faces.image import (
    ImageLimits,
    ImageRefusal,
    ImageRefusedError,
    MediaType,
    decode,
    read_header,
)
from assent.faces.image_metadata import without_metadata
from tests.unit.refused_image import LIMITS, refusal


def picture(width: int = 120, height: int = 80) -> NDArray[np.uint8]:
    """Four flat quarters, so that every turn and flip can be told apart even after lossy coding."""
    rgb = np.zeros((height, width, 3), dtype=np.uint8)
    rgb[: height // 2, : width // 2] = (220, 30, 30)
    rgb[: height // 2, width // 2 :] = (30, 220, 30)
    rgb[height // 2 :, : width // 2] = (30, 30, 220)
    rgb[height // 2 :, width // 2 :] = (220, 220, 30)
    return rgb


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def colour(name: str) -> NDArray[np.int64]:
    quarters = {"red": (220, 30, 30), "green": (30, 220, 30), "blue": (30, 30, 220), "yellow": (220, 220, 30)}
    return np.array(quarters[name])


def quarters(rgb: NDArray[np.uint8]) -> list[str]:
    """Names of the colours at top left, top right, bottom left, bottom right."""
    height, width = rgb.shape[:2]
    places = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    places += [(3 * height // 4, width // 4), (3 * height // 4, 3 * width // 4)]
    names = ("red", "green", "blue", "yellow")
    return [min(names, key=lambda name: int(np.abs(rgb[y, x].astype(int) - colour(name)).sum())) for y, x in places]


def png_of_zeros(width: int, height: int) -> bytes:
    """A valid 1-bit PNG whose pixels are all zero: kilobytes that unpack to gigabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer, row = zlib.compressobj(9), b"\0" * (1 + (width + 7) // 8)
    packed = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", MediaType.JPEG), ("PNG", MediaType.PNG), ("WEBP", MediaType.WEBP)])
def test_the_three_formats(kind: str, media_type: MediaType) -> None:
    data = saved(Image.fromarray(picture()), kind)
    header = read_header(data)
    assert (header.media_type, header.width, header.height) == (media_type, 120, 80)
    decoded = decode(data, limits=LIMITS)
    assert decoded.rgb.dtype == np.uint8
    assert decoded.rgb.shape == (decoded.height, decoded.width, 3) == (80, 120, 3)
    assert quarters(decoded.rgb) == ["red", "green", "blue", "yellow"]


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": Image.Exif().tobytes() + b"\0"}, {"quality": 30}])
def test_every_kind_of_webp_tells_its_size(options: dict[str, object]) -> None:
    header = read_header(saved(Image.fromarray(picture(201, 77)), "WEBP", **options))
    assert (header.width, header.height) == (201, 77)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I"])
def test_every_pixel_layout_becomes_rgb(mode: str) -> None:
    grey = Image.fromarray(np.tile(np.linspace(0, 255, 128, dtype=np.uint8), (64, 1)))
    if mode in ("I;16", "I"):
        wide = np.asarray(grey).astype(np.uint16) * 257
        data = saved(Image.fromarray(wide), "PNG")
    elif mode == "CMYK":
        data = saved(grey.convert("CMYK"), "JPEG", quality=100)
    else:
        data = saved(grey.convert(mode), "PNG")
    rgb = decode(data, limits=LIMITS).rgb
    assert rgb.shape == (64, 128, 3)
    error = np.abs(rgb.astype(int) - np.asarray(grey)[:, :, None].astype(int))
    assert error.mean() < (130 if mode == "1" else 3)


def test_what_is_transparent_is_not_seen() -> None:
    rgba = np.dstack([picture(), np.full((80, 120), 255, dtype=np.uint8)])
    rgba[:, 60:, 3] = 0
    rgb = decode(saved(Image.fromarray(rgba), "PNG"), limits=LIMITS).rgb
    assert (rgb[:, 60:] == 255).all()
    assert (rgb[:, :60] == picture()[:, :60]).all()


# The view each EXIF orientation asks for, quarter by quarter; from the TIFF 6.0 table, not from our code.
UPRIGHT = {
    1: ["red", "green", "blue", "yellow"],
    2: ["green", "red", "yellow", "blue"],
    3: ["yellow", "blue", "green", "red"],
    4: ["blue", "yellow", "red", "green"],
    5: ["red", "blue", "green", "yellow"],
    6: ["blue", "red", "yellow", "green"],
    7: ["yellow", "green", "blue", "red"],
    8: ["green", "yellow", "red", "blue"],
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_is_applied_once(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(saved(Image.fromarray(picture()), kind, exif=exif), limits=LIMITS)
    assert quarters(decoded.rgb) == UPRIGHT[orientation]
    assert (decoded.width, decoded.height) == ((120, 80) if orientation < 5 else (80, 120))


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 9])
def test_metadata_that_cannot_be_read_does_not_stop_the_picture(exif: bytes) -> None:
    data = saved(Image.fromarray(picture()), "JPEG", exif=exif)
    assert quarters(decode(data, limits=LIMITS).rgb) == UPRIGHT[1]


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "JPEG2000", "AVIF", "PPM", "ICO"])
def test_other_formats_are_refused_by_what_they_are(kind: str) -> None:
    assert refusal(saved(Image.fromarray(picture()), kind)) is ImageRefusal.FORMAT


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b"<svg xmlns='x'/>",
        b"PK\x03\x04",
        b"MZ" + b"\0" * 64,
        b"RIFF\0\0\0\0AVI ",
        b"\x89PNG",
        b"\0" * 999,
        b"%PDF-1.7",
    ],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert refusal(data) is ImageRefusal.NOT_AN_IMAGE


def test_nothing_is_refused_as_empty() -> None:
    assert refusal(b"") is ImageRefusal.EMPTY


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_cut_is_refused(kind: str) -> None:
    data = saved(Image.fromarray(picture()), kind)
    for length in [*range(16, 60, 4), len(data) // 2, len(data) * 3 // 4]:
        assert refusal(data[:length]) in {ImageRefusal.TRUNCATED, ImageRefusal.BROKEN, ImageRefusal.NOT_AN_IMAGE}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("tail", [b"PK\x03\x04 a zip file", b"%PDF-1.7 a document", b"\xff\xda" * 99, b"\0" * 5000])
def test_a_file_that_is_two_things_is_only_its_picture(kind: str, tail: bytes) -> None:
    data = saved(Image.fromarray(picture()), kind)
    assert np.array_equal(decode(data + tail, limits=LIMITS).rgb, decode(data, limits=LIMITS).rgb)


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_what_moves_is_refused(kind: str) -> None:
    frames = [Image.fromarray(picture()), Image.fromarray(picture()[::-1].copy())]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert refusal(data) is ImageRefusal.ANIMATED


def test_arithmetic_and_lossless_jpeg_are_refused() -> None:
    data = saved(Image.fromarray(picture()), "JPEG")
    for frame in (b"\xff\xc3", b"\xff\xc9", b"\xff\xca"):
        assert refusal(data.replace(b"\xff\xc0", frame, 1)) is ImageRefusal.FORMAT


def test_a_lying_header_is_refused() -> None:
    data = bytearray(saved(Image.fromarray(picture()), "PNG"))
    data[16:20] = struct.pack(">I", 240)
    assert refusal(bytes(data)) in {ImageRefusal.BROKEN, ImageRefusal.TRUNCATED}


@pytest.mark.parametrize(
    ("size", "limits", "reason"),
    [
        ((65_000, 40), LIMITS, ImageRefusal.ASPECT),
        ((31, 31), LIMITS, ImageRefusal.TOO_SMALL),
        ((101, 100), ImageLimits(max_pixels=10_000), ImageRefusal.TOO_MANY_PIXELS),
    ],
)
def test_sizes_out_of_bounds(size: tuple[int, int], limits: ImageLimits, reason: ImageRefusal) -> None:
    assert refusal(png_of_zeros(*size), limits) is reason


def test_sizes_at_the_bounds_pass() -> None:
    assert decode(png_of_zeros(100, 100), limits=ImageLimits(max_pixels=10_000)).width == 100
    assert decode(png_of_zeros(32 * 12, 32), limits=LIMITS).height == 32


def test_more_bytes_than_allowed_are_not_even_read() -> None:
    assert refusal(b"\0" * 11, ImageLimits(max_bytes=10)) is ImageRefusal.TOO_MANY_BYTES


def test_a_limit_above_what_the_decoder_guards_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="max_pixels"):
        ImageLimits(max_pixels=100_000_000)


def test_progressive_scans_are_counted_and_bounded() -> None:
    data = saved(Image.fromarray(picture()), "JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    many = data[:last] + data[last:-2] * 60 + data[-2:]
    assert read_header(many).scans == read_header(data).scans + 59
    assert refusal(many) is ImageRefusal.TOO_MANY_SCANS


@pytest.mark.timeout(10)
@pytest.mark.parametrize("filling", [b"\xff" * 15_000_000, b"\xff\xfe\0\2" * 4_000_000, b"\xff\xd8" * 8_000_000])
def test_a_jpeg_of_nothing_but_markers_ends_soon(filling: bytes) -> None:
    assert refusal(b"\xff\xd8\xff" + filling) in {ImageRefusal.BROKEN, ImageRefusal.TRUNCATED, ImageRefusal.NOT_AN_IMAGE}


@pytest.mark.timeout(10)
def test_a_png_of_nothing_but_chunks_ends_soon() -> None:
    start = png_of_zeros(64, 64)
    empty_chunk = b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    assert refusal(start[:33] + empty_chunk * 1_500_000 + start[33:]) is ImageRefusal.BROKEN


@pytest.mark.parametrize("side", [12_000, 25_000, 32_000])
def test_a_small_file_with_a_huge_picture_costs_no_memory(tmp_path: Path, side: int) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_of_zeros(side, side))
    assert bomb.stat().st_size < 130_000
    program = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from assent.faces.image import ImageLimits, ImageRefusedError, decode
        data = Path(sys.argv[1]).read_bytes()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            decode(data, limits=ImageLimits())
        except ImageRefusedError as error:
            print(error.reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    done = subprocess.run([sys.executable, "-c", program, bomb], capture_output=True, text=True, timeout=60, check=True)
    reason, more_kib = done.stdout.split()
    assert reason == "too_many_pixels"
    assert int(more_kib) < 20_000


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
    keep=st.floats(0.02, 1),
)
def test_bent_files_decode_or_are_refused(kind: str, edits: list[tuple[float, int]], keep: float) -> None:
    data = bytearray(saved(Image.fromarray(picture()), kind))
    for place, value in edits:
        data[int(place * len(data))] = value
    try:
        decoded = decode(bytes(data[: max(1, int(keep * len(data)))]), limits=ImageLimits(max_pixels=1_000_000))
    except ImageRefusedError:
        return
    assert decoded.rgb.shape == (decoded.height, decoded.width, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_decoder_never_sees_metadata(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "needle in the description"
    exif[0x0112] = 6
    profile = b"needle in the colour profile" * 9
    data = saved(Image.fromarray(picture()), kind, exif=exif, icc_profile=profile, comment=b"needle in a comment", xmp=b"needle")
    assert data.count(b"needle") >= 1
    bare, orientation = without_metadata(data, read_header(data).media_type)
    assert (bare.count(b"needle"), orientation) == (0, 6)
    assert decode(bare, limits=LIMITS).rgb.shape == (80, 120, 3)


def test_a_refusal_holds_nothing_from_the_file() -> None:
    with pytest.raises(ImageRefusedError) as caught:
        decode(b"\xff\xd8\xff\xe0secret-name", limits=LIMITS)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
