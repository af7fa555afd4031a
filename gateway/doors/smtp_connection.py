"""The connection below an SMTP session: lines and chunks in, replies out, time limits, STARTTLS, the end.

Not the commands (`gateway.doors.smtp_session`, its subclass). aiosmtpd gives the protocol and its streams; its
command loop, its one timer and its cancelling at a client's EOF are replaced: a client that goes away never cancels a
message under way. RFC 5321 sections 2.3.8, 3.8 and 4.5.3.2, RFC 3207.
"""

from __future__ import annotations

import asyncio
import ssl

from aiosmtpd.smtp import SMTP

from gateway.doors.smtp_onward import Onward
from gateway.doors.smtp_settings import DoorState, SessionRegister
from gateway.message.reply import Reply, reply

CHUNK_BYTES = 262_144
_LINGER_S = 2.0


class ClientGone(Exception):
    """The client has gone, or has to go; what was to be said has been said."""


class SmtpConnection(SMTP):
    """One connection. Every reply said here is the next hop's or stands in the reply table."""

    line_length_limit = CHUNK_BYTES // 2  # the stream pauses at twice this: bounds what one silent reader costs

    def __init__(self, state: DoorState, register: SessionRegister) -> None:
        super().__init__(None, hostname=state.settings.host_name, loop=asyncio.get_running_loop())
        self._state = state
        self._settings = state.settings
        self._register = register
        self._onward = Onward(state.settings.next_hop, state.memory)
        self._pending = bytearray()
        self._waiting: asyncio.Timeout | None = None
        self.is_cut_short = False

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone: the reader ends, the message under way does not."""
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None

    def eof_received(self) -> bool | None:
        """The client will say no more; it may still want the answer."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """No timer of aiosmtpd's: each wait has its own."""

    def hurry(self) -> None:
        """The door drains: 421 at once while the session waits for a command, else after the message under way."""
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def end(self) -> None:
        """Cancel the session, with whatever is under way, and wait until it is gone."""
        task = self._handler_coroutine
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _handle_client(self) -> None:
        is_entered = self._register.enter(self)
        try:
            if is_entered:
                await self.converse()
            else:
                await self.say(reply("too_many_connections"))
        except (ClientGone, OSError):
            pass
        except asyncio.CancelledError:
            self._onward.close()
            raise
        finally:
            try:
                await self._onward.quit()
                await self._let_read()
            finally:
                self._writer.close()
                if is_entered:
                    self._register.leave(self)

    async def _let_read(self) -> None:
        """After a refusal that ends the session: take what still comes, so that no reset overtakes our reply."""
        if not self.is_cut_short or self._writer.is_closing() or not self._writer.can_write_eof():
            return
        try:
            async with asyncio.timeout(_LINGER_S):
                self._writer.write_eof()
                while await self._reader.read(CHUNK_BYTES):
                    pass
        except (TimeoutError, OSError):
            return

    async def converse(self) -> None:
        """Greet, and answer commands until the end. Raises ClientGone or OSError then."""
        raise NotImplementedError

    async def say(self, answer: Reply) -> None:
        """Send a reply. Raises ClientGone after 421, and if the client does not read."""
        if self._writer.is_closing():  # uvloop raises RuntimeError for a write after the end
            raise ClientGone
        self._writer.write(answer.wire())
        try:
            async with asyncio.timeout(self._settings.timeouts.reply_s):
                await self._writer.drain()
        except TimeoutError:
            raise ClientGone from None
        if answer.code == 421:  # RFC 5321 section 3.8: the channel closes
            raise ClientGone

    async def next_line(self) -> bytes:
        """The next line with its line end. One that is too long comes without its middle, and longer than allowed."""
        limit = self._settings.max_command_bytes
        kept = b""
        while True:
            end = self._pending.find(b"\n")
            if end >= 0:
                line = kept + bytes(self._pending[: end + 1])
                del self._pending[: end + 1]
                if self._state.is_draining:
                    await self.say(reply("shutting_down"))
                return line
            if len(self._pending) > limit:
                kept = bytes(self._pending[: limit + 1])
                self._pending.clear()
            self._pending += await self._command_octets()

    async def _command_octets(self) -> bytes:
        try:
            async with asyncio.timeout(self._settings.timeouts.command_s) as self._waiting:
                if self._state.is_draining:
                    self.hurry()
                chunk = await self._reader.read(CHUNK_BYTES)
        except TimeoutError:
            await self.say(reply("shutting_down" if self._state.is_draining else "timeout"))
            raise ClientGone from None
        finally:
            self._waiting = None
        if not chunk:
            raise ClientGone
        return chunk

    async def data_octets(self) -> bytes:
        """The next octets of a message's content.

        Raises ClientGone if the client has ended, TimeoutError after the block's time.
        """
        if self._pending:
            chunk = bytes(self._pending)
            self._pending.clear()
            return chunk
        async with asyncio.timeout(self._settings.timeouts.data_block_s):
            chunk = await self._reader.read(CHUNK_BYTES)
        if not chunk:
            raise ClientGone
        return chunk

    def put_back(self, octets: bytes) -> None:
        """Octets that followed the content: the next commands of a pipelining client."""
        self._pending[:0] = octets

    async def turn_on_tls(self, context: ssl.SSLContext) -> None:
        """Say 220 and shake hands. Raises ClientGone if that fails, or if something came in the clear with STARTTLS.

        RFC 3207 section 4.2: nothing that came in the clear may be read as if it had come protected.
        """
        if self._has_early_octets():
            await self.say(reply("bad_sequence"))
            raise ClientGone
        await self.say(reply("start_tls"))
        if self._has_early_octets():
            raise ClientGone
        try:
            await self._writer.start_tls(context, ssl_handshake_timeout=self._settings.timeouts.tls_handshake_s)
        except OSError:
            raise ClientGone from None

    def _has_early_octets(self) -> bool:
        """True if the client has sent more than was asked for: here, or in the stream, which tells it to nobody."""
        return bool(self._pending or self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001
