"""Connections that wait for the next client: which are kept, for how long, and that no client pays for another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from unittest import mock

import pytest

from gateway.doors.smtp_grammar import Path
from gateway.doors.smtp_keywords import KeywordMemory
from gateway.doors.smtp_onward import Onward
from gateway.outbound.idle import IdleHops
from gateway.outbound.relay import NextHop, NextHopSession
from tests.unit.outbound.next_hop import AMPLE, Wire

TO = Path(address="luc@agency.example", parameters=())
FROM = Path(address="ada@agency.example", parameters=())
WELL = [b"250 mail\r\n", b"250 rcpt\r\n", b"354 data\r\n", b"250 taken\r\n"]


def a_session(replies: list[bytes]) -> tuple[NextHopSession, Wire]:
    wire = Wire(list(replies))
    return NextHopSession(wire.reader, wire, timeouts=AMPLE), wire  # type: ignore[arg-type]


def hop_of(*sessions: NextHopSession) -> NextHop:
    hop = mock.Mock(spec=NextHop)
    hop.open = mock.AsyncMock(side_effect=list(sessions))
    return hop


async def a_message(onward: Onward) -> int:
    await onward.mail(FROM, {})
    await onward.rcpt(TO)
    return (await onward.deliver(b"Hi\r\n")).code


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


def test_a_clean_connection_serves_the_next_client() -> None:
    async def work() -> None:
        session, wire = a_session([*WELL, *WELL, b"221 bye\r\n"])
        idle, hop = IdleHops(5), hop_of(session)
        for _ in range(2):
            onward = Onward(hop, KeywordMemory(), idle)
            assert await a_message(onward) == 250
            await onward.quit()
        assert hop.open.await_count == 1
        assert b"QUIT" not in wire.octets
        await idle.close()
        assert wire.octets.endswith(b"QUIT\r\n")

    run(work)


@pytest.mark.parametrize(
    "replies",
    [
        [b"550 mail\r\n"],
        [b"250 mail\r\n", b"550 rcpt\r\n"],
        [b"250 mail\r\n", b"250 rcpt\r\n", b"554 data\r\n", b"250 reset\r\n"],
        [b"250 mail\r\n", b"250 rcpt\r\n", b"354 data\r\n", b"451 later\r\n", b"250 reset\r\n"],
    ],
    ids=["MAIL", "RCPT", "DATA", "content"],
)
def test_one_on_which_something_was_refused_is_not_kept(replies: list[bytes]) -> None:
    async def work() -> None:
        session, wire = a_session([*replies, b"221 bye\r\n"])
        idle = IdleHops(5)
        onward = Onward(hop_of(session), KeywordMemory(), idle)
        answer = await onward.mail(FROM, {})
        if answer.is_positive and (await onward.rcpt(TO)).is_positive:
            await onward.deliver(b"Hi\r\n")
        else:
            await onward.abandon()
        await onward.quit()
        assert idle.take() is None
        assert not session.is_open
        assert b"QUIT" in wire.octets

    run(work)


def test_a_kept_one_that_has_gone_meanwhile_is_opened_anew_once() -> None:
    async def work() -> None:
        first, wire = a_session([*WELL, b"421 too long\r\n"])
        second, _ = a_session(WELL)
        idle, hop = IdleHops(5), hop_of(first, second)
        for _ in range(2):
            onward = Onward(hop, KeywordMemory(), idle)
            assert await a_message(onward) == 250
            await onward.quit()
        assert hop.open.await_count == 2
        assert wire.is_closed

    run(work)


def test_a_login_never_begins_on_a_kept_one_and_is_never_kept() -> None:
    async def work() -> None:
        kept, _ = a_session([*WELL, b"221 bye\r\n"])
        own, wire = a_session([b"235 in\r\n", *WELL, b"221 bye\r\n"])
        idle = IdleHops(5)
        before = Onward(hop_of(kept), KeywordMemory(), idle)
        await a_message(before)
        await before.quit()
        onward = Onward(hop_of(own), KeywordMemory(), idle)
        assert (await onward.auth(b"AUTH PLAIN AGEAYg==")).code == 235
        assert await a_message(onward) == 250
        await onward.quit()
        assert b"QUIT" in wire.octets
        assert idle.take() is kept

    run(work)


def test_they_wait_for_their_time_and_no_longer() -> None:
    async def work() -> None:
        session, wire = a_session([b"221 bye\r\n"])
        idle = IdleHops(0.05)
        assert idle.keep(session)
        await asyncio.sleep(0.15)
        assert idle.take() is None
        assert wire.octets == b"QUIT\r\n"
        other, _ = a_session([])
        assert not IdleHops(0).keep(other)
        await idle.close()

    run(work)


def test_no_more_than_ten_are_kept() -> None:
    async def work() -> None:
        idle = IdleHops(5)
        kept = [idle.keep(a_session([b"221 bye\r\n"])[0]) for _ in range(12)]
        assert kept == [True] * 10 + [False] * 2
        await idle.close()

    run(work)
