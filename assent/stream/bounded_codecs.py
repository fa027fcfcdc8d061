"""What was compressed, made plain up to a limit; a small batch that would fill the memory is refused, never inflated."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

import cramjam

MAX_PLAIN_BYTES = 16 * 1024 * 1024
FIRST_BUFFER_BYTES = 64 * 1024
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEADER_BYTES = 16
_BUFFER_FULL = "failed to write whole buffer"


class UninflatableError(ValueError):
    """Raised when compressed bytes are damaged or too much. `cause` is `damaged_batch`, `unknown_codec` or `inflates_too_far`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def inflated(data: bytes, *, codec: int, limit: int = MAX_PLAIN_BYTES) -> bytes:
    """The plain bytes, at most `limit`. `codec` is the number in Kafka's batch header. Raises UninflatableError."""
    if codec == 0:
        return data
    if not data:
        raise UninflatableError("damaged_batch")
    try:
        match codec:
            case 1:
                return _gzip(data, limit)
            case 2:
                return _snappy(data, limit)
            case 3:
                return _framed(cramjam.lz4.decompress_into, data, limit)
            case 4:
                return _framed(cramjam.zstd.decompress_into, data, limit)
    except (zlib.error, cramjam.DecompressionError, struct.error) as error:
        raise UninflatableError("damaged_batch") from error
    raise UninflatableError("unknown_codec")


def _gzip(data: bytes, limit: int) -> bytes:
    """Members one after the other, as gzip allows."""
    plain = bytearray()
    while data:
        member = zlib.decompressobj(wbits=31)
        plain += member.decompress(data, limit - len(plain) + 1)
        if len(plain) > limit:
            raise UninflatableError("inflates_too_far")
        if not member.eof:
            raise UninflatableError("damaged_batch")
        data = member.unused_data
    return bytes(plain)


def _snappy(data: bytes, limit: int) -> bytes:
    """In the blocks of the Java library, or as one; each says its plain length first, which is not believed beyond the limit."""
    plain = bytearray()
    for block in _snappy_blocks(data):
        if cramjam.snappy.decompress_raw_len(block) > limit - len(plain):
            raise UninflatableError("inflates_too_far")
        plain += bytes(cramjam.snappy.decompress_raw(block))
    return bytes(plain)


def _snappy_blocks(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_XERIAL):
        yield data
        return
    at = _XERIAL_HEADER_BYTES
    while at < len(data):
        (length,) = struct.unpack_from(">i", data, at)
        if not 0 < length <= len(data) - at - 4:
            raise UninflatableError("damaged_batch")
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


def _framed(decompress_into: Callable[[bytes, bytearray], int], data: bytes, limit: int) -> bytes:
    """Into a buffer that is enough as a rule, then into larger ones: one of the limit for each batch would cost milliseconds."""
    size = min(limit, max(FIRST_BUFFER_BYTES, 4 * len(data)))
    while True:
        buffer = bytearray(size)
        try:
            return bytes(memoryview(buffer)[: decompress_into(data, buffer)])
        except cramjam.DecompressionError as error:
            if _BUFFER_FULL not in str(error):
                raise
            if size == limit:
                raise UninflatableError("inflates_too_far") from error
        size = min(limit, 8 * size)
