"""Sessions on a transport in memory: what needs no next hop. The rest is in tests/protocol."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.doors.smtp import SmtpDoor
from gateway.doors.smtp_settings import SmtpDoorSettings
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from gateway.outbound.relay import NextHop


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; `peer` is the address of the client."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 4711)})
        self.said = b""
        self.is_closed = False

    def write(self, octets: object) -> None:
        self.said += bytes(octets)  # type: ignore[call-overload]

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def never(submission: Submission, delivery: Delivery) -> Reply:
    raise AssertionError("no message was expected")


def door(**settings: object) -> SmtpDoor:
    chosen: dict[str, object] = {
        "listen": (),
        "next_hop": NextHop(host="127.0.0.1", port=1, ehlo_name="gateway.example"),
        "trusted_clients": (ipaddress.ip_network("127.0.0.0/8"),),
        "host_name": "gateway.example",
    } | settings
    return SmtpDoor(
        SmtpDoorSettings(**chosen),  # type: ignore[arg-type]
        never,
        new_id=lambda: "m1",
        now=lambda: datetime.now(UTC),
    )


def talk(octets: bytes, *, peer: str = "192.0.2.9", of: Callable[[], SmtpDoor] = door) -> list[str]:
    """All lines that a session says to these octets, sent at once and then ended."""

    async def run() -> list[str]:
        session = of()._new_session()
        transport = MemoryTransport(peer)
        session.connection_made(transport)
        session.data_received(octets)
        session.eof_received()
        async with asyncio.timeout(5):
            await session._conversation
        assert transport.is_closed
        return transport.said.decode().splitlines()

    return asyncio.run(run())


def test_a_stranger_is_greeted_and_may_not_send() -> None:
    said = talk(b"EHLO x\r\nMAIL FROM:<ada@agency.example>\r\nQUIT\r\n")
    assert said[0] == "220 gateway.example ESMTP Practicum Gateway"
    assert said[-2:] == ["550 5.7.1 Relaying denied", "221 2.0.0 Bye"]


def test_a_stranger_may_not_tell_who_he_is() -> None:
    assert talk(b"XCLIENT LOGIN=a\r\nXFORWARD ADDR=127.0.0.1\r\n")[1:] == ["550 5.7.1 Relaying denied"] * 2


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\x01OP\r\n", b"EHLO \r\n", b"HELO " + b"x" * 256 + b"\r\n"])
def test_a_line_that_is_no_command_line_is_a_syntax_error(line: bytes) -> None:
    assert talk(line)[1:] == ["501 5.5.4 Syntax error"]


@pytest.mark.parametrize("length", [5000, 300_000])
def test_an_endless_line_is_refused_once(length: int) -> None:
    assert talk(b"x" * length + b"\r\nNOOP\r\n")[1:] == ["500 5.5.6 Line too long", "250 2.0.0 Ok"]


def test_a_line_without_its_end_is_not_obeyed() -> None:
    assert talk(b"QUIT")[1:] == []


def test_many_errors_end_the_session() -> None:
    said = talk(b"A\r\n" * 100, of=lambda: door(max_errors=3))
    assert said[1:] == ["500 5.5.2 Error: command not recognized"] * 2 + [
        "421 4.7.0 Too many errors, closing the connection"
    ]


def test_a_door_counts_its_sessions_and_forgets_them() -> None:
    async def run() -> None:
        one = door(max_connections=1)
        first, second = one._new_session(), one._new_session()
        assert one.enter(first)
        assert not one.enter(second)
        assert one.open_sessions == 1
        one.leave(first)
        assert one.enter(second)
        one.leave(second)
        assert (one.open_sessions, one.messages_under_way, one.bytes_in_flight) == (0, 0, 0)
        assert await one.drain(0)

    asyncio.run(run())
