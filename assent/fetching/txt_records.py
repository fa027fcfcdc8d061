"""One look-up of TXT records at the operator's name servers, everything capped; trouble is a value, and never read as "there is none"."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from enum import StrEnum

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver

from assent.fetching.address_guard import Socket

DNS_PORT = 53
EDNS_BYTES = 1232
"""What passes every path of today whole; a longer answer is cut by its server and asked for again over TCP."""
MAX_SERVERS = 8
_ALIASES = frozenset({dns.rdatatype.CNAME, dns.rdatatype.DNAME})


class LookupFailure(StrEnum):
    """Why nobody could say what stands there."""

    NO_SERVER = "no_server"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class TxtAnswer:
    """What stands at exactly this name, the strings of each record joined. Without a record it says who says that there is none.

    `is_alias`: the name points elsewhere; what stands there is not read. `is_denied`: the answer came with the start of authority of
    a zone that the name lies in, the root apart. `is_validated`: the name server says that it checked DNSSEC; as good as the way to that
    server.
    """

    records: tuple[bytes, ...] = ()
    is_alias: bool = False
    is_denied: bool = False
    is_validated: bool = False


class TxtRecords:
    """`servers` are asked in this order; those of the machine when there are none. `total_s` is for all of it, `try_s` for one."""

    def __init__(self, *, servers: tuple[Socket, ...] = (), total_s: float = 10.0, try_s: float = 3.0, max_bytes: int = 16_384) -> None:
        self._servers = servers
        self._total_s = total_s
        self._try_s = try_s
        self._max_bytes = max_bytes

    async def at(self, name: str) -> TxtAnswer | LookupFailure:
        """Ask, over UDP and where the answer was cut over TCP. Every failure is a value. `name` is absolute; no search list is used."""
        asked = dns.name.from_text(name)
        try:
            async with asyncio.timeout(self._total_s + self._try_s):
                response = await self._asked(asked)
        except (dns.resolver.LifetimeTimeout, TimeoutError):
            return LookupFailure.TIMEOUT
        except dns.resolver.NoResolverConfiguration:
            return LookupFailure.NO_SERVER
        except (dns.exception.DNSException, OSError):
            # SERVFAIL, REFUSED and answers to another question among them: no server was left to ask.
            return LookupFailure.BROKEN
        return self._read(asked, response)

    async def _asked(self, name: dns.name.Name) -> dns.message.QueryMessage:
        resolver = self._resolver()
        try:
            answer = await resolver.resolve(name, "TXT", raise_on_no_answer=False, lifetime=self._total_s)
        except dns.resolver.NXDOMAIN as error:
            denied: dns.message.QueryMessage = error.kwargs["responses"][name]
            return denied
        return answer.response

    def _resolver(self) -> dns.asyncresolver.Resolver:
        """A new one each time: the machine's own servers change, and nothing is remembered of an earlier answer."""
        resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in self._servers]
        resolver.timeout = self._try_s
        resolver.cache = None
        resolver.use_edns(0, 0, EDNS_BYTES)
        # AD in a question asks to be told whether DNSSEC was checked (RFC 6840, 5.7).
        resolver.set_flags(dns.flags.RD | dns.flags.AD)
        return resolver

    def _read(self, name: dns.name.Name, response: dns.message.QueryMessage) -> TxtAnswer | LookupFailure:
        found = response.get_rrset(response.answer, name, dns.rdataclass.IN, dns.rdatatype.TXT)
        texts = [record for record in found or () if isinstance(record, dns.rdtypes.ANY.TXT.TXT)]
        if sum(len(string) for text in texts for string in text.strings) > self._max_bytes:
            return LookupFailure.TOO_LARGE
        # The root says no for a whole top-level domain: so does a resolver that was cut off and given an empty root of its own.
        zones = [one.name for one in response.authority if one.rdtype is dns.rdatatype.SOA and one.name != dns.name.root]
        return TxtAnswer(
            records=tuple(b"".join(text.strings) for text in texts),
            is_alias=any(one.rdtype in _ALIASES for one in response.answer),
            is_denied=not texts and any(name.is_subdomain(zone) for zone in zones),
            is_validated=bool(response.flags & dns.flags.AD),
        )


def name_servers(text: str) -> tuple[Socket, ...]:
    """Addresses with or without a port, separated by commas; none for an empty text. Raises ValueError that names the wrong one."""
    found = tuple(_server(part.strip()) for part in text.split(",") if part.strip())
    if len(found) > MAX_SERVERS:
        raise ValueError(f"{len(found)} name servers are too many; name {MAX_SERVERS} at most")
    return found


def _server(text: str) -> Socket:
    host, port = text, str(DNS_PORT)
    if text.startswith("[") and "]" in text:
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") if rest else port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = ipaddress.ip_address(host).compressed
    except ValueError:
        raise ValueError(f"{text!r} is no name server; write an address such as 192.0.2.53 or [2001:db8::53]:5353") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(f"{text!r} names no port between 1 and 65535")
    return address, int(port)
