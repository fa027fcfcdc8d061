"""How JSON-LD is told in a page and how its names are read, for whoever looks for licences or places in it; it parses nothing."""

from __future__ import annotations

import re
from typing import Any

_MEDIA_TYPE = "application/ld+json"


def media_type(written: str | None) -> str:
    """The type of a script or a link without its parameters, in lower case."""
    return (written or "").partition(";")[0].strip().lower()


def is_json_ld(script_type: str | None) -> bool:
    """Whether a script of this type holds JSON-LD, whatever parameters stand behind it."""
    return media_type(script_type) == _MEDIA_TYPE


def term(name: str) -> str:
    """`license`, `schema:license` and `https://schema.org/license` are one name."""
    return re.split(r"[/#:]", name)[-1]


def values_of(node: dict[str, Any], name: str) -> list[Any]:
    """What a node says under a name, however that is written; a node may write it in several ways."""
    return [value for key, value in node.items() if term(key) == name]


def types_of(node: dict[str, Any]) -> frozenset[str]:
    """The types of a node by their bare names, in their own case."""
    written = node.get("@type")
    names = written if isinstance(written, list) else [written]
    return frozenset(term(name) for name in names if isinstance(name, str))
