"""The gateway as an SMTP client: one connection to the next hop, command by command, each reply as it came.

Not a queue and not a policy: `gateway.doors` relays a client's session through it, the releases and letters send whole
messages with `send`. Only this module opens a connection to the next hop. RFC 5321 (commands 4.1, replies 4.2,
timeouts 4.5.3.2), RFC 1869 (EHLO), Postfix XFORWARD_README.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.message.submission import Envelope, Recipient
from gateway.outbound import wire
from gateway.outbound.wire import END, NotSmtp, ReplyReader, dot_stuffed

T = TypeVar("T")
BeforeEnd = Callable[[Mapping[str, Reply]], Awaitable[None]]

_WRITE_BYTES = 1 << 20
_START_DATA = 354
_XTEXT_SAFE = frozenset(range(0x21, 0x7F)) - {ord("+"), ord("=")}


class NextHopDown(GatewayError):
    """No connection, no greeting, or a next hop that does not want to talk: 451 4.4.1."""

    def __init__(self, cause: str, **context: str | float) -> None:
        super().__init__(reply=reply("next_hop_down"), cause=cause, **context)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """The mail server that takes what the gateway lets through. `ehlo_name` is how the gateway calls itself there."""

    host: str
    port: int
    ehlo_name: str
    timeouts: RelayTimeouts = field(default_factory=RelayTimeouts)

    async def open(self) -> NextHopSession:
        """A session after its greeting and EHLO (HELO where EHLO is not understood).

        Raises NextHopDown or NextHopSlow.
        """
        try:
            async with asyncio.timeout(self.timeouts.connect_s):
                reader, writer = await wire.connect(self.host, self.port)
        except TimeoutError:
            raise NextHopSlow("next hop: no connection in time", seconds=self.timeouts.connect_s) from None
        except OSError as error:
            raise NextHopDown("next hop: no connection", errno=error.errno or 0) from None
        session = NextHopSession(reader, writer, timeouts=self.timeouts)
        try:
            await session.greet(self.ehlo_name)
        except BaseException:
            session.close()
            raise
        return session

    async def send(
        self, envelope: Envelope, content: bytes, *, before_end: BeforeEnd | None = None
    ) -> dict[str, Reply]:
        """Send one whole message on a connection of its own: each recipient's address → its reply.

        A recipient that the next hop refused has that refusal; the others share the final reply. `before_end` is
        awaited with the replies to RCPT when all but the final dot is written; if it raises, nothing was sent. Raises
        NextHopDown, NextHopLost or NextHopSlow: then nothing is known to be accepted, and if `has_sent_content`,
        nothing is known to be refused.
        """
        session = await self.open()
        try:
            return await _send(session, envelope, content, before_end)
        finally:
            await session.quit()


class NextHopSession:
    """One connection to the next hop. `keywords` are its EHLO lines: keyword in upper case → the rest of the line.

    After any raised error the session is closed and `is_open` is False.
    """

    def __init__(self, reader: ReplyReader, writer: asyncio.StreamWriter, *, timeouts: RelayTimeouts) -> None:
        self._reader = reader
        self._writer = writer
        self._timeouts = timeouts
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
        answer = await self.command(b"EHLO " + ehlo_name.encode("ascii"))
        if answer.is_positive:
            self.keywords = _keywords(answer)
            return
        answer = await self.command(b"HELO " + ehlo_name.encode("ascii"))
        if not answer.is_positive:
            raise NextHopDown("next hop: EHLO and HELO refused", code=answer.code)

    async def command(self, line: bytes) -> Reply:
        """The next hop's 2xx, 4xx or 5xx to one line, given without CRLF. Raises NextHopLost or NextHopSlow."""
        if b"\r" in line or b"\n" in line:
            raise ValueError("a command is one line")
        return await self._answer(line, self._timeouts.command_s)

    async def data(self, content: bytes, *, before_end: Callable[[], Awaitable[None]] | None = None) -> Reply:
        """The next hop's last word on `content` (CRLF line ends, not dot-stuffed).

        That is its final reply, or its 4xx or 5xx to DATA itself. `before_end` is awaited when all but the final dot is
        written; if it raises, the session is closed and nothing was sent. Raises NextHopLost or NextHopSlow; if
        `has_sent_content`, nobody knows whether the message was taken (RFC 1047).
        """
        self._has_sent_content = False
        start = await self._answer(b"DATA", self._timeouts.data_start_s, wanted=_START_DATA)
        if start.code != _START_DATA:
            return start
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
        answer = self._in_step(await self._read_reply(self._timeouts.data_end_s))
        self._has_sent_content = False
        return answer

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

    async def _answer(self, line: bytes, seconds: float, *, wanted: int | None = None) -> Reply:
        self._require_silence()
        await self._write(line + b"\r\n")
        return self._in_step(await self._read_reply(seconds), wanted)

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
            await self._within(self._timeouts.data_block_s, self._writer.drain())

    async def _read_reply(self, seconds: float) -> Reply:
        return await self._within(seconds, self._reader.reply())

    async def _within(self, seconds: float, work: Awaitable[T]) -> T:
        """The result of `work`; whatever goes wrong closes the session and becomes one of our errors."""
        has_sent = self._has_sent_content
        try:
            async with asyncio.timeout(seconds):
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
        self.close()
        raise error


def xtext(value: str) -> str:
    """`value` as xtext: octets outside `!` to `~`, `+` and `=` as +XX (RFC 3461 section 4)."""
    return "".join(
        chr(octet) if octet in _XTEXT_SAFE else f"+{octet:02X}" for octet in value.encode("utf-8", "surrogateescape")
    )


async def _send(
    session: NextHopSession, envelope: Envelope, content: bytes, before_end: BeforeEnd | None
) -> dict[str, Reply]:
    answers, ready = _within_reach(session, envelope)
    if not ready:
        return answers
    parameters = _mail_parameters(session, envelope.mail_parameters, (envelope.mail_from or "", *ready))
    mail = " ".join([f"MAIL FROM:<{envelope.mail_from or ''}>", *parameters])
    answer = await session.command(mail.encode("utf-8", "surrogateescape"))
    if not answer.is_positive:
        return answers | dict.fromkeys(ready, answer)
    for address, recipient in ready.items():
        line = " ".join([f"RCPT TO:<{address}>", *_offered(session, recipient.parameters)])
        answers[address] = await session.command(line.encode("utf-8", "surrogateescape"))
    accepted = [address for address, refused in answers.items() if refused.is_positive]
    if not accepted:
        return answers
    final = await session.data(content, before_end=partial(before_end, answers) if before_end else None)
    return answers | dict.fromkeys(accepted, final)


def _within_reach(session: NextHopSession, envelope: Envelope) -> tuple[dict[str, Reply], dict[str, Recipient]]:
    """The recipients refused for their letters, and those to ask for: without SMTPUTF8, ASCII alone (RFC 6531 3.2)."""
    asked = {recipient.address: recipient for recipient in envelope.recipients}
    if "SMTPUTF8" in session.keywords:
        return {}, asked
    refusal = reply("address_not_ascii")
    is_sendable = (envelope.mail_from or "").isascii()
    ready = {address: recipient for address, recipient in asked.items() if is_sendable and address.isascii()}
    return {address: refusal for address in asked if address not in ready}, ready


def _mail_parameters(session: NextHopSession, parameters: tuple[str, ...], addresses: Iterable[str]) -> list[str]:
    """The parameters of MAIL, with SMTPUTF8 where an address of the envelope needs it (RFC 6531 section 3.4)."""
    kept = _offered(session, parameters)
    is_asked = any(parameter.upper() == "SMTPUTF8" for parameter in kept)
    return kept if is_asked or all(address.isascii() for address in addresses) else [*kept, "SMTPUTF8"]


_KEYWORD_OF_PARAMETER = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
}


def keyword_needed(parameter: str) -> str | None:
    """The EHLO keyword that a MAIL or RCPT parameter belongs to; None if only the next hop can know."""
    return _KEYWORD_OF_PARAMETER.get(parameter.partition("=")[0].upper())


def _offered(session: NextHopSession, parameters: tuple[str, ...]) -> list[str]:
    """The parameters for a message of our own sending.

    SIZE is left out: it is that of another state of the message. So are DSN wishes where DSN is not offered (RFC 3461
    section 5.2.2). What changes the meaning of the content stays, and the next hop refuses it if it must.
    """
    kept = []
    for parameter in parameters:
        keyword = keyword_needed(parameter)
        if keyword == "SIZE" or (keyword == "DSN" and "DSN" not in session.keywords):
            continue
        kept.append(parameter)
    return kept


def _keywords(answer: Reply) -> Mapping[str, str]:
    pairs = (line.strip().partition(" ") for line in answer.lines[1:])
    return {word.upper(): rest.strip() for word, _, rest in pairs if word}
