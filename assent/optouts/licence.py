"""Licences of images by their address: an open one has no effect, any other refuses; a licence is never consent of a face."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from assent.optouts.bounded_json import JsonUnreadableError, parse_json
from assent.optouts.json_ld import term, types_of
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict
from assent.optouts.xmp import XmpProperty

# Attribution and share-alike only: NC and ND reserve the very uses that a search index makes.
_OPEN = re.compile(r"/(?:licenses/(?:by|by-sa)/\d\.\d(?:/.*)?|publicdomain/(?:zero|mark)/1\.0(?:/.*)?)")
_OPEN_HOSTS = frozenset({"creativecommons.org", "www.creativecommons.org"})
_IMAGE_TYPES = frozenset({"imageobject", "photograph", "imageobjectsnapshot"})
_MAX_NODES = 20_000


def is_open_licence(address: str) -> bool:
    """True for Creative Commons BY, BY-SA, CC0 and the public domain mark."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() in _OPEN_HOSTS and _OPEN.fullmatch(parts.path) is not None


def licence_link(address: str, where: str, *, source: SignalSource) -> OptOutSignal:
    """The signal of one stated licence. `where` names the field it stood in, since the address itself is not kept."""
    verdict = SignalVerdict.NONE if is_open_licence(address) else SignalVerdict.DENY
    return OptOutSignal(SignalKind.LICENCE, verdict, source, where)


def xmp_licence(properties: Iterable[XmpProperty]) -> tuple[OptOutSignal, ...]:
    """IPTC's licence rows: web statement of rights, Creative Commons licence, and a licensor one would have to ask."""
    return tuple(
        licence_link(one.value, one.name, source=SignalSource.IMAGE)
        for one in properties
        # Editors write these fields empty when there is nothing to say.
        if one.value and (one.name in ("WebStatement", "LicensorURL") or (one.name == "license" and "creativecommons" in one.namespace))
    )


def json_ld_licence(text: str) -> tuple[OptOutSignal, ...]:
    """The licence rows of schema.org image objects in one JSON-LD block."""
    try:
        nodes = list(_image_nodes(parse_json(text)))
    except JsonUnreadableError:
        # Broken blocks are common and mostly about products and crumbs; one that mentions a licence may be a no.
        if re.search(r"licen[cs]e", text, re.I):
            return (OptOutSignal(SignalKind.LICENCE, SignalVerdict.UNKNOWN, SignalSource.PAGE, "malformed_json_ld"),)
        return ()
    return tuple(signal for node in nodes for signal in _node_signals(node))


def _image_nodes(root: Any) -> Iterator[dict[str, Any]]:
    waiting = [root]
    seen = 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > _MAX_NODES:
            raise JsonUnreadableError(f"the block has more than {_MAX_NODES} values")
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            if {name.lower() for name in types_of(value)} & _IMAGE_TYPES:
                yield value


def _node_signals(node: dict[str, Any]) -> Iterator[OptOutSignal]:
    for key, value in node.items():
        name = term(key)
        if name == "license":
            yield from (licence_link(one, "json_ld_license", source=SignalSource.PAGE) for one in _addresses(value))
        elif name == "acquireLicensePage" and value:
            yield OptOutSignal(SignalKind.LICENCE, SignalVerdict.DENY, SignalSource.PAGE, "acquire_license_page")


def _addresses(value: Any) -> list[str]:
    """Every address a licence is given by; something else in its place counts as a licence that is not open."""
    values = value if isinstance(value, list) else [value]
    return [_address(one) for one in values if one is not None]


def _address(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return value if isinstance(value, str) else ""
