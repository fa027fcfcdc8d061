"""Record batches made byte by byte, as no honest client makes them, and handed to a broker as they are."""

from __future__ import annotations

import socket
import struct
import time
import zlib
from collections.abc import Sequence

import cramjam
from aiokafka.record.util import calc_crc32c, encode_varint

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
RawHeaders = Sequence[tuple[bytes, bytes | None]]


def record(index: int, key: bytes, value: bytes, headers: RawHeaders = ()) -> bytes:
    """One record of format 2. Header names are bytes: Kafka does not say that they are text."""
    body = bytearray(b"\0")
    for number in (0, index):
        encode_varint(number, body.append)
    for part in (key, value):
        _sized(body, part)
    encode_varint(len(headers), body.append)
    for name, told in headers:
        _sized(body, name)
        _sized(body, told)
    framed = bytearray()
    encode_varint(len(body), framed.append)
    return bytes(framed + body)


def _sized(out: bytearray, part: bytes | None) -> None:
    encode_varint(-1 if part is None else len(part), out.append)
    out += part or b""


def batch(records: bytes, count: int, *, codec: int = 0, magic: int = 2, attributes: int = 0, is_intact: bool = True) -> bytes:
    """A batch of these records; `is_intact` False gives it a check sum that does not fit."""
    packed = compressed(records, codec)
    now = int(time.time() * 1000)
    checked = struct.pack(">hiqqqhii", codec | attributes, count - 1, now, now, -1, -1, -1, count) + packed
    check = calc_crc32c(checked) ^ (0 if is_intact else 1)
    after_length = struct.pack(">ibI", -1, magic, check) + checked
    return struct.pack(">qi", 0, len(after_length)) + after_length


def compressed(data: bytes, codec: int) -> bytes:
    """As a client would."""
    match codec:
        case 1:
            packer = zlib.compressobj(9, wbits=31)
            return packer.compress(data) + packer.flush()
        case 2:
            return bytes(cramjam.snappy.compress_raw(data))
        case 3:
            packing = cramjam.lz4.Compressor(level=9, content_checksum=False, block_linked=False)
            packing.compress(data)
            return bytes(packing.finish())
        case 4:
            return bytes(cramjam.zstd.compress(data))
    return data


def produce(port: int, topic: str, partition: int, data: bytes) -> int:
    """Hand it to the broker on loopback; its error code, 0 where it took it, -1 where it hung up."""
    named = topic.encode()
    body = struct.pack(">hhi", -1, -1, 10_000) + struct.pack(">ih", 1, len(named)) + named
    body += struct.pack(">iii", 1, partition, len(data)) + data
    request = struct.pack(">hhih", 0, 7, 1, 3) + b"raw" + body
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = connection.makefile("rb").read(4 + 4 + 4 + 2 + len(named) + 4 + 4 + 2)
    return int(struct.unpack(">h", answer[-2:])[0]) if len(answer) > 2 else -1
