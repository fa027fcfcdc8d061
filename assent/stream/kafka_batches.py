"""Record batches as strangers may write them: what cannot be read is told by its place and passed; no batch stops a partition.

The client gives up at a batch that it cannot read, fetches it again, and so never gets past it; and it inflates whatever size a
compressed batch comes to. So it is given the batches through this module.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from assent.stream.bounded_codecs import UninflatableError, inflated

MAX_BATCH_RECORDS = 50_000
DAMAGED = "\0damaged"
"""A header of this name, which is told by identity: what a stranger writes is another string."""
MARKER = "\0marker"

_HEADER = struct.Struct(">qiibIhiqqqhii")
_MAGIC_AT = 16
_ATTRIBUTES_AT = 21
_COUNT_AT = 57
_CODEC_MASK = 0x07
_UNREADABLE = (KafkaError, ValueError, IndexError, OverflowError, struct.error)
Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class PlacedRecord:
    """What the client's own record offers, for a place that gives none."""

    offset: int
    headers: Headers
    timestamp: int = -1
    timestamp_type: int = 0
    key: bytes | None = None
    value: bytes | None = None
    checksum: int | None = None


class CarefulRecords:
    """Stands where the client has its own reader of what one fetch brought; a part of a batch at the end is left for the next."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        return self._end() is not None

    def next_batch(self) -> CarefulBatch | None:
        end = self._end()
        if end is None:
            return None
        batch = CarefulBatch(bytes(memoryview(self._data)[self._at : end]))
        self._at = end
        return batch

    def _end(self) -> int | None:
        if len(self._data) - self._at < 12:
            return None
        (length,) = struct.unpack_from(">i", self._data, self._at + 8)
        end: int = self._at + 12 + length
        return end if length >= 0 and end <= len(self._data) else None


class CarefulBatch:
    """One batch. It gives its records, a damaged place for each that cannot be read, and a marker for the end of a transaction."""

    is_control_batch = False
    """The client passes control batches over in silence, and their offset would then never be committed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._is_current = len(data) >= _HEADER.size and data[_MAGIC_AT] == 2
        fields = _HEADER.unpack_from(data) if self._is_current else (struct.unpack_from(">q", data)[0],)
        self.base_offset: int = fields[0]
        # In the formats before version 2 the offset of a message is that of its last part.
        self._last_offset: int = self.base_offset + max(0, fields[6]) if self._is_current else self.base_offset
        self._attributes: int = fields[5] if self._is_current else 0
        self._count: int = fields[12] if self._is_current else 0
        self.producer_id: int | None = fields[9] if self._is_current else None
        self.is_transactional = bool(self._attributes & 0x10)

    @property
    def next_offset(self) -> int:
        return self._last_offset + 1

    def validate_crc(self) -> bool:
        """Looked at while reading: here a wrong one would end the client's reading."""
        return True

    def __iter__(self) -> Iterator[Any]:
        if not self._is_current:
            return iter([self._damaged("old_format")])
        if not DefaultRecordBatch(self._data).validate_crc():
            return iter([self._damaged("damaged_batch")])
        if self._attributes & 0x20:
            return iter([PlacedRecord(self._last_offset, [(MARKER, None)])])
        if self._count > MAX_BATCH_RECORDS:
            return iter([self._damaged("too_many_records")])
        try:
            plain = inflated(self._data[_HEADER.size :], codec=self._attributes & _CODEC_MASK)
        except UninflatableError as error:
            return iter([self._damaged(error.cause)])
        return self._records(plain)

    def _records(self, plain: bytes) -> Iterator[Any]:
        """All at once where they are sound; else what follows the last sound one is taken one by one."""
        read = 0
        try:
            for record in DefaultRecordBatch(self._header(self._count) + plain):
                yield record
                read += 1
        except _UNREADABLE:
            yield from self._one_by_one(plain, read)

    def _one_by_one(self, plain: bytes, read: int) -> Iterator[Any]:
        framed = bytearray(plain)
        at = 0
        for index in range(self._count):
            try:
                length, body = decode_varint(framed, at)
                if length <= 0 or body + length > len(plain):
                    raise ValueError("a record goes past its batch")
            except _UNREADABLE:
                yield self._damaged("damaged_batch")
                return
            if index >= read:
                yield self._one(plain[at : body + length], index)
            at = body + length

    def _one(self, framed: bytes, index: int) -> Any:
        try:
            (record,) = DefaultRecordBatch(self._header(1) + framed)
        except _UNREADABLE:
            return PlacedRecord(min(self.base_offset + index, self._last_offset), [(DAMAGED, b"damaged_record")])
        return record

    def _header(self, count: int) -> bytes:
        """The header of this batch for records that are not compressed."""
        header = bytearray(self._data[: _HEADER.size])
        struct.pack_into(">h", header, _ATTRIBUTES_AT, self._attributes & ~_CODEC_MASK)
        struct.pack_into(">i", header, _COUNT_AT, count)
        return bytes(header)

    def _damaged(self, cause: str) -> PlacedRecord:
        """The rest of the batch as one: its last offset, so that reading goes on behind it."""
        return PlacedRecord(self._last_offset, [(DAMAGED, cause.encode())])


def read_batches_carefully() -> None:
    """Every consumer of this process reads through CarefulRecords. Raises RuntimeError with a client that has no such place."""
    if getattr(fetcher, "MemoryRecords", None) not in (MemoryRecords, CarefulRecords):
        raise RuntimeError("this release of aiokafka reads batches elsewhere; look at assent/stream/kafka_batches.py")
    fetcher.MemoryRecords = CarefulRecords
