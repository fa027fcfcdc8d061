"""A name server on 127.0.0.1, UDP and TCP on one port: it says what a test wrote into its zone, or what the test makes it say instead."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

PLAIN_BYTES = 512
"""What a question without EDNS may be answered with over UDP."""
Said = Callable[[dns.message.Message], dns.message.Message | None]


class NameServer:
    """`records` hold, by full name, TXT records as lists of strings, or the name that an alias points to. `said` changes every answer.

    `asked` are the questions in their order, as transport and name. One that `checks_dnssec` says so to whoever asks to be told.
    """

    def __init__(self, zone: str = "museum.example") -> None:
        self.zone = dns.name.from_text(zone)
        self.records: dict[str, list[list[str]] | str] = {}
        self.said: Said = lambda answer: answer
        self.has_soa = True
        self.checks_dnssec = False
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def hold(self, name: str, *lines: str) -> None:
        """One record of one string for each line."""
        self.records[name] = [[line] for line in lines]

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        """The answer to a message, cut where it does not fit; None where nothing is answered at all."""
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        self.asked.append((transport, asked.name.to_text(omit_final_dot=True)))
        answer = self.said(self._answer(question))
        if answer is None:
            return None
        if transport == "tcp":
            return answer.to_wire(max_size=65_535)
        room = question.payload if question.edns >= 0 else PLAIN_BYTES
        return answer.to_wire(max_size=max(room, PLAIN_BYTES), prefer_truncation=True)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question, recursion_available=True)
        if self.checks_dnssec and question.flags & dns.flags.AD:
            answer.flags |= dns.flags.AD
        asked = question.question[0]
        held = self.records.get(asked.name.to_text(omit_final_dot=True).lower())
        if isinstance(held, str):
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", "CNAME", f"{held}."))
            self._add(answer, dns.name.from_text(held), self.records.get(held))
        elif held is not None:
            self._add(answer, asked.name, held)
        elif not any(name.endswith(asked.name.to_text(omit_final_dot=True)) for name in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if not answer.answer and self.has_soa:
            server, person = (dns.name.from_text(label, self.zone) for label in ("ns", "host"))
            soa = f"{server} {person} 1 60 60 60 60"
            answer.authority.append(dns.rrset.from_text(self.zone, 60, "IN", "SOA", soa))
        return answer

    def _add(self, answer: dns.message.Message, name: dns.name.Name, held: Any) -> None:
        if isinstance(held, list) and held:
            texts = [" ".join(f'"{string}"' for string in strings) for strings in held]
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", texts))


def failing(rcode: dns.rcode.Rcode) -> Said:
    """Every answer is this code and nothing else."""

    def said(answer: dns.message.Message) -> dns.message.Message:
        answer.set_rcode(rcode)
        answer.sections = [answer.question, [], [], []]
        return answer

    return said


@asynccontextmanager
async def name_server(zone: str = "museum.example") -> AsyncIterator[NameServer]:
    """One that listens until the end of the block."""
    server = NameServer(zone)
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(lambda reader, writer: _serve(server, reader, writer), "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(server), local_addr=("127.0.0.1", server.port))
    try:
        yield server
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._server.answer(data, "udp")
        if answer is not None:
            self._transport.sendto(answer, addr)


async def _serve(server: NameServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        answer = server.answer(await reader.readexactly(length), "tcp")
        if answer is not None:
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()
            await reader.read()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
