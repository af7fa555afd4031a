"""One SMTP session: commands in, each relayed to the next hop in order, its reply passed on.

Not the judgement of a message (`DoorState.handle`, which is `gateway.arrive`), not the octets of the connection
(`gateway.doors.smtp_connection`) and not the next hop's side (`gateway.doors.smtp_onward`). Made by
`gateway.doors.smtp.SmtpDoor`. RFC 5321 sections 3 and 4, RFC 2920 (pipelining), RFC 3207 (STARTTLS), Postfix
XCLIENT_README and XFORWARD_README.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from gateway.doors.smtp_connection import ClientGone
from gateway.doors.smtp_content import ContentReader, content_fault, is_disguised_end
from gateway.doors.smtp_grammar import (
    XCLIENT_ATTRIBUTES,
    XFORWARD_ATTRIBUTES,
    ip_address_of,
    is_forward_path,
    is_reverse_path,
    read_attributes,
    read_path,
)
from gateway.doors.smtp_keywords import offered_keywords
from gateway.doors.smtp_login import SmtpLogin
from gateway.doors.smtp_settings import DoorState, Reservation, SessionRegister
from gateway.doors.smtp_transaction import Transaction
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.message.submission import SessionFacts, Submission

_log = logging.getLogger(__name__)
DRIBBLE_BYTES_PER_S = 500
"""Who sends a message more slowly than that, over `dribble_s`, may have to give way when the door is full."""
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class SmtpSession(SmtpLogin):
    """The commands, and what one session knows of its client."""

    def __init__(self, state: DoorState, register: SessionRegister) -> None:
        super().__init__(state, register)
        self._transaction = Transaction()
        self._helo: str | None = None
        self._is_extended = False
        self._is_trusted = False
        self._xclient: dict[str, str | None] = {}
        self._xforward: dict[str, str | None] = {}
        self._errors = 0
        self._idle_commands = 0
        self._content_since: float | None = None
        self._content_bytes = 0

    @property
    def is_lingering(self) -> bool:
        """True if the content of a message comes in at next to nothing a second."""
        if self._content_since is None:
            return False
        seconds = time.monotonic() - self._content_since
        return seconds > self._settings.timeouts.dribble_s and self._content_bytes < DRIBBLE_BYTES_PER_S * seconds

    async def converse(self) -> None:
        """Greet, and answer commands until ClientGone or OSError."""
        self._is_trusted = self._peer_ip is not None and self._settings.trusts(self._peer_ip)
        await self.say(reply("ready", host=self._settings.host_name))
        while True:
            line = await self.next_line()
            try:
                await self._obey(line)
            except GatewayError as error:
                _log.warning("smtp: command failed: %s", error.cause)
                self._state.on_failure(error)
                await self._fail(error.reply)
            except (ClientGone, OSError):
                raise
            except Exception as error:  # noqa: BLE001 -- the guard in the door's loop: a defect of ours is a 451
                _log.error("smtp: command broke: %s", type(error).__name__)
                await self._fail(reply("machinery"))

    async def _fail(self, answer: Reply) -> None:
        """Machinery failed: the transaction is over, and what the client sends of it is answered alike, with a 4xx."""
        await self._onward.abandon()
        self._transaction = Transaction(failed=answer)
        await self.say(answer)

    async def _obey(self, line: bytes) -> None:
        if len(line) > self._settings.max_command_bytes:
            await self._object(reply("line_too_long"))
            return
        text = line.removesuffix(b"\r\n")
        if len(text) == len(line) or _CONTROL.search(text):
            await self._object(reply("syntax"))
            return
        verb, _, argument = text.partition(b" ")
        command = self._COMMANDS.get(verb.upper())
        if command is None:
            await self._object(reply("unknown_command"))
            return
        await command(self, argument.strip(b" \t"))

    async def _object(self, answer: Reply) -> None:
        """Say that something was wrong with a command; too many of these end the session."""
        self._errors += 1
        self.is_cut_short = self._errors >= self._settings.max_errors
        await self.say(reply("too_many_errors") if self.is_cut_short else answer)

    async def _idle_command(self) -> None:
        """Count a command that moves no message; too many of these end the session."""
        self._idle_commands += 1
        if self._idle_commands > self._settings.max_idle_commands:
            await self.say(reply("too_many_errors"))

    # Commands.

    async def _ehlo(self, argument: bytes) -> None:
        if not await self._is_introduced(argument):
            return
        self._is_extended = True
        may_ask = self._is_trusted or self._settings.passes_auth
        known = await self._onward.keywords() if may_ask else self._state.memory.last()
        lines = offered_keywords(
            known,
            max_bytes=self._settings.limits.max_message_bytes,
            offers_tls=self._settings.tls is not None and not self._is_tls,
            is_trusted=self._is_trusted,
            offers_auth=self._offers_auth,
        )
        hello = reply("hello", host=self._settings.host_name)
        await self.say(Reply(code=hello.code, lines=(*hello.lines, *lines)))

    async def _hello(self, argument: bytes) -> None:
        if await self._is_introduced(argument):
            self._is_extended = False
            await self.say(reply("hello", host=self._settings.host_name))

    async def _is_introduced(self, argument: bytes) -> bool:
        name = argument.decode("utf-8", "replace")
        if not name or not name.isprintable() or len(name) > 255:
            await self._object(reply("syntax"))
            return False
        await self._reset()
        self._helo = name
        return True

    async def _mail(self, argument: bytes) -> None:
        path = read_path(argument, "FROM:")
        if self._helo is None or self._transaction.is_open:
            await self._object(reply("bad_sequence"))
        elif (refusal := self._refusal()) is not None:
            await self._object(refusal)
        elif path is None or (path.parameters and not self._is_extended):
            await self._object(reply("syntax"))
        elif not is_reverse_path(path):
            await self._object(reply("bad_address"))
        else:
            self._transaction = Transaction()
            answer = await self._onward.mail(path, self._told_attributes())
            if answer.is_positive and (path.declared_bytes or 0) > self._settings.limits.max_message_bytes:
                await self._onward.abandon()
                answer = reply("too_large")
            self._transaction.start(path, answer)
            await self.say(answer)

    def _refusal(self) -> Reply | None:
        """Why this client may not send, or None if it may."""
        if self._settings.is_tls_required and not self._is_tls:
            return reply("tls_needed")
        if self._is_trusted or self._has_login:
            return None
        return reply("login_needed" if self._settings.passes_auth else "not_trusted")

    async def _auth(self, argument: bytes) -> None:
        if not self._settings.passes_auth:
            await self._object(reply("not_implemented"))
        elif self._helo is None or not self._is_extended or self._transaction.is_open or self._has_login:
            await self._object(reply("bad_sequence"))
        else:
            answer = await self.log_in(argument)
            await (self.say(answer) if answer.is_positive else self._object(answer))

    async def _rcpt(self, argument: bytes) -> None:
        path = read_path(argument, "TO:")
        transaction = self._transaction
        if transaction.failed is not None:
            await self.say(transaction.failed)
        elif not transaction.is_open:
            await self._object(reply("bad_sequence"))
        elif path is None or not path.address or (path.parameters and not self._is_extended):
            transaction.refuse()
            await self._object(reply("syntax"))
        elif not is_forward_path(path, allow_utf8=transaction.is_utf8):
            transaction.refuse()
            await self._object(reply("bad_address"))
        elif len(transaction.recipients) >= self._settings.max_recipients:
            await self.say(reply("too_many_recipients"))
        else:
            answer = await self._onward.rcpt(path)
            transaction.add(path, answer)
            await self.say(answer)

    async def _rset(self, _argument: bytes) -> None:
        await self._reset()
        await self._idle_command()
        await self.say(reply("ok"))

    async def _noop(self, _argument: bytes) -> None:
        await self._idle_command()
        await self.say(reply("ok"))

    async def _help(self, _argument: bytes) -> None:
        await self._idle_command()
        await self.say(reply("help"))

    async def _quit(self, _argument: bytes) -> None:
        await self.say(reply("bye"))
        raise ClientGone

    async def _not_implemented(self, _argument: bytes) -> None:
        await self._object(reply("not_implemented"))

    async def _ask_next_hop(self, verb: bytes, argument: bytes) -> None:
        """VRFY, EXPN and ETRN are the next hop's to answer; strangers may not ask."""
        await self._idle_command()
        if not self._is_trusted:
            await self._object(reply("not_trusted"))
        elif not argument:
            await self._object(reply("syntax"))
        else:
            await self.say(await self._onward.command(verb + b" " + argument))

    async def _vrfy(self, argument: bytes) -> None:
        await self._ask_next_hop(b"VRFY", argument)

    async def _expn(self, argument: bytes) -> None:
        await self._ask_next_hop(b"EXPN", argument)

    async def _etrn(self, argument: bytes) -> None:
        await self._ask_next_hop(b"ETRN", argument)

    async def _starttls(self, argument: bytes) -> None:
        if argument:
            await self._object(reply("syntax"))
            return
        if self._settings.tls is None:
            await self._object(reply("not_implemented"))
            return
        if self._is_tls or self._transaction.is_open or self._has_login:
            await self._object(reply("bad_sequence"))
            return
        await self.turn_on_tls(self._settings.tls)
        self._is_tls = True
        self._helo = None
        self._xclient.clear()
        await self._reset()

    async def _take_xclient(self, argument: bytes) -> None:
        told = read_attributes(argument, XCLIENT_ATTRIBUTES)
        if not self._is_trusted:
            await self._object(reply("not_trusted"))
        elif self._transaction.is_open or self._has_login:
            await self._object(reply("bad_sequence"))
        elif told is None:
            await self._object(reply("syntax"))
        else:
            await self._reset()
            self._helo = None
            self._xclient = told if "ADDR" in told else _of_the_host(self._xclient) | told
            await self.say(reply("ready", host=self._settings.host_name))

    async def _take_xforward(self, argument: bytes) -> None:
        told = read_attributes(argument, XFORWARD_ATTRIBUTES)
        if not self._is_trusted:
            await self._object(reply("not_trusted"))
        elif self._transaction.is_open:
            await self._object(reply("bad_sequence"))
        elif told is None:
            await self._object(reply("syntax"))
        else:
            self._xforward |= told
            await self.say(reply("ok"))

    # A message.

    async def _data(self, argument: bytes) -> None:
        transaction = self._transaction
        if transaction.failed is not None:
            await self.say(transaction.failed)
        elif argument:
            await self._object(reply("syntax"))
        elif not transaction.recipients:
            await self._object(reply("no_recipients" if transaction.has_refused else "bad_sequence"))
        elif (reservation := self._state.budget.reserve(transaction.declared_bytes)) is None:
            await self._fail(reply("busy"))
        else:
            self._state.messages_under_way += 1
            self._idle_commands = 0
            try:
                await self.say(reply("start_data"))
                answer, is_suspect = await self._answer(transaction, reservation)
            finally:
                self._state.messages_under_way -= 1
                reservation.release()
            await self._reset()
            self.is_cut_short = is_suspect
            await self.say(answer)
            if is_suspect:
                raise ClientGone

    async def _answer(self, transaction: Transaction, reservation: Reservation) -> tuple[Reply, bool]:
        """The reply to the message, and whether a disguised end of data in it makes the client suspect."""
        content = await self._content(reservation)
        if isinstance(content, Reply):
            return content, False
        fault = content_fault(content, self._settings.limits)
        if fault is not None:
            return reply(fault), fault == "bad_line_ends" and is_disguised_end(content)
        submission = Submission(
            id=self._state.new_id(),
            received_at=self._state.now(),
            envelope=transaction.envelope(),
            raw=content,
            session=self._facts(),
        )
        self._onward.tell_message(content, submission.envelope.mail_from or "")
        try:
            return await self._state.handle(submission, self._onward), False
        except GatewayError as error:
            _log.warning("smtp: message failed id=%s: %s", submission.id, error.cause)
            return error.reply, False
        except Exception as error:  # noqa: BLE001 -- the guard around a message: a defect of ours is a 451
            _log.error("smtp: message broke id=%s: %s", submission.id, type(error).__name__)
            return reply("machinery"), False

    async def _content(self, reservation: Reservation) -> bytes | Reply:
        """The message's octets, read to the end of data whatever is wrong with them; or the reply that it gets."""
        reader = ContentReader(self._settings.limits.max_message_bytes)
        has_room = True
        self.begin_data()
        self._content_since, self._content_bytes = time.monotonic(), 0
        try:
            rest = None
            while rest is None:
                chunk = await self.data_octets()
                self._content_bytes += len(chunk)
                rest = reader.feed(chunk)
                if has_room and not reservation.use(len(chunk)):
                    has_room = False
                    reader.drop()
                    reservation.release()
        except TimeoutError:
            return reply("timeout")
        finally:
            self._content_since = None
        self.put_back(rest)
        if not has_room:
            return reply("busy")
        content = reader.content()
        return reply("too_large") if reader.is_too_large else content

    async def _reset(self) -> None:
        await self._onward.abandon()
        self._transaction = Transaction()
        self._xforward.clear()

    def _told_attributes(self) -> dict[str, str | None]:
        """What trusted clients told of the original client, for the next hop's log."""
        return {name: value for name, value in (self._xclient | self._xforward).items() if name in XFORWARD_ATTRIBUTES}

    def _facts(self) -> SessionFacts:
        told = self._xclient | self._xforward
        protocol = (
            ("ESMTP" if self._is_extended else "SMTP")
            + ("S" if self._is_tls else "")
            + ("A" if self._has_login else "")
        )
        address = told.get("ADDR", self._peer_ip)
        return SessionFacts(
            client_ip=ip_address_of(address) if address else None,
            client_name=told.get("NAME"),
            helo=told.get("HELO", self._helo),
            login=self._login if self._has_login else told.get("LOGIN"),
            is_trusted=self._is_trusted or self._has_login,
            is_tls=self._is_tls,
            protocol=told.get("PROTO") or protocol,
        )

    _COMMANDS: ClassVar[dict[bytes, Callable[[SmtpSession, bytes], Awaitable[None]]]] = {
        b"AUTH": _auth,
        b"BDAT": _not_implemented,
        b"DATA": _data,
        b"EHLO": _ehlo,
        b"ETRN": _etrn,
        b"EXPN": _expn,
        b"HELO": _hello,
        b"HELP": _help,
        b"MAIL": _mail,
        b"NOOP": _noop,
        b"QUIT": _quit,
        b"RCPT": _rcpt,
        b"RSET": _rset,
        b"STARTTLS": _starttls,
        b"TURN": _not_implemented,
        b"VRFY": _vrfy,
        b"XCLIENT": _take_xclient,
        b"XFORWARD": _take_xforward,
    }


def _of_the_host(told: Mapping[str, str | None]) -> dict[str, str | None]:
    """What a new XCLIENT leaves standing: the login, the greeting and the protocol were of the client before."""
    return {name: value for name, value in told.items() if name not in {"LOGIN", "HELO", "PROTO"}}
