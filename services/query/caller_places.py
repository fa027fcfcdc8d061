"""Where a caller is, beside what her token says: the country of her address by the operator's table; the address is kept nowhere."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from assent.fetching.server_places import ServerPlaces, ServerTableError
from assent.identity.errors import ApiError
from assent.identity.principal import Principal
from assent.ids import UNKNOWN, Jurisdiction

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_FORWARDED = "X-Forwarded-For"


class CallerPlaces:
    """Without a table nothing is told. With one, an address that it cannot place is nowhere, and nowhere is closed (BC-1, AB-1)."""

    def __init__(self, *, places: ServerPlaces, proxies: Sequence[Network]) -> None:
        self._places = places
        self._proxies = tuple(proxies)

    def placed(self, request: web.Request, principal: Principal) -> Principal:
        """The caller with the country of her address among her places, unless a place of her token lies in it. Raises ApiError 503."""
        if self._places.version is None:
            return principal
        address = _client(request.remote, request.headers.getall(_FORWARDED, []), self._proxies)
        country = None if address is None else self._country(address)
        claimed = principal.jurisdictions or (UNKNOWN,)
        if country is not None and any(place.partition("-")[0] == country for place in claimed):
            # The token says which part of the country; the country alone would stand for all of them.
            return principal
        return principal.model_copy(update={"jurisdictions": (*claimed, country or UNKNOWN)})

    def _country(self, address: Address) -> Jurisdiction | None:
        try:
            return self._places.place(str(address)).country
        except ServerTableError as error:
            raise ApiError(503, "not_ready", "The place of the caller cannot be looked up now.", "Tell the operator.") from error


def _client(remote: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> Address | None:
    """The last address that no proxy of the operator's has: whatever stands before it anybody may have written."""
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    for hop in reversed([*hops, remote or ""]):
        address = _address(hop)
        if address is None or not any(address in network for network in proxies):
            return address
    return None


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
