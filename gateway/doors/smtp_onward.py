"""One client session's way on to the next hop: opened when it is needed, kept between messages, reset when not.

Not the wire (`gateway.outbound.relay`) and not the client's side (`gateway.doors.smtp_session`). It is the `Delivery`
that the flow gets. Recipients that have the message from an earlier attempt (LMTP) are left out of this one. RFC 5321
sections 3.3 and 4.1.4, RFC 2033.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from gateway.doors.smtp_grammar import Path
from gateway.doors.smtp_keywords import KeywordMemory
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.outbound.accepted import AcceptedMemory, message_key
from gateway.outbound.idle import IdleHops
from gateway.outbound.relay import NextHop, NextHopLost, NextHopSession, keyword_needed

_CLOSING = 421
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:", re.IGNORECASE | re.MULTILINE)


class LoginLost(GatewayError):
    """The connection on which the client has logged in has ended; only the client can log in anew: 421."""

    def __init__(self) -> None:
        super().__init__(reply=reply("login_lost"), cause="next hop: connection ended after a login")


class Onward:
    """The next hop as one client session sees it. At most one mail transaction at a time."""

    def __init__(
        self,
        hop: NextHop,
        memory: KeywordMemory,
        idle: IdleHops | None = None,
        *,
        accepted: AcceptedMemory | None = None,
    ) -> None:
        self._hop = hop
        self._memory = memory
        self._idle = idle or IdleHops()
        self._is_clean = True
        self._accepted_before = accepted
        self._message: bytes | None = None
        self._sender: tuple[Path, Mapping[str, str | None]] | None = None
        self._session: NextHopSession | None = None
        self._is_used = False
        self._is_in_transaction = False
        self._recipients: list[Path] = []
        self.has_login = False

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
            if self.has_login:
                raise LoginLost from None
            if not was_used:
                raise
        else:
            if answer.code != _CLOSING or not was_used or self.has_login:
                return self._told(answer)
        session.close()
        return self._told(await self._mail_on(await self._ready(is_own=True), path, attributes))

    async def rcpt(self, path: Path) -> Reply:
        """The next hop's reply to RCPT. Raises NextHopLost or NextHopSlow."""
        session = self._live()
        if _lacks(session.keywords, path.parameters):
            return reply("unsupported_parameter")
        answer = self._told(await session.command(_line("RCPT TO:", path, path.parameters)))
        if answer.is_positive:
            self._recipients.append(path)
        return answer

    async def auth(self, line: bytes) -> Reply:
        """The next hop's answer to AUTH or to what the client said to a challenge; 235 binds us to this connection.

        Raises NextHopDown, NextHopLost, NextHopSlow or LoginLost.
        """
        self._is_clean = False
        answer = await (await self._ready(is_own=True)).auth(line)
        self._is_used = True
        self.has_login = answer.is_positive
        return self._told(answer)

    async def command(self, line: bytes) -> Reply:
        """The next hop's reply to VRFY, EXPN or ETRN; within a transaction on its own connection or none."""
        session = self._live() if self._is_in_transaction else await self._ready()
        return self._told(await session.command(line))

    def tell_message(self, raw: bytes, mail_from: str) -> None:
        """Which message the open transaction is about, as the client sent it: each attempt at it is known by that.

        One without a Message-ID is known by nothing: the same octets may be another message.
        """
        is_known = self._accepted_before is not None and _MESSAGE_ID.search(raw[: _header_end(raw)]) is not None
        self._message = message_key(raw, mail_from) if is_known else None

    async def deliver(self, content: bytes) -> Reply:
        """Send the content on the open transaction (see `Delivery.deliver`)."""
        before = await self._answers_of_before()
        session = self._live()
        self._is_in_transaction = False
        found: tuple[Reply, ...] = ()
        if self._recipients or not before:
            found = await session.data_each(content, recipients=max(len(self._recipients), 1))
        answer = one_answer((*before.values(), *found))
        await self._keep_account(answer, before, found)
        if answer.code == _CLOSING:
            session.close()
        elif not answer.is_positive:
            self._is_clean = False
            await session.rset()  # a refusal of DATA itself leaves the transaction open
        return answer

    async def abandon(self) -> None:
        """Reset the open transaction, if there is one. Never raises."""
        if self._is_in_transaction and self._session is not None:
            self._is_in_transaction = False
            await self._session.rset()

    async def quit(self) -> None:
        """End the connection to the next hop, or keep it for the next client. Never raises."""
        session, self._session = self._session, None
        if session is None:
            return
        is_between = not self._is_in_transaction and self._is_used and self._is_clean and not self.has_login
        if not (is_between and self._idle.keep(session)):
            await session.quit()

    def close(self) -> None:
        """Cut the connection to the next hop at once."""
        if self._session is not None:
            self._session.close()

    async def _ready(self, *, is_own: bool = False) -> NextHopSession:
        """The open connection; a kept one if there is one, unless it has to be the client's own."""
        if self._session is None or self._session.is_stale:
            if self._session is not None:
                self._session.close()
            if self.has_login:
                raise LoginLost
            kept = None if is_own else self._idle.take()
            if kept is not None:
                self._session, self._is_used = kept, True
                return kept
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
        self._sender = path, attributes
        self._recipients = []
        return answer

    async def _answers_of_before(self) -> dict[str, Reply]:
        """The answers that stand before the content is sent, by address; {} unless this is another attempt.

        That is 250 for those who have the message already, and what another one is refused with now: the transaction
        is given up and opened anew for the others alone, who are then `_recipients`.
        """
        if self._accepted_before is None or self._message is None or self._sender is None:
            return {}
        wanted = self._recipients
        have = await self._accepted_before.recall(self._message, [path.address for path in wanted])
        if not have:
            return {}
        answers = {address: reply("ok") for address in sorted(have)}
        await self._live().rset()
        self._is_in_transaction, self._recipients = False, []
        rest = [path for path in wanted if path.address not in have]
        if rest:
            opened = await self._mail_on(self._live(), *self._sender)
            for path in rest:
                answer = await self.rcpt(path) if opened.is_positive else opened
                if not answer.is_positive:
                    answers[path.address] = answer
        return answers

    async def _keep_account(self, answer: Reply, before: Mapping[str, Reply], found: tuple[Reply, ...]) -> None:
        """Before the client is told to send it all again: who has it now. With its last word, nobody is remembered."""
        if self._accepted_before is None or self._message is None:
            return
        if answer.is_transient:
            told = zip((path.address for path in self._recipients), found, strict=False)
            have = [address for address, each in told if each.is_positive]
            if have:
                await self._accepted_before.remember(self._message, have)
        elif before:
            await self._accepted_before.forget(self._message, before)

    def _live(self) -> NextHopSession:
        if self._session is None or not self._session.is_open:
            raise NextHopLost("next hop: connection ended")
        return self._session

    def _told(self, answer: Reply) -> Reply:
        self._is_clean = self._is_clean and answer.is_positive
        if answer.code == _CLOSING and self._session is not None:
            self._is_in_transaction = False
            self._session.close()
        return answer


def one_answer(answers: tuple[Reply, ...]) -> Reply:
    """What a client by SMTP hears of the answers of LMTP, one a recipient: 250 only if every recipient has it.

    If some have it and some may have it later, the client tries all again (`AcceptedMemory` knows who has it). If the
    rest is refused for good, the client is told so, and that the others have it.
    """
    refused = [answer for answer in answers if not answer.is_positive]
    if not refused:
        return answers[-1]
    transient = [answer for answer in refused if answer.is_transient]
    if transient or len(refused) == len(answers):
        return (transient or refused)[0]
    return reply("refused_in_part", refused=str(len(refused)), count=str(len(answers)))


def _lacks(keywords: Mapping[str, str], parameters: tuple[str, ...]) -> bool:
    """True if a parameter belongs to an extension that the next hop does not offer; SIZE is the door's own."""
    needed = {keyword_needed(parameter) for parameter in parameters} - {None, "SIZE"}
    return any(keyword not in keywords for keyword in needed) or any(
        parameter.upper() == "BODY=BINARYMIME" for parameter in parameters
    )


def _line(verb: str, path: Path, parameters: tuple[str, ...]) -> bytes:
    return " ".join([f"{verb}<{path.address}>", *parameters]).encode("utf-8")


def _header_end(raw: bytes) -> int:
    ends = [at for at in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if at >= 0]
    return min(ends, default=len(raw))
