"""The wire to the next hop: a connection, its replies as lines, and content as it stands between DATA and its answer.

No commands and no timeouts (`gateway.outbound.relay` has them, and alone opens connections with `connect`). RFC 5321
(replies 4.2.1, transparency 4.5.2).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import SupportsIndex

from gateway.message.reply import Reply
from gateway.message.search import find_mark
from gateway.outbound.patience import Patience

END = b".\r\n"
"""The final dot, which ends the content."""

_MAX_REPLY_LINES = 200
_MAX_REPLY_LINE_BYTES = 8192
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotSmtp(Exception):
    """What the next hop sent is no SMTP reply."""


class ReplyReader(asyncio.StreamReader):
    """The replies of the next hop; it knows whether octets came that no reply has taken yet.

    When its `patience` is over, whoever waits for a reply or for octets to leave gets TimeoutError; nothing is read
    after that.
    """

    _unread_bytes = 0

    def __init__(self, *, limit: int, loop: asyncio.AbstractEventLoop | None = None) -> None:
        loop = loop or asyncio.get_running_loop()
        super().__init__(limit=limit, loop=loop)
        self.patience = Patience(loop, self._be_late)
        self.protocol: asyncio.StreamReaderProtocol | None = None

    @property
    def is_writing_paused(self) -> bool:
        """False if everything that is written leaves at once, so that nobody need wait for it."""
        return self.protocol is None or bool(self.protocol._paused)  # type: ignore[attr-defined]  # noqa: SLF001

    def _be_late(self) -> None:
        self.set_exception(TimeoutError())
        if self.protocol is not None and self.is_writing_paused:
            self.protocol.resume_writing()

    @property
    def has_more(self) -> bool:
        """True if octets have come that no reply has taken yet."""
        return self._unread_bytes > 0

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Called by the transport."""
        octets = bytes(data)
        self._unread_bytes += len(octets)
        super().feed_data(octets)

    async def reply(self) -> Reply:
        """The next reply. Raises NotSmtp, IncompleteReadError or LimitOverrunError."""
        lines: list[str] = []
        code = b""
        while len(lines) < _MAX_REPLY_LINES:
            raw = await self._line()
            match = _REPLY_LINE.fullmatch(raw.rstrip(b"\r\n"))
            if match is None or (lines and match[1] != code):  # RFC 5321 section 4.2.1: each line has the same code
                raise NotSmtp
            code = match[1]
            lines.append(_CONTROLS.sub(" ", (match[3] or b"").decode("utf-8", "replace")))
            if match[2] != b"-":
                return Reply(code=int(match[1]), lines=tuple(lines))
        raise NotSmtp

    async def _line(self) -> bytes:
        line = await self.readuntil(b"\n")
        self._unread_bytes -= len(line)
        return line


async def connect(host: str, port: int) -> tuple[ReplyReader, asyncio.StreamWriter]:
    """As asyncio.open_connection, with a reader of our own."""
    loop = asyncio.get_running_loop()
    reader = ReplyReader(limit=_MAX_REPLY_LINE_BYTES, loop=loop)
    protocol = reader.protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.create_connection(lambda: protocol, host, port)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def dot_stuffed(content: bytes) -> bytes:
    """The content on the wire: leading dots doubled, the line ended, and the final dot (RFC 5321 section 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..") if find_mark(content, b"\r\n.") >= 0 else content
    first = b"." if stuffed.startswith(b".") else b""
    end = END if not stuffed or stuffed.endswith(b"\r\n") else b"\r\n" + END
    return b"".join((first, stuffed, end))
