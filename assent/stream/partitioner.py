"""Which partition a key belongs to: Java's murmur2, so that every client of the log agrees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF
_FEW = 8


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among `partitions`, as Kafka's default partitioner places it."""
    return (murmur2(key) & _POSITIVE) % partitions


def positive_hashes(keys: Sequence[bytes]) -> list[int]:
    """Per key the number that `partition_of` divides. Keys of one length, as ids are, are hashed all at once."""
    if len(keys) < _FEW or len({len(key) for key in keys}) > 1:
        return [murmur2(key) & _POSITIVE for key in keys]
    length = len(keys[0])
    octets = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), length)
    whole = length - length % 4
    words = np.ascontiguousarray(octets[:, :whole]).view("<u4").astype(np.uint32) * np.uint32(_M)
    words ^= words >> 24
    words *= np.uint32(_M)
    h = np.full(len(keys), (_SEED ^ length) & _MASK, dtype=np.uint32)
    for column in words.T:
        h *= np.uint32(_M)
        h ^= column
    if whole < length:
        for place, octet in enumerate(octets[:, whole:].T):
            h ^= octet.astype(np.uint32) << (8 * place)
        h *= np.uint32(_M)
    h ^= h >> 13
    h *= np.uint32(_M)
    h ^= h >> 15
    found: list[int] = (h & _POSITIVE).tolist()
    return found


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2, 32 bits, with Kafka's seed; unsigned."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    for start in range(0, length - length % 4, 4):
        k = int.from_bytes(data[start : start + 4], "little")
        k = (k * _M) & _MASK
        k ^= k >> 24
        k = (k * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    rest = data[length - length % 4 :]
    if rest:
        h ^= int.from_bytes(rest, "little")
        h = (h * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)
