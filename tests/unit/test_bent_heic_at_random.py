"""Thousands of HEIC files bent at random: each is decoded or refused, soon and small, and none ends the process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.unit import heif_examples as heif
from tests.unit.heif_examples import exif_block, picture, tiled, tiles_of, written

MUTATIONS = 3_000


@pytest.mark.timeout(240)
def test_files_bent_at_random_are_decoded_or_refused_and_end_nothing(tmp_path: Path) -> None:
    """In a process of its own, which a crash would end: thousands of files, few bytes of each changed, moved or taken away."""
    tiles, columns = tiles_of(picture(160, 96), 64)
    files = {"single": heif.saved_heic(picture(160, 96)), "tiled": written(tiled(tiles, columns, 160, 96, heif.turned(1)))}
    files["metadata"] = heif.with_metadata(exif=exif_block(), xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    program = textwrap.dedent("""
        import random, resource, sys, time
        from pathlib import Path
        from assent.faces.image import ImageLimits, ImageRefusedError, decode
        from assent.geofence.image_blocks import read_blocks
        from assent.optouts.image_metadata import read_image_metadata
        limits = ImageLimits(max_pixels=1_000_000)
        counts, slowest = {"decoded": 0, "refused": 0, "broken": 0}, 0.0
        files = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]
        for data in files:
            decode(data, limits=limits)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(int(sys.argv[2])):
            chance = random.Random(number)
            data = bytearray(files[number % len(files)])
            for _ in range(chance.randint(1, 6)):
                # Half of them where the lists of items are.
                place = chance.randrange(min(len(data), 900) if chance.random() < 0.5 else len(data))
                what = chance.random()
                if what < 0.7:
                    data[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
                elif what < 0.8:
                    del data[place : place + chance.randint(1, 40)]
                elif what < 0.9:
                    data[place:place] = data[chance.randrange(len(data)):][:chance.randint(1, 40)]
                else:
                    data[place : place + 4] = chance.choice((b"\\xff" * 4, b"\\0" * 4, b"\\x7f\\xff\\xff\\xff", b"\\0\\0\\0\\1"))
            began = time.perf_counter()
            try:
                decode(bytes(data), limits=limits)
                counts["decoded"] += 1
            except ImageRefusedError:
                counts["refused"] += 1
            counts["broken"] += read_blocks(bytes(data)).is_broken or read_image_metadata(bytes(data)).is_broken
            slowest = max(slowest, time.perf_counter() - began)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(counts["decoded"], counts["refused"], counts["broken"], slowest, grown)
    """)
    command = [sys.executable, "-c", program, str(tmp_path), str(MUTATIONS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=True)
    decoded, refused, broken, slowest, grown = (float(word) for word in done.stdout.split())
    assert decoded + refused == MUTATIONS
    assert decoded > 100
    assert refused > 500
    assert broken > 500
    assert slowest < 5
    assert grown < 60_000
    # The decoder's complaints are about somebody's picture, and belong into no log.
    assert done.stderr == ""
