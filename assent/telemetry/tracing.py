"""W3C Trace Context: reading, starting and continuing a `traceparent`; never baggage, which could carry a person along."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_UNRECORDED = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][02468ace]")
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: 32 hex digits of trace, 16 of span (W3C Trace Context, section 3.2.2)."""

    trace_id: str
    span_id: str
    is_sampled: bool = True

    @classmethod
    def start(cls) -> TraceContext:
        """A trace of its own, with random ids."""
        return cls(trace_id=_random_hex(16), span_id=_random_hex(8))

    @classmethod
    def parse(cls, header: str | None) -> TraceContext | None:
        """The context in a header, or None where it is absent or invalid: a broken header starts a new trace, never an error."""
        found = _TRACEPARENT.fullmatch(header) if header is not None else None
        if found is None:
            return None
        version, trace_id, span_id, flags, rest = found.groups()
        # Version 00 has exactly four parts; a later one may have more; ff is forbidden, and so are ids of zeros.
        if version == "ff" or (version == "00" and rest is not None) or not int(trace_id, 16) or not int(span_id, 16):
            return None
        return cls(trace_id=trace_id, span_id=span_id, is_sampled=bool(int(flags, 16) & _SAMPLED))

    @classmethod
    def follow(cls, header: str | None) -> TraceContext:
        """A child of the header's context, or a new trace where there is none."""
        parent = cls.parse(header)
        return parent.child() if parent is not None else cls.start()

    def child(self) -> TraceContext:
        """The next span of the same trace."""
        return TraceContext(trace_id=self.trace_id, span_id=_random_hex(8), is_sampled=self.is_sampled)

    def header(self) -> str:
        """The `traceparent` value, in version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{_SAMPLED if self.is_sampled else 0:02x}"


def is_unrecorded(header: str | None) -> bool:
    """The valid context of a trace that nobody records: no step of it is ever written down, so it is handed on as it came."""
    return header is not None and _UNRECORDED.fullmatch(header) is not None


def _random_hex(size_bytes: int) -> str:
    """Random and not all zeros."""
    while True:
        text = secrets.token_hex(size_bytes)
        if int(text, 16):
            return text
