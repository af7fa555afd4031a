"""The gateway as an SMTP or LMTP client: who the next hop is, how a connection to it begins, and whole messages.

Not a queue and not a policy: `gateway.doors` relays a client's session through `open`, the releases and letters send
whole messages with `send`. Only this module opens a connection to the next hop. RFC 5321, RFC 2033 (LMTP), RFC 3207
and RFC 7435 (STARTTLS: required, certificate checked, or opportunistic).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from gateway.message.reply import Reply, reply
from gateway.message.submission import Envelope, Recipient
from gateway.outbound import wire
from gateway.outbound.hop_tls import HopTls
from gateway.outbound.session import (
    NextHopDown,
    NextHopLost,
    NextHopSession,
    NextHopSlow,
    RelayTimeouts,
    TlsFailed,
    xtext,
)

__all__ = [
    "NextHop",
    "NextHopDown",
    "NextHopLost",
    "NextHopSession",
    "NextHopSlow",
    "RelayTimeouts",
    "keyword_needed",
    "xtext",
]

BeforeEnd = Callable[[Mapping[str, Reply]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """The mail server that takes what the gateway lets through. `ehlo_name` is how the gateway calls itself there."""

    host: str
    port: int
    ehlo_name: str
    timeouts: RelayTimeouts = field(default_factory=RelayTimeouts)
    tls: HopTls = field(default_factory=HopTls)
    is_lmtp: bool = False

    async def open(self) -> NextHopSession:
        """A session after its greeting and EHLO (HELO where EHLO is not understood), protected as `tls` asks.

        Opportunistic protection that fails is done without, on a new connection (RFC 7435 section 3). Raises
        NextHopDown or NextHopSlow.
        """
        session = await self._greeted()
        context = self.tls.context
        if context is None or not (self.tls.is_needed or "STARTTLS" in session.keywords):
            return session
        try:
            await session.start_tls(context, self.tls.name or self.host, self.ehlo_name)
        except TlsFailed:
            if self.tls.is_needed:
                raise
            return await self._greeted()
        except BaseException:
            session.close()
            raise
        return session

    async def _greeted(self) -> NextHopSession:
        try:
            async with asyncio.timeout(self.timeouts.connect_s):
                reader, writer = await wire.connect(self.host, self.port)
        except TimeoutError:
            raise NextHopSlow("next hop: no connection in time", seconds=self.timeouts.connect_s) from None
        except OSError as error:
            raise NextHopDown("next hop: no connection", errno=error.errno or 0) from None
        session = NextHopSession(reader, writer, timeouts=self.timeouts, is_lmtp=self.is_lmtp)
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

        A recipient that the next hop refused has that refusal; the others share the final reply, or have one each by
        LMTP. `before_end` is
        awaited with the replies to RCPT when all but the final dot is written; if it raises, nothing was sent. Raises
        NextHopDown, NextHopLost or NextHopSlow: then nothing is known to be accepted, and if `has_sent_content`,
        nothing is known to be refused.
        """
        session = await self.open()
        try:
            return await _send(session, envelope, content, before_end)
        finally:
            await session.quit()


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
    told = partial(before_end, answers) if before_end else None
    final = await session.data_each(content, recipients=len(accepted), before_end=told)
    return answers | dict(zip(accepted, final, strict=True))


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
