"""A path pattern with `*` and `$` as robots.txt and tdmrep.json write it; one pass over the path, never a regular expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def normalise_path(path: str) -> str:
    """The spelling in which two paths are compared (RFC 9309 section 2.2.2): what needs no encoding has none, the rest has one."""
    encoded = quote(path, safe=_PRINTABLE, errors="replace")
    return re.sub(r"%([0-9a-fA-F]{2})", _decoded_if_unreserved, encoded)


def _decoded_if_unreserved(escape: re.Match[str]) -> str:
    character = chr(int(escape.group(1), 16))
    return character if character in _UNRESERVED else f"%{escape.group(1).upper()}"


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A normalised pattern that matches from the start of a path; its length says how exact it is."""

    text: str

    @classmethod
    def of(cls, text: str) -> PathPattern:
        """The pattern written as `text`; one that starts with neither `/` nor `*` is meant from the root."""
        normal = normalise_path(text.strip())
        return cls(normal if normal.startswith(("/", "*")) else f"/{normal}")

    def __len__(self) -> int:
        return len(self.text)

    def matches(self, path: str) -> bool:
        """True when the pattern matches `path` (with its query), which is normalised here."""
        target = normalise_path(path)
        is_anchored = self.text.endswith("$")
        first, *rest = (self.text[:-1] if is_anchored else self.text).split("*")
        if not target.startswith(first):
            return False
        if not rest:
            return not is_anchored or target == first
        position = len(first)
        for part in rest[:-1] if is_anchored else rest:
            found = target.find(part, position)
            if found < 0:
                return False
            position = found + len(part)
        return not is_anchored or (target.endswith(rest[-1]) and len(target) - len(rest[-1]) >= position)
