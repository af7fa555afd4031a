"""The milter door as a whole: addresses, many connections, draining, closing, hostile peers beside honest ones."""

from __future__ import annotations

import asyncio
import concurrent.futures
import random
import socket
import stat
import threading
from pathlib import Path

import pytest
import uvloop

from gateway.doors.milter import MilterDoor
from gateway.doors.milter_settings import MilterDoorSettings
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from tests.integration.milter_doors import OFFER, MtaSide, running_milter
from tests.integration.servers import wait_until

SENDER, RECIPIENT = b"ada@agency.example", (b"jo@mail.example",)
LOOPS = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


async def stamp(submission: Submission, delivery: Delivery) -> Reply:
    return await delivery.deliver(b"X-Seen: yes\r\n" + submission.raw)


def message(number: int) -> bytes:
    return b"Subject: %d\r\n\r\nHello.\r\n" % number


@LOOPS
def test_a_unix_socket_is_for_owner_and_group_and_goes_with_the_door(tmp_path: Path, new_loop: object) -> None:
    path = tmp_path / "milter"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with running_milter(stamp, path=path, new_loop=new_loop) as door:  # type: ignore[arg-type]
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with MtaSide(door.address) as mta:
            mta.negotiate()
            assert [letter for letter, _ in mta.message(SENDER, RECIPIENT, message(1))] == [b"i", b"a"]
    assert not path.exists()


def test_an_address_that_is_taken_opens_nothing() -> None:
    async def start() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            settings = MilterDoorSettings(
                listen=(("127.0.0.1", 0), taken.getsockname()[:2]), host_name="gateway.example"
            )
            door = MilterDoor(settings, stamp, new_id=str, now=lambda: None)  # type: ignore[arg-type, return-value]
            with pytest.raises(OSError):
                await door.start()
            assert door.addresses == ()

    asyncio.run(start())


def test_connections_beyond_the_limit_are_closed_and_the_others_go_on() -> None:
    with running_milter(stamp, max_connections=2) as door, MtaSide(door.address) as one, MtaSide(door.address) as two:
        one.negotiate()
        two.negotiate()
        with MtaSide(door.address) as three:
            assert three.read() is None
        assert one.message(SENDER, RECIPIENT, message(1))[-1] == (b"a", b"")
        one.send(b"Q")
        assert one.read() is None
        wait_until(lambda: door.door.open_sessions == 1, 5, "one session")
        with MtaSide(door.address) as four:
            four.negotiate()


@LOOPS
def test_draining_waits_for_the_message_under_way_and_for_no_other_connection(new_loop: object) -> None:
    begun, may_end = threading.Event(), threading.Event()

    async def wait(submission: Submission, delivery: Delivery) -> Reply:
        begun.set()
        await asyncio.to_thread(may_end.wait, 20)
        return await delivery.deliver(submission.raw)

    with (
        running_milter(wait, new_loop=new_loop) as door,  # type: ignore[arg-type]
        MtaSide(door.address) as busy,
        MtaSide(door.address) as resting,
        concurrent.futures.ThreadPoolExecutor(2) as threads,
    ):
        resting.negotiate()
        busy.negotiate()
        answer = threads.submit(busy.message, SENDER, RECIPIENT, message(1))
        assert begun.wait(10)
        door.loop.call_soon_threadsafe(door.door.stop_accepting)
        drained = threads.submit(door.call, door.door.drain(20))
        assert resting.read() is None
        assert door.door.messages_under_way == 1
        may_end.set()
        assert answer.result(10) == [(b"a", b"")]
        assert drained.result(10) is True
        assert busy.read() is None


def test_closing_gives_no_answer_to_a_message_under_way() -> None:
    begun = threading.Event()

    async def wait(submission: Submission, delivery: Delivery) -> Reply:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    with (
        running_milter(wait) as door,
        MtaSide(door.address) as mta,
        concurrent.futures.ThreadPoolExecutor(1) as threads,
    ):
        mta.negotiate()
        answer = threads.submit(mta.message, SENDER, RECIPIENT, message(1))
        assert begun.wait(10)
        assert door.call(door.door.drain(0.01)) is False
        door.call(door.door.close())
        with pytest.raises(AssertionError, match="closed the connection"):
            answer.result(10)
        assert door.door.open_sessions == door.door.bytes_in_flight == 0


def garbage(chance: random.Random) -> bytes:
    """One packet that is wrong in one of several ways, or right and out of place."""
    letter = bytes([chance.choice(b"ABCDEHKLMNOQRTUzy\0\xff")])
    octets = chance.choice(
        (
            chance.randbytes(chance.randrange(40)),
            OFFER,
            b"<a@b.example>\0",
            b"Subject\0 x\0",
            b"\0" * chance.randrange(20),
            b"M" + b"\0".join([b"{auth_authen}", chance.randbytes(5)]) + b"\0",
        )
    )
    length = chance.choice([len(octets) + 1] * 6 + [0, 3, 70_000, 0xFFFFFFFF])
    return length.to_bytes(4, "big") + letter + octets


@pytest.mark.slow
@LOOPS
def test_20000_packets_of_garbage_hurt_no_other_connection(new_loop: object) -> None:
    chance = random.Random(5)
    with running_milter(stamp, new_loop=new_loop) as door, MtaSide(door.address) as honest:  # type: ignore[arg-type]
        honest.negotiate()
        count = 0
        while count < 20_000:
            with MtaSide(door.address, timeout_s=5) as hostile:
                beginning = (len(OFFER) + 1).to_bytes(4, "big") + b"O" + OFFER if chance.random() < 0.8 else b""
                packets = [garbage(chance) for _ in range(40)]
                count += len(packets)
                hostile.socket.sendall(beginning + b"".join(packets))
                hostile.socket.shutdown(socket.SHUT_WR)
                while hostile.read() is not None:
                    pass
            if count % 2_000 == 0:
                assert honest.message(SENDER, RECIPIENT, message(count))[-1] == (b"a", b"")
        wait_until(lambda: door.door.open_sessions == 1, 10, "the hostile connections gone")
        assert door.door.bytes_in_flight == 0
