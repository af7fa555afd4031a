"""The connection below an SMTP session: lines and chunks in, replies out, time limits, STARTTLS, the end.

Not the commands (`gateway.doors.smtp_session`, its subclass). A protocol of our own on asyncio's streams, and not
aiosmtpd's, of which nothing was left but its cost a connection (ADR 0018): a client that goes away never cancels a
message under way, and each wait has its own time. RFC 5321 sections 2.3.8, 3.8 and 4.5.3.2, RFC 3207.
"""

from __future__ import annotations

import asyncio
import ssl

from gateway.doors.proxy_header import NoProxyHeader, read_proxied_address
from gateway.doors.smtp_grammar import ip_address_of
from gateway.doors.smtp_onward import Onward
from gateway.doors.smtp_settings import DoorState, SessionRegister
from gateway.message.reply import Reply, reply
from gateway.outbound.patience import Patience

CHUNK_BYTES = 262_144
_STREAM_BYTES = CHUNK_BYTES // 2  # the stream pauses at twice this: bounds what one silent reader costs
_LINGER_S = 2.0


class ClientGone(Exception):
    """The client has gone, or has to go; what was to be said has been said."""


class SmtpConnection(asyncio.StreamReaderProtocol):
    """One connection. Every reply said here is the next hop's or stands in the reply table."""

    _writer: asyncio.StreamWriter

    def __init__(self, state: DoorState, register: SessionRegister) -> None:
        self._event_loop = loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_STREAM_BYTES, loop=loop)
        super().__init__(self._reader, _serves, loop=loop)  # with a callback, `start_tls` knows that we are the server
        self._state = state
        self._settings = state.settings
        self._register = register
        self._onward = Onward(state.settings.next_hop, state.memory, state.idle_hops, accepted=state.accepted)
        self._pending = bytearray()
        self._patience = Patience(loop, self._be_late)
        self._is_waiting_for_command = False
        self._data_end_s = 0.0
        self._gives_way = False
        self._handshake: asyncio.Timeout | None = None
        self._peer_ip: str | None = None
        self._conversation: asyncio.Task[None] | None = None
        self.is_cut_short = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        super().connection_made(transport)
        self._writer = self._stream_writer  # type: ignore[attr-defined]
        self._conversation = self._event_loop.create_task(self._handle_client())

    def _be_late(self) -> None:
        """The time of a wait is over: whoever reads or writes gets TimeoutError. Nothing is read after it."""
        self._reader.set_exception(TimeoutError())
        if self._paused:  # type: ignore[attr-defined]
            self.resume_writing()

    def hurry(self) -> None:
        """The door drains: 421 at once while the session waits for a command, else after the message under way."""
        if self._is_waiting_for_command:
            self._patience.hurry()

    @property
    def is_lingering(self) -> bool:
        """True if the content of a message comes in at next to nothing a second."""
        return False

    def give_way(self) -> None:
        """The door is full while this one waits for its client: it hears 421 now, even in the middle of its content."""
        self._gives_way = True
        if self._patience.is_waited_for:
            self._patience.hurry()
        elif self._handshake is not None:  # and not closed: asyncio takes the end of the connection for a success
            self._handshake.reschedule(self._event_loop.time())
        else:
            self._writer.close()  # in the PROXY header: nobody could read a reply

    async def end(self) -> None:
        """Cancel the session, with whatever is under way, and wait until it is gone."""
        task = self._conversation
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _handle_client(self) -> None:
        is_entered = self._register.enter(self)
        try:
            await self._learn_peer()
            if is_entered and not self._is_one_too_many():
                await self.converse()
            else:
                await self.say(reply("too_many_connections"))
        except (ClientGone, NoProxyHeader, OSError):
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
                self._patience.close()
                if is_entered:
                    self._register.leave(self)

    async def _learn_peer(self) -> None:
        peer = self._writer.get_extra_info("peername")
        self._peer_ip = ip_address_of(str(peer[0])) if isinstance(peer, tuple) else None
        if self._peer_ip is not None and self._settings.is_proxy(self._peer_ip):
            self._peer_ip = await read_proxied_address(self._reader, self._peer_ip)

    def _is_one_too_many(self) -> bool:
        """True if this client is not trusted and has too many connections open already."""
        host = self._peer_ip
        return host is not None and not self._settings.trusts(host) and self._register.is_one_too_many_of(self, host)

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
        if self._paused:  # type: ignore[attr-defined]
            await self._until_read()
        if answer.code == 421:  # RFC 5321 section 3.8: the channel closes
            raise ClientGone

    async def _until_read(self) -> None:
        """Wait until the client has read what was said. Raises ClientGone if it does not."""
        self._patience.begin(self._settings.timeouts.reply_s)
        try:
            await self._writer.drain()
        except TimeoutError:
            raise ClientGone from None
        finally:
            self._patience.end()
        if self._reader.exception() is not None:
            raise ClientGone

    async def next_line(self, max_bytes: int = 0) -> bytes:
        """The next line with its line end. One that is too long comes without its middle, and longer than allowed."""
        limit = max_bytes or self._settings.max_command_bytes
        kept = b""
        while True:
            end = self._pending.find(b"\n")
            if end >= 0:
                line = kept + bytes(self._pending[: end + 1])
                del self._pending[: end + 1]
                self._register.work(self)
                if self._state.is_draining:
                    await self.say(reply("shutting_down"))
                return line
            if len(self._pending) > limit:
                kept = bytes(self._pending[: limit + 1])
                self._pending.clear()
            self._register.wait(self)
            self._pending += await self._command_octets()

    async def _command_octets(self) -> bytes:
        self._is_waiting_for_command = True
        self._patience.begin(self._settings.timeouts.command_s)
        try:
            if self._state.is_draining:
                self.hurry()
            chunk = await self._reader.read(CHUNK_BYTES)
        except TimeoutError:
            if self._gives_way:
                await self.say(reply("too_many_connections"))
            await self.say(reply("shutting_down" if self._state.is_draining else "timeout"))
            raise ClientGone from None
        finally:
            self._is_waiting_for_command = False
            self._patience.end()
        if not chunk:
            raise ClientGone
        return chunk

    def begin_data(self) -> None:
        """The content of a message begins: all of it has to come in its time."""
        self._data_end_s = self._event_loop.time() + self._settings.timeouts.data_total_s

    async def data_octets(self) -> bytes:
        """The next octets of a message's content.

        Raises ClientGone if the client has ended, TimeoutError after the block's time or that of the whole content.
        """
        if self._pending:
            chunk = bytes(self._pending)
            self._pending.clear()
            return chunk
        left_s = self._data_end_s - self._event_loop.time()
        if left_s <= 0:
            raise TimeoutError
        self._patience.begin(min(self._settings.timeouts.data_block_s, left_s))
        try:
            chunk = await self._reader.read(CHUNK_BYTES)
        finally:
            self._patience.end()
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
        self._register.wait(self)
        seconds = self._settings.timeouts.tls_handshake_s
        try:
            async with asyncio.timeout(seconds) as self._handshake:
                await self._writer.start_tls(context, ssl_handshake_timeout=seconds)
        except OSError:
            raise ClientGone from None
        finally:
            self._handshake = None
            self._register.work(self)

    def _has_early_octets(self) -> bool:
        """True if the client has sent more than was asked for: here, or in the stream, which tells it to nobody."""
        return bool(self._pending or self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001


def _serves(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Called by asyncio when a client has come; the session begins in `connection_made`."""
