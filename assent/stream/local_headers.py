"""Headers of a record as one value of a column, in the order they came; every byte of a header comes back as it was.

A count (two bytes) and the length of the names (four), the names as a JSON array, the lengths of the values (four bytes each),
the values; numbers are little-endian. No header is an empty value.
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from itertools import accumulate, pairwise

from assent.events.record import Headers

_HEAD = struct.Struct("<HI")


def packed_headers(headers: Headers) -> bytes:
    """One value for the column."""
    if not headers:
        return b""
    names, values = zip(*headers, strict=True)
    return b"".join((_names(names), _lengths(len(values)).pack(*map(len, values)), *values))


def unpacked_headers(data: bytes) -> Headers:
    """The headers of a column's value."""
    if not data:
        return ()
    count, size = _HEAD.unpack_from(data)
    names = _HEAD.size + size
    lengths = _lengths(count).unpack_from(data, names)
    start = names + 4 * count
    ends = list(accumulate(lengths, initial=start))
    values = [data[begin:end] for begin, end in pairwise(ends)]
    return tuple(zip(_read_names(data[_HEAD.size : names]), values, strict=True))


@lru_cache(maxsize=256)
def _lengths(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}I")


# A stage writes the same few names on every record.
@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> bytes:
    text = json.dumps(names).encode()
    return _HEAD.pack(len(names), len(text)) + text


@lru_cache(maxsize=256)
def _read_names(text: bytes) -> tuple[str, ...]:
    return tuple(json.loads(text))
