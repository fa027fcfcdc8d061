"""Which addresses a fetch may connect to; judged on the final socket address, so that no name, literal or redirect gets round it."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

WEB_PORTS = frozenset({80, 443})
Socket = tuple[str, int]

# Not globally reachable, or reaching inside, although the standard library calls them global.
_CLOSED_V4 = tuple(IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "100.100.100.200/32"))
_CLOSED_V6 = tuple(
    IPv6Network(text) for text in ("fec0::/10", "3fff::/20", "5f00::/16", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "fd00:ec2::/32")
)
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


class AddressRefusedError(Exception):
    """Raised when a connection would go to an address that a crawler must not touch."""


class AddressGuard:
    """Public unicast addresses on the web's ports only. `allowed_sockets` are exact exceptions for the demo and tests."""

    def __init__(self, allowed_sockets: frozenset[Socket] = frozenset()) -> None:
        self._allowed = allowed_sockets

    def check(self, host: str, port: int) -> None:
        """Raise AddressRefusedError unless a connection to this numeric address and port is allowed."""
        if (host, port) in self._allowed:
            return
        if port not in WEB_PORTS:
            raise AddressRefusedError("only ports 80 and 443 are fetched")
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError as error:
            raise AddressRefusedError("the connection is not to an internet address") from error
        if not is_public(address):
            raise AddressRefusedError("the address is not a public one")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """A unicast address of the public internet, also when it wraps an IPv4 address in IPv6."""
    if isinstance(address, IPv6Address):
        inner = embedded_v4(address)
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _CLOSED_V6):
            return False
    elif any(address in network for network in _CLOSED_V4):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def embedded_v4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside a mapped, compatible, 6to4, Teredo or NAT64 address."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
