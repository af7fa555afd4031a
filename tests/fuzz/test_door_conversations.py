"""Random conversations with the real doors: known answers, no second message, no crash, no leak, no exception's text.

Half of them SMTP, half milter, some at a time; the numbers are the seeds, so that a failure comes back:
PRACTICUM_FUZZ_FROM=n begins there, PRACTICUM_FUZZ=n plays n (`make fuzz`: 100,000).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.message.reply import REPLIES
from tests.fuzz.conversations import milter_conversation, smtp_conversation

COUNT = int(os.environ.get("PRACTICUM_FUZZ", "400"))
FIRST = int(os.environ.get("PRACTICUM_FUZZ_FROM", "0"))
AT_ONCE = 16
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300 if COUNT < 10_000 else 3 * 3600)]

_OF_THE_HOP = re.compile(
    r"250 2\.(1\.0 Ok|1\.5 Ok|0\.0 Ok: stored|0\.0 Ok)|550 5\.1\.1 none|252 2\.0\.0 perhaps"
    r"|554 5\.5\.1 Error: no valid recipients|502 5\.5\.2 Error: command not recognized"
)
_OWN = {f"{entry.code} {text}" for entry in REPLIES.values() for text in entry.lines}
_FILLED = {
    "220 gateway.example ESMTP Practicum Gateway", "250 gateway.example", "250 2.0.0 held for review ref=REF",
    "550 5.7.1 rule=r ref=REF no", "250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT",
    "250 SMTPUTF8", "250 DSN", "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE",
}  # fmt: skip
_EDITS = {b"h", b"i", b"m", b"b", b"p"}


def is_known(line: str) -> bool:
    """True for a line of the table, of an EHLO answer, or of the next hop."""
    return line in _OWN or line in _FILLED or line.startswith("250-") or bool(_OF_THE_HOP.fullmatch(line))


class Doors:
    """The process with both doors."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.doors_under_fuzz"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if not key.startswith("COV_CORE")},
        )
        assert self.process.stdout is not None
        self.ports: dict[str, int] = json.loads(self.process.stdout.readline())

    def status(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def at_rest(self) -> dict[str, Any]:
        """What there is to know when every session has ended."""
        deadline = time.monotonic() + 30
        while (status := self.status())["sessions"]:
            assert time.monotonic() < deadline, f"sessions do not end: {status}"
            time.sleep(0.05)
        return status


@pytest.fixture
def doors() -> Iterator[Doors]:
    running = Doors()
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


async def play(port: int, pieces: list[bytes]) -> bytes:
    """One conversation; all that the door said. The door may end it at any time, and has to end it at its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = bytearray()

    async def hear() -> None:
        with contextlib.suppress(OSError):
            while octets := await reader.read(65_536):
                heard.extend(octets)

    hearing = asyncio.create_task(hear())
    with contextlib.suppress(OSError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    async with asyncio.timeout(120):
        await hearing
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return bytes(heard)


def smtp_faults(heard: bytes) -> list[str]:
    lines = heard.decode("utf-8", "replace").split("\r\n")
    return [line for line in lines[:-1] if not is_known(line)] + ([lines[-1]] if lines[-1] else [])


def milter_faults(heard: bytes) -> list[str]:
    """What is no whole packet of ours, no answer of a milter, or a reply that does not stand in the table."""
    faults, at = [], 0
    while at < len(heard):
        (length,) = struct.unpack_from(">I", heard, at) if len(heard) >= at + 4 else (0,)
        packet = heard[at + 4 : at + 4 + length]
        if not length or len(packet) < length:
            return [*faults, f"no packet: {heard[at : at + 40]!r}"]
        letter = packet[:1]
        match letter:
            case b"y":
                is_fine = is_known(packet[1:-1].replace(b"%%", b"%").decode())
            case b"q":
                is_fine = packet == b"qheld for review ref=REF\0"
            case _:
                is_fine = letter in {b"O", b"a", b"c", b"d"} or letter in _EDITS
        if not is_fine:
            faults.append(repr(packet))
        at += 4 + length
    return faults


async def play_numbers(doors: Doors, first: int, count: int) -> dict[str, int]:
    """Play these conversations, a few at a time, up to the first fault; how many messages the doors said they took."""
    numbers, said = iter(range(first, first + count)), {"stored": 0, "accepted": 0}

    async def player() -> None:
        for number in numbers:
            is_smtp = number % 2 == 0
            pieces = smtp_conversation(number) if is_smtp else milter_conversation(number)
            try:
                heard = await play(doors.ports["smtp" if is_smtp else "milter"], pieces)
            except TimeoutError:
                raise AssertionError(f"conversation {number} has no end") from None
            if number % 10_000 == 0:
                print(f"{number} so far", flush=True)
            faults = smtp_faults(heard) if is_smtp else milter_faults(heard)
            assert faults == [], f"conversation {number}: {faults}"
            said["stored"] += heard.count(b"250 2.0.0 Ok: stored\r\n")
            said["accepted"] += heard.count(b"\0\0\0\x01a")

    await asyncio.gather(*(player() for _ in range(AT_ONCE)))
    return said


def test_random_conversations_get_known_answers_and_leave_nothing_behind(doors: Doors) -> None:
    warm_up = max(COUNT // 10, 200)
    began = time.monotonic()
    said = asyncio.run(play_numbers(doors, FIRST, warm_up))
    before = doors.at_rest()
    more = asyncio.run(play_numbers(doors, FIRST + warm_up, max(COUNT - warm_up, 200)))
    after = doors.at_rest()
    stored, accepted = said["stored"] + more["stored"], said["accepted"] + more["accepted"]
    print(
        f"{COUNT} conversations in {time.monotonic() - began:.0f} s: {after['submissions']} messages, {stored} stored, "
        f"{accepted} accepted by milter; resident {before['resident'] >> 20} -> {after['resident'] >> 20} MB, "
        f"descriptors {before['descriptors']} -> {after['descriptors']}"
    )
    assert doors.process.poll() is None, "the process with the doors has ended"
    assert (after["bytes_in_flight"], after["under_way"]) == (0, 0)
    assert (after.get("broke", 0), after.get("told", 0), after.get("unclean", 0)) == (0, 0, 0)
    # No second message: each one that the next hop took was judged, and each one that a client was told of was taken.
    assert stored <= after["taken"] == after["relayed"] <= after["submissions"]
    assert stored > COUNT / 50
    assert accepted > COUNT / 50
    assert after["descriptors"] == before["descriptors"]
    assert after["resident"] - before["resident"] < 8 << 20
