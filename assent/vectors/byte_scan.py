"""Looks for the bytes of deleted vectors in files; keeps eight numbers of a vector at most, and in memory only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WINDOW = 8
"""Consecutive float32 of a vector: 32 bytes do not occur by chance."""
_CHUNK_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found: how often each needle occurs, and how much was read."""

    occurrences: Counter[bytes]
    files: int
    bytes_read: int


def needle(vector: NDArray[np.float32]) -> bytes:
    """The eight consecutive numbers with the most in them, little-endian: a run of zeros would be found everywhere."""
    wide = np.abs(vector.astype(np.float64))
    width = min(WINDOW, len(wide))
    start = int(np.argmax(np.convolve(wide, np.ones(width), mode="valid")))
    return vector[start : start + width].astype("<f4").tobytes()


def scan(folder: Path, needles: frozenset[bytes]) -> Scan:
    """Read every file under a folder and count each needle at every byte offset."""
    found: Counter[bytes] = Counter()
    files = bytes_read = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files += 1
            bytes_read += path.stat().st_size
            if needles:
                found.update(_scan_file(path, needles))
    return Scan(found, files, bytes_read)


def _scan_file(path: Path, needles: frozenset[bytes]) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    overlap = max(map(len, needles)) - 1
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_CHUNK_BYTES):
            # What lies wholly in the tail was counted with the block before.
            found.update(_scan_block(tail + block, needles, counted=len(tail)))
            tail = (tail + block)[-overlap:]
    return found


def _scan_block(data: bytes, needles: frozenset[bytes], *, counted: int) -> Counter[bytes]:
    """One pass for all needles: a table of the first two bytes thins the offsets, the rest are compared."""
    found: Counter[bytes] = Counter()
    by_start: dict[bytes, list[bytes]] = {}
    for item in needles:
        by_start.setdefault(item[:4], []).append(item)
    starts = np.array([int.from_bytes(start[:2], "little") for start in by_start])
    table = np.zeros(2**16, dtype=bool)
    table[starts] = True
    for shift in (0, 1):
        pairs = np.frombuffer(data, dtype="<u2", offset=shift, count=max(0, (len(data) - shift) // 2))
        for index in _offsets(pairs, table, shift):
            for item in by_start.get(data[index : index + 4], ()):
                if data.startswith(item, index) and index + len(item) > counted:
                    found[item] += 1
    return found


def _offsets(pairs: NDArray[np.uint16], table: NDArray[np.bool_], shift: int) -> Iterable[int]:
    hits: list[int] = (np.flatnonzero(table[pairs]) * 2 + shift).tolist()
    return hits
