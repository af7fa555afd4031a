"""One connection to the next hop: command by command, each reply as it came, each wait with its own limit.

Not who opens it and not whole messages (`gateway.outbound.relay`), not octets and lines (`gateway.outbound.wire`). RFC
5321 (commands 4.1, replies 4.2, timeouts 4.5.3.2), RFC 1869 (EHLO), RFC 2033 (LMTP), RFC 3207 (STARTTLS), RFC 4954
(AUTH), Postfix XFORWARD_README.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.outbound.wire import END, NotSmtp, ReplyReader, dot_stuffed

T = TypeVar("T")

_WRITE_BYTES = 1 << 20
_START_DATA = 354
_CHALLENGE = 334
_XTEXT_SAFE = frozenset(range(0x21, 0x7F)) - {ord("+"), ord("=")}


class NextHopDown(GatewayError):
    """No connection, no greeting, or a next hop that does not want to talk: 451 4.4.1."""

    def __init__(self, cause: str, **context: str | float) -> None:
        super().__init__(reply=reply("next_hop_down"), cause=cause, **context)


class TlsFailed(NextHopDown):
    """The next hop offers no STARTTLS, or the two could not agree, or its certificate is not believed: 451 4.4.1."""


class NextHopLost(GatewayError):
    """The connection ended, or command and reply are out of step, in the middle of something: 451 4.4.2.

    `has_sent_content` is True once the final dot was written: then nobody knows whether the message was taken.
    """

    def __init__(self, cause: str, *, has_sent_content: bool = False, **context: str | float) -> None:
        super().__init__(reply=reply("next_hop_lost"), cause=cause, **context)
        self.has_sent_content = has_sent_content


class NextHopSlow(GatewayError):
    """A reply did not come in its time: 451 4.4.7. `has_sent_content` as for NextHopLost."""

    def __init__(self, cause: str, *, has_sent_content: bool = False, **context: str | float) -> None:
        super().__init__(reply=reply("next_hop_slow"), cause=cause, **context)
        self.has_sent_content = has_sent_content


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayTimeouts:
    """Seconds that the next hop may take for each stage; the defaults are those of RFC 5321 section 4.5.3.2.

    `farewell_s` is for RSET and QUIT: a client's answer waits for them, and without them the connection is closed.
    """

    connect_s: float = 30.0
    greeting_s: float = 300.0
    command_s: float = 300.0
    data_start_s: float = 120.0
    data_block_s: float = 180.0
    data_end_s: float = 600.0
    farewell_s: float = 5.0
    tls_handshake_s: float = 30.0


class NextHopSession:
    """One connection to the next hop. `keywords` are its EHLO lines: keyword in upper case → the rest of the line.

    After any raised error the session is closed and `is_open` is False. With `is_lmtp` the next hop speaks LMTP: it
    gives one answer a recipient to the content.
    """

    def __init__(
        self,
        reader: ReplyReader,
        writer: asyncio.StreamWriter,
        *,
        timeouts: RelayTimeouts,
        is_lmtp: bool = False,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._timeouts = timeouts
        self.is_lmtp = is_lmtp
        self.is_tls = False
        self._has_sent_content = False
        self.keywords: Mapping[str, str] = {}
        self.is_open = True

    @property
    def is_stale(self) -> bool:
        """True if the next hop has closed the idle connection, or said something unasked (421)."""
        return not self.is_open or self._reader.has_more or self._reader.at_eof() or self._writer.is_closing()

    async def greet(self, ehlo_name: str) -> None:
        """Read the greeting and introduce ourselves; NextHopDown for a next hop that does not want to talk."""
        try:
            greeting = await self._read_reply(self._timeouts.greeting_s)
        except NextHopLost as error:
            raise NextHopDown(error.cause) from error
        if not greeting.is_positive:
            raise NextHopDown("next hop: greeting refused", code=greeting.code)
        await self._introduce(ehlo_name)

    async def start_tls(self, context: ssl.SSLContext, host_name: str, ehlo_name: str) -> None:
        """Protect the connection and introduce ourselves once more. Raises TlsFailed; then the session is closed.

        RFC 3207 section 4.2: what was said in the clear is forgotten, and nothing may have come ahead.
        """
        if "STARTTLS" not in self.keywords:
            self.close()
            raise TlsFailed("next hop: offers no TLS")
        answer = await self.command(b"STARTTLS")
        if not answer.is_positive:
            self.close()
            raise TlsFailed("next hop: refuses TLS", code=answer.code)
        self._require_silence()
        seconds = self._timeouts.tls_handshake_s
        try:
            await self._writer.start_tls(context, server_hostname=host_name, ssl_handshake_timeout=seconds)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise TlsFailed("next hop: certificate is not believed", verify_code=error.verify_code) from None
        except (OSError, EOFError):
            self.close()
            raise TlsFailed("next hop: TLS handshake failed") from None
        self.is_tls = True
        self.keywords = {}
        await self._introduce(ehlo_name)

    async def _introduce(self, ehlo_name: str) -> None:
        name = ehlo_name.encode("ascii")
        answer = await self.command((b"LHLO " if self.is_lmtp else b"EHLO ") + name)
        if answer.is_positive:
            self.keywords = _keywords(answer)
            return
        if not self.is_lmtp:
            answer = await self.command(b"HELO " + name)
        if not answer.is_positive:
            raise NextHopDown("next hop: EHLO and HELO refused", code=answer.code)

    async def command(self, line: bytes) -> Reply:
        """The next hop's 2xx, 4xx or 5xx to one line, given without CRLF. Raises NextHopLost or NextHopSlow."""
        if b"\r" in line or b"\n" in line:
            raise ValueError("a command is one line")
        return await self._answer(line, self._timeouts.command_s)

    async def auth(self, line: bytes) -> Reply:
        """The next hop's challenge (334), its 2xx or its refusal to AUTH or to an answer to a challenge."""
        answer = await self._exchange(line, self._timeouts.command_s)
        return answer if answer.code == _CHALLENGE else self._in_step(answer)

    async def data(self, content: bytes, *, before_end: Callable[[], Awaitable[None]] | None = None) -> Reply:
        """The next hop's last word on a content for one recipient, or by SMTP for all: see `data_each`."""
        return (await self.data_each(content, recipients=1, before_end=before_end))[0]

    async def data_each(
        self, content: bytes, *, recipients: int, before_end: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[Reply, ...]:
        """The next hop's last word on `content` (CRLF line ends, not dot-stuffed) for each accepted recipient.

        That is its final reply for all, by LMTP one reply each in the order of RCPT (RFC 2033 section 4.2), or its 4xx
        or 5xx to DATA itself. `before_end` is awaited when all but the final dot is written; if it raises, the session
        is closed and nothing was sent. Raises NextHopLost or NextHopSlow; if `has_sent_content`, nobody knows whether
        the message was taken (RFC 1047).
        """
        self._has_sent_content = False
        start = await self._answer(b"DATA", self._timeouts.data_start_s, wanted=_START_DATA)
        if start.code != _START_DATA:
            return (start,) * recipients
        octets = memoryview(dot_stuffed(content))
        if before_end is not None:
            await self._write(octets[: -len(END)])
            octets = octets[-len(END) :]
            try:
                await before_end()
            except BaseException:
                self.close()
                raise
        await self._write(octets, is_end_of_content=True)
        count = recipients if self.is_lmtp else 1
        answers = [self._in_step(await self._read_reply(self._timeouts.data_end_s)) for _ in range(count)]
        self._has_sent_content = False
        return tuple(answers) if self.is_lmtp else (answers[0],) * recipients

    async def xforward(self, attributes: Mapping[str, str | None]) -> None:
        """Tell the next hop who the original client is; only attributes that it offers, None as [UNAVAILABLE].

        A refusal is no reason to stop a message: XFORWARD is for logs. Raises NextHopLost or NextHopSlow.
        """
        offered = self.keywords.get("XFORWARD", "").upper().split()
        words = [
            f"{name}={xtext(value) if value else '[UNAVAILABLE]'}"
            for name, value in attributes.items()
            if name in offered
        ]
        line = "XFORWARD"
        for word in words:
            if len(line) + len(word) > 500:  # RFC 5321 section 4.5.3.1.4: 512 octets with the CRLF
                await self.command(line.encode("ascii"))
                line = "XFORWARD"
            line = f"{line} {word}"
        if words:
            await self.command(line.encode("ascii"))

    async def rset(self) -> None:
        """Give up the transaction under way. Never raises; a session that can't be reset is closed."""
        if not self.is_open:
            return
        try:
            answer = await self._answer(b"RSET", self._timeouts.farewell_s)
        except GatewayError:
            return
        if not answer.is_positive:
            self.close()

    async def quit(self) -> None:
        """Say QUIT, wait shortly for the answer, and close. Never raises."""
        if self.is_open:
            try:
                await self._answer(b"QUIT", self._timeouts.farewell_s)
            except GatewayError:
                pass
            finally:
                self.close()

    def close(self) -> None:
        """Close the connection at once; harmless if it is closed."""
        if self.is_open:
            self.is_open = False
            self._writer.close()
            self._reader.patience.close()

    async def _answer(self, line: bytes, seconds: float, *, wanted: int | None = None) -> Reply:
        return self._in_step(await self._exchange(line, seconds), wanted)

    async def _exchange(self, line: bytes, seconds: float) -> Reply:
        self._require_silence()
        await self._write(line + b"\r\n")
        return await self._read_reply(seconds)

    def _in_step(self, answer: Reply, wanted: int | None = None) -> Reply:
        """The answer, if it is a refusal or the success that was asked for: 2xx, or the code `wanted` alone.

        A 2xx to DATA belongs to another command: taken for a delivery, it would lose the message.
        """
        is_refusal = answer.code >= 400
        is_success = answer.is_positive if wanted is None else answer.code == wanted
        if not is_refusal and not is_success:
            raise self._out_of_step()
        return answer

    def _require_silence(self) -> None:
        """Octets that nobody has asked for would be taken for the answer to what is written next."""
        if self._reader.has_more:
            raise self._out_of_step()

    def _out_of_step(self) -> NextHopLost:
        self.close()
        return NextHopLost("next hop: reply out of step", has_sent_content=self._has_sent_content)

    async def _write(self, octets: bytes | memoryview, *, is_end_of_content: bool = False) -> None:
        view = memoryview(octets)
        for start in range(0, len(view), _WRITE_BYTES):
            if not self.is_open or self._writer.is_closing():  # uvloop raises RuntimeError for a write after the end
                self.close()
                raise NextHopLost("next hop: connection ended")
            if is_end_of_content and start + _WRITE_BYTES >= len(view):
                self._require_silence()  # what came before the final dot can't be the answer to it
                self._has_sent_content = True
            self._writer.write(view[start : start + _WRITE_BYTES])
            if self._reader.is_writing_paused:
                await self._within(self._timeouts.data_block_s, self._drained())

    async def _drained(self) -> None:
        """Wait until there is room to write. Raises TimeoutError when the wait was ended because it is late."""
        await self._writer.drain()
        if isinstance(self._reader.exception(), TimeoutError):
            self._writer.transport.abort()  # what lies in the buffer must not follow: the sender is told to try again
            raise TimeoutError

    async def _read_reply(self, seconds: float) -> Reply:
        return await self._within(seconds, self._reader.reply())

    async def _within(self, seconds: float, work: Awaitable[T]) -> T:
        """The result of `work`; whatever goes wrong closes the session and becomes one of our errors."""
        has_sent = self._has_sent_content
        patience = self._reader.patience
        patience.begin(seconds)
        try:
            return await work
        except TimeoutError:
            error: GatewayError = NextHopSlow("next hop: no answer in time", has_sent_content=has_sent, seconds=seconds)
        except (OSError, asyncio.IncompleteReadError):
            error = NextHopLost("next hop: connection ended", has_sent_content=has_sent)
        except (asyncio.LimitOverrunError, NotSmtp):
            error = NextHopLost("next hop: reply is no SMTP", has_sent_content=has_sent)
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            patience.end()
        self.close()
        raise error


def xtext(value: str) -> str:
    """`value` as xtext: octets outside `!` to `~`, `+` and `=` as +XX (RFC 3461 section 4)."""
    return "".join(
        chr(octet) if octet in _XTEXT_SAFE else f"+{octet:02X}" for octet in value.encode("utf-8", "surrogateescape")
    )


def _keywords(answer: Reply) -> Mapping[str, str]:
    pairs = (line.strip().partition(" ") for line in answer.lines[1:])
    return {word.upper(): rest.strip() for word, _, rest in pairs if word}
