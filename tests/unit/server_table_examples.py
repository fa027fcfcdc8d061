"""Tables of addresses in the MaxMind DB format, written here: networks with whatever record a test wants, built at a given time."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

_TEXT, _DOUBLE, _SMALL, _MAP, _LARGE, _LIST, _FLAG = 2, 3, 5, 7, 9, 11, 14
_MARKER = b"\xab\xcd\xefMaxMind.com"


def table(path: Path, networks: Mapping[str, Any], *, built_at: datetime, kind: str = "Test-Country") -> Path:
    """A file of these networks (IPv4 and IPv6, none inside another), each with its record."""
    data, places = b"", dict[str, int]()
    for network, record in networks.items():
        places[network] = len(data)
        data += _coded(record)
    tree = _tree(networks)
    parts = []
    for left, right in tree:
        for child in (left, right):
            number = child if isinstance(child, int) else len(tree) + 16 + places[child] if isinstance(child, str) else len(tree)
            parts.append(struct.pack(">I", number)[1:])
    told = {
        "node_count": len(tree),
        "record_size": 24,
        "ip_version": 6,
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": int(built_at.timestamp()),
        "description": {"en": "made by a test"},
    }
    path.write_bytes(b"".join(parts) + bytes(16) + data + _MARKER + _coded(told))
    return path


def _tree(networks: Mapping[str, Any]) -> list[list[int | str | None]]:
    """Nodes of two children: another node, a network by its text, or None."""
    nodes: list[list[int | str | None]] = [[None, None]]
    for text in networks:
        network = ipaddress.ip_network(text)
        # IPv4 lies under ::/96.
        length = network.prefixlen + (96 if network.version == 4 else 0)
        bits = f"{int(network.network_address):0128b}"[:length]
        here = 0
        for bit in bits[:-1]:
            child = nodes[here][int(bit)]
            if not isinstance(child, int):
                child = len(nodes)
                nodes[here][int(bit)] = child
                nodes.append([None, None])
            here = child
        nodes[here][int(bits[-1])] = text
    return nodes


def _coded(value: Any) -> bytes:
    match value:
        case bool():
            return _head(_FLAG, int(value))
        case int() if value < 65_536:
            return _head(_SMALL, 2) + struct.pack(">H", value)
        case int():
            return _head(_LARGE, 8) + struct.pack(">Q", value)
        case str():
            return _head(_TEXT, len(value.encode())) + value.encode()
        case list():
            return _head(_LIST, len(value)) + b"".join(map(_coded, value))
        case dict():
            return _head(_MAP, len(value)) + b"".join(_coded(name) + _coded(held) for name, held in value.items())
    raise TypeError(value)


def _head(kind: int, size: int) -> bytes:
    assert size < 29 + 256
    first, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    # Kinds beyond seven stand in a byte of their own.
    return (bytes([kind << 5 | first]) if kind <= 7 else bytes([first, kind - 7])) + more
