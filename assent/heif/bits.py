"""Bits of a parameter set (ITU-T H.265, 7.2 and 9.2), read in order and written over in place; never beyond the end."""

from __future__ import annotations

from assent.heif.boxes import HeifError

_ESCAPED, _PLAIN = b"\0\0\3", b"\0\0"
MAX_BYTES = 2_048
"""A set with every list in it has a few hundred; and a long number is slow."""


class Bits:
    """The payload of one unit. Raises HeifError beyond the end."""

    __slots__ = ("_count", "_number", "position")

    def __init__(self, payload: bytes) -> None:
        raw = payload.replace(_ESCAPED, _PLAIN)
        if len(raw) > MAX_BYTES:
            raise HeifError("a parameter set is longer than one has to be")
        self._number, self._count, self.position = int.from_bytes(raw, "big"), 8 * len(raw), 0

    def take(self, count: int) -> int:
        """The next bits as a number."""
        self.skip(count)
        return self._number >> self._count - self.position & (1 << count) - 1

    def skip(self, count: int) -> None:
        """Leave bits out."""
        self.position += count
        if self.position > self._count:
            raise HeifError("a parameter set ends too early")

    def golomb(self) -> int:
        """An unsigned number in Exp-Golomb coding; a signed one takes the same bits."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise HeifError("a number that is too long")
        return (1 << zeros) - 1 + self.take(zeros)

    def write(self, count: int, value: int) -> None:
        """Other bits in place of the next ones."""
        self.skip(count)
        below = self._count - self.position
        self._number = self._number & ~((1 << count) - 1 << below) | value << below

    def payload(self) -> bytes:
        """All of it, escaped so that no start code comes about."""
        found = bytearray()
        zeros = 0
        for byte in self._number.to_bytes(self._count // 8, "big"):
            if zeros >= 2 and byte <= 3:
                found.append(3)
                zeros = 0
            found.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes(found)
