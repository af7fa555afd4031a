"""The resolver against a DNS server on the loopback: real packets, and a server that keeps silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.amend.dns import DnsResolver
from gateway.amend.lookups import NO_ANSWER, Answer, Found, RecordKind

pytestmark = pytest.mark.integration

RECORDS = {
    ("mail.example.", "TXT"): ['"v=spf1 -all"', '"other"'],
    ("mail.example.", "MX"): ["20 b.mail.example.", "10 a.mail.example."],
    ("mail.example.", "A"): [],
}


class Server(asyncio.DatagramProtocol):
    """Answers from RECORDS; names below `silent.` get nothing."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.asked: list[str] = []

    def datagram_received(self, packet: bytes, sender: tuple[str, int]) -> None:
        question = dns.message.from_wire(packet)
        (asked,) = question.question
        name, kind = asked.name.to_text(), asked.rdtype.name
        self.asked.append(f"{name} {kind}")
        if name.endswith("silent."):
            return
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        if (name, kind) not in RECORDS:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif RECORDS[name, kind]:
            reply.answer.append(dns.rrset.from_text(asked.name, 300, "IN", kind, *RECORDS[name, kind]))
        self.transport.sendto(reply.to_wire(), sender)


def with_server(test: Callable[[Server, DnsResolver], Awaitable[None]], *, timeout_s: float = 20.0) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        try:
            await test(server, DnsResolver((("127.0.0.1", port),), timeout_s=timeout_s))
        finally:
            transport.close()

    asyncio.run(run())


def test_records_absent_records_and_absent_names_come_back_as_such() -> None:
    async def test(server: Server, resolver: DnsResolver) -> None:
        assert set((await resolver.lookup("mail.example", RecordKind.TXT)).records) == {"v=spf1 -all", "other"}
        assert (await resolver.lookup("mail.example", RecordKind.MX)).records == ("a.mail.example", "b.mail.example")
        assert await resolver.lookup("mail.example", RecordKind.A) == Answer(found=Found.NO_RECORDS)
        assert await resolver.lookup("no.example", RecordKind.A) == Answer(found=Found.NO_NAME)
        before = len(server.asked)
        await resolver.lookup("MAIL.example", RecordKind.TXT)
        assert len(server.asked) == before

    with_server(test)


def test_a_server_that_keeps_silent_is_no_answer() -> None:
    async def test(server: Server, resolver: DnsResolver) -> None:
        assert await resolver.lookup("a.silent", RecordKind.TXT) == NO_ANSWER
        assert server.asked

    with_server(test, timeout_s=0.5)


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    resolver = DnsResolver((("127.0.0.1", port),), timeout_s=0.5)
    assert asyncio.run(resolver.lookup("mail.example", RecordKind.TXT)) == NO_ANSWER
