"""One client session's way on to the next hop: opened when it is needed, kept between messages, reset when not.

Not the wire (`gateway.outbound.relay`) and not the client's side (`gateway.doors.smtp_session`). It is the `Delivery`
that the flow gets. RFC 5321 sections 3.3 and 4.1.4.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from gateway.doors.smtp_grammar import Path
from gateway.doors.smtp_keywords import KeywordMemory
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.outbound.relay import NextHop, NextHopLost, NextHopSession, keyword_needed

_CLOSING = 421


class Onward:
    """The next hop as one client session sees it. At most one mail transaction at a time."""

    def __init__(self, hop: NextHop, memory: KeywordMemory) -> None:
        self._hop = hop
        self._memory = memory
        self._session: NextHopSession | None = None
        self._is_used = False
        self._is_in_transaction = False

    async def keywords(self) -> Mapping[str, str] | None:
        """What the next hop offers; what it offered last if it can't be asked; None if it was never seen."""
        known = self._memory.fresh(time.monotonic())
        if known is not None:
            return known
        try:
            return (await self._ready()).keywords
        except GatewayError:
            return self._memory.last()

    async def mail(self, path: Path, attributes: Mapping[str, str | None]) -> Reply:
        """The next hop's reply to MAIL, told before who the original client is.

        A connection that was kept and has gone meanwhile is opened anew, once. 555 for a parameter that the next hop
        does not offer. Raises NextHopDown, NextHopLost or NextHopSlow.
        """
        session = await self._ready()
        was_used = self._is_used
        try:
            answer = await self._mail_on(session, path, attributes)
        except NextHopLost:
            if not was_used:
                raise
        else:
            if answer.code != _CLOSING or not was_used:
                return self._told(answer)
        session.close()
        return self._told(await self._mail_on(await self._ready(), path, attributes))

    async def rcpt(self, path: Path) -> Reply:
        """The next hop's reply to RCPT. Raises NextHopLost or NextHopSlow."""
        session = self._live()
        if _lacks(session.keywords, path.parameters):
            return reply("unsupported_parameter")
        return self._told(await session.command(_line("RCPT TO:", path, path.parameters)))

    async def command(self, line: bytes) -> Reply:
        """The next hop's reply to a command outside of a transaction (VRFY, EXPN, ETRN)."""
        return self._told(await (await self._ready()).command(line))

    async def deliver(self, content: bytes) -> Reply:
        """Send the content on the open transaction (see `Delivery.deliver`)."""
        session = self._live()
        self._is_in_transaction = False
        answer = await session.data(content)
        if answer.code == _CLOSING:
            session.close()
        elif not answer.is_positive:
            await session.rset()  # a refusal of DATA itself leaves the transaction open
        return answer

    async def abandon(self) -> None:
        """Reset the open transaction, if there is one. Never raises."""
        if self._is_in_transaction and self._session is not None:
            self._is_in_transaction = False
            await self._session.rset()

    async def quit(self) -> None:
        """End the connection to the next hop. Never raises."""
        if self._session is not None:
            await self._session.quit()

    def close(self) -> None:
        """Cut the connection to the next hop at once."""
        if self._session is not None:
            self._session.close()

    async def _ready(self) -> NextHopSession:
        if self._session is None or self._session.is_stale:
            if self._session is not None:
                self._session.close()
            self._session = await self._hop.open()
            self._is_used = False
            self._memory.learn(self._session.keywords, time.monotonic())
        return self._session

    async def _mail_on(self, session: NextHopSession, path: Path, attributes: Mapping[str, str | None]) -> Reply:
        if _lacks(session.keywords, path.parameters):
            return reply("unsupported_parameter")
        parameters = tuple(
            parameter
            for parameter in path.parameters
            if keyword_needed(parameter) != "SIZE" or "SIZE" in session.keywords
        )
        self._is_used = True
        if attributes:
            await session.xforward(attributes)
        answer = await session.command(_line("MAIL FROM:", path, parameters))
        self._is_in_transaction = answer.is_positive
        return answer

    def _live(self) -> NextHopSession:
        if self._session is None or not self._session.is_open:
            raise NextHopLost("next hop: connection ended")
        return self._session

    def _told(self, answer: Reply) -> Reply:
        if answer.code == _CLOSING and self._session is not None:
            self._is_in_transaction = False
            self._session.close()
        return answer


def _lacks(keywords: Mapping[str, str], parameters: tuple[str, ...]) -> bool:
    """True if a parameter belongs to an extension that the next hop does not offer; SIZE is the door's own."""
    needed = {keyword_needed(parameter) for parameter in parameters} - {None, "SIZE"}
    return any(keyword not in keywords for keyword in needed) or any(
        parameter.upper() == "BODY=BINARYMIME" for parameter in parameters
    )


def _line(verb: str, path: Path, parameters: tuple[str, ...]) -> bytes:
    return " ".join([f"{verb}<{path.address}>", *parameters]).encode("utf-8")
