"""A next hop that follows a script, for tests of sessions with it; no socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from gateway.outbound.relay import NextHopSession, RelayTimeouts
from gateway.outbound.wire import ReplyReader

AMPLE = RelayTimeouts(
    connect_s=10, greeting_s=10, command_s=10, data_start_s=10, data_block_s=10, data_end_s=10, farewell_s=0.2
)
"""Longer than a busy machine makes anybody wait. A farewell that nobody answers costs its time."""


class Wire:
    """A next hop that says the next of its lines whenever it was told one, and keeps what it was told.

    With `is_ended` it hangs up after the last.
    """

    def __init__(self, replies: list[bytes], *, is_ended: bool = False) -> None:
        self.reader = ReplyReader(limit=8192)
        self.octets = b""
        self.is_closed = False
        self._replies = replies
        self._is_ended = is_ended
        self._content_from: int | None = None

    def say(self) -> None:
        """Say the next reply."""
        if self._replies:
            said = self._replies.pop(0)
            self.reader.feed_data(said)
            self._content_from = len(self.octets) if said.startswith(b"354") else None
        if self._is_ended and not self._replies:
            self.reader.feed_eof()

    def write(self, octets: bytes) -> None:
        self.octets += bytes(octets)
        content = None if self._content_from is None else self.octets[self._content_from :]
        if content is None or content == b".\r\n" or content.endswith(b"\r\n.\r\n"):
            self.say()

    async def drain(self) -> None:
        if self.is_closed:
            raise ConnectionResetError

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def replies_in(octets: bytes) -> list[bytes]:
    """The octets cut after each reply; what is no whole reply stands last."""
    found, start = [], 0
    for line in re.findall(rb"[^\n]*\n|[^\n]+", octets):
        start += len(line)
        if line[3:4] != b"-":
            found.append(octets[:start])
            octets, start = octets[start:], 0
    return [*found, octets] if octets else found


def with_replies(
    said: bytes | list[bytes],
    work: Callable[[NextHopSession], Awaitable[object]],
    *,
    is_ended: bool = False,
    is_greeting: bool = False,
) -> Wire:
    """Run the work on a session whose next hop says these replies; what was written to it."""

    async def run() -> Wire:
        wire = Wire(replies_in(said) if isinstance(said, bytes) else said, is_ended=is_ended)
        if is_greeting:
            wire.say()
        await work(NextHopSession(wire.reader, wire, timeouts=AMPLE))  # type: ignore[arg-type]
        return wire

    return asyncio.run(run())
