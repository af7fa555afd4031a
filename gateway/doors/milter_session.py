"""One milter conversation with a mail server: what it tells becomes a submission, what the flow decides becomes edits.

Not the order of packets (`gateway.doors.milter_wire`) and not the judgement (`MilterState.handle`, which is
`gateway.arrive`). Made by `gateway.doors.milter.MilterDoor`, one a connection; several messages each. Postfix
MILTER_README; DESIGN section 5.

The answer to a message is one write: every edit, and the word that accepts it. Before that word the mail server has
nothing, and with the connection gone it says 451 to its client.
"""

from __future__ import annotations

import asyncio
import logging

from gateway.amend.headers import received_field
from gateway.doors.crowd import Crowd
from gateway.doors.milter_edits import edits
from gateway.doors.milter_packets import (
    Ask,
    Chunk,
    Connect,
    Header,
    Helo,
    Macros,
    Negotiate,
    Packet,
    Path,
    ProtocolError,
    Say,
    packet,
    quarantine_packet,
    reply_code_packet,
)
from gateway.doors.milter_settings import MilterState
from gateway.doors.milter_wire import MilterWire, Stage
from gateway.doors.smtp_content import content_fault
from gateway.doors.smtp_grammar import ip_address_of
from gateway.doors.smtp_settings import ByteBudget, Reservation
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.outbound.patience import Patience
from gateway.outbound.relay import NextHopLost

_log = logging.getLogger(__name__)
_READ_BYTES = 262_144
_UNREAD_BYTES = 65_536
"""What may wait to be read by the mail server before we wait for it."""
_CONTINUE = packet(Say.CONTINUE)


class MtaGone(Exception):
    """The mail server has ended the connection, or has to; there is nothing more to say."""


class HandOver:
    """The `Delivery` of one message: edits for the mail server, sent by the session when the flow has answered 250."""

    def __init__(self, session: MilterSession, submission: Submission) -> None:
        self._session = session
        self._submission = submission
        self.edits: tuple[bytes, ...] | None = None

    async def deliver(self, content: bytes) -> Reply:
        """The edits that make the message `content`. Raises NextHopLost if the mail server has gone meanwhile."""
        if self._session.is_gone:
            raise NextHopLost("milter: the mail server has gone", id=self._submission.id)
        self.edits = edits(
            self._submission.raw,
            content,
            received=received_field(self._submission, self._session.host_name),
            has_leading_space=self._session.has_leading_space,
            can_insert=self._session.can_insert,
        )
        return reply("ok")

    async def abandon(self) -> None:
        """The mail server gets no edits; what it is told is the flow's reply."""
        self.edits = None


class MessageSoFar:
    """One message as it is told, piece by piece. `close` gives its octets back to the door's budget."""

    def __init__(self, path: Path, *, max_bytes: int, budget: ByteBudget) -> None:
        self.path = path
        self.recipients: list[Recipient] = []
        self.fault: Reply | None = None
        self._octets = bytearray()
        self._max_bytes = max_bytes
        self._budget = budget
        self._reservation: Reservation | None = None

    def keep(self, octets: bytes) -> None:
        """Take these octets; after a fault none are kept any more."""
        if self.fault is not None:
            return
        if self._reservation is None:
            self._reservation = self._budget.reserve(0)
        if len(self._octets) + len(octets) > self._max_bytes:
            self.fault = reply("too_large")
        elif self._reservation is None or not self._reservation.use(len(octets)):
            self.fault = reply("busy")
        else:
            self._octets += octets
        if self.fault is not None:
            self.close()

    def content(self) -> bytes:
        """All that was kept. Call it once."""
        kept, self._octets = bytes(self._octets), bytearray()
        return kept

    def close(self) -> None:
        """Keep nothing."""
        self._octets.clear()
        if self._reservation is not None:
            self._reservation.release()
            self._reservation = None


class MilterSession:
    """One connection. `run` ends when the mail server does, or when it breaks the protocol."""

    is_lingering = False
    """A mail server sends a message when it has all of it."""

    def __init__(
        self,
        state: MilterState,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        crowd: Crowd[MilterSession],
    ) -> None:
        self._state = state
        self._crowd = crowd
        self._settings = state.settings
        self._reader = reader
        self._writer = writer
        self._wire = MilterWire(
            asks_for_macros=state.settings.asks_for_macros, wants_quarantine=state.settings.quarantines
        )
        self._client: Connect | None = None
        self._helo: str | None = None
        self._macros: dict[Ask, dict[str, str]] = {}
        self._macros_to_come: dict[Ask, dict[str, str]] = {}
        self._message: MessageSoFar | None = None
        self._life_sign: asyncio.TimerHandle | None = None
        self._patience = Patience(asyncio.get_running_loop(), self._be_late)

    @property
    def has_leading_space(self) -> bool:
        """True if values of fields carry the space behind the colon."""
        return self._wire.has_leading_space

    @property
    def can_insert(self) -> bool:
        """True if the mail server knows how to put a field on top."""
        return self._wire.agreed.can_insert

    @property
    def host_name(self) -> str:
        """Our own name."""
        return self._settings.host_name

    @property
    def is_gone(self) -> bool:
        """True if the mail server has ended the connection."""
        return self._writer.is_closing() or self._reader.at_eof()

    def hurry(self) -> None:
        """The door drains: the session ends at once if there is no message, else after its message."""
        if not self._wire.is_in_message:
            self._patience.hurry()

    def give_way(self) -> None:
        """The door is full and the mail server has had nothing to say for a while: the session ends."""
        self._patience.hurry()

    def _be_late(self) -> None:
        """The time of a wait is over: whoever reads gets TimeoutError. Nothing is read after it."""
        self._reader.set_exception(TimeoutError())

    async def run(self) -> None:
        """Converse to the end; raises nothing but cancellation."""
        try:
            while self._wire.stage is not Stage.CLOSED:
                await self._obey(await self._next_packet())
        except ProtocolError as error:
            _log.warning("milter: connection ended: %s", error)
        except (MtaGone, OSError):
            pass
        except Exception as error:  # noqa: BLE001 -- the guard in the door's loop: a defect of ours costs one connection
            _log.error("milter: conversation broke: %s", type(error).__name__)
        finally:
            self._forget_message()
            self._patience.close()
            self._writer.close()

    async def _next_packet(self) -> Packet:
        while (found := self._wire.next_packet()) is None:
            if not self._wire.is_in_content:
                self._crowd.wait(self)
            timeouts = self._settings.timeouts
            self._patience.begin(timeouts.message_s if self._wire.is_in_message else timeouts.idle_s)
            try:
                if self._state.is_draining:
                    self.hurry()
                octets = await self._reader.read(_READ_BYTES)
            except TimeoutError:
                raise MtaGone from None
            finally:
                self._patience.end()
            if not octets:
                raise MtaGone
            self._wire.feed(octets)
        self._crowd.work(self)
        return found

    async def _obey(self, told: Packet) -> None:
        answer = _CONTINUE
        if told.ask is not Ask.MACRO:
            self._macros[told.ask] = self._macros_to_come.pop(told.ask, {})
        match told.payload:
            case Negotiate() as offer:
                await self._send(self._wire.negotiated(offer))
                return
            case Macros(stage=stage, values=values):
                self._macros_to_come[stage] = dict(values)
            case Connect() as client:
                self._client = client
            case Helo(name=name):
                self._helo = name
            case Path() as path:
                answer = self._mail(path) if told.ask is Ask.MAIL else self._rcpt(path)
            case Header(name=name, value=value):
                joint = b":" if self.has_leading_space else b": "
                self._keep(name + joint + value.replace(b"\n", b"\r\n") + b"\r\n")
            case Chunk(octets=octets):
                self._keep(octets)
            case None:
                self._obey_bare(told.ask)
        if told.ask is Ask.END_OF_MESSAGE:
            await self._end_of_message()
        elif self._wire.is_answer_due:
            await self._send(self._wire.answer(answer))

    def _obey_bare(self, ask: Ask) -> None:
        match ask:
            case Ask.END_OF_HEADERS:
                self._keep(b"\r\n")
            case Ask.ABORT:
                self._forget_message()
            case Ask.QUIT_NEW_CONNECTION:
                self._forget_message()
                self._client = self._helo = None
                self._macros.clear()
                self._macros_to_come.clear()
            case _:
                pass

    def _mail(self, path: Path) -> bytes:
        self._forget_message()
        max_bytes = self._settings.limits.max_message_bytes
        self._message = MessageSoFar(path, max_bytes=max_bytes, budget=self._state.budget)
        return _CONTINUE if path.address is not None else reply_code_packet(reply("bad_address"))

    def _rcpt(self, path: Path) -> bytes:
        assert self._message is not None
        if not path.address:
            return reply_code_packet(reply("bad_address"))
        if len(self._message.recipients) >= self._settings.max_recipients:
            return reply_code_packet(reply("too_many_recipients"))
        self._message.recipients.append(Recipient(address=path.address, parameters=path.parameters))
        return _CONTINUE

    def _keep(self, octets: bytes) -> None:
        assert self._message is not None
        self._message.keep(octets)

    def _forget_message(self) -> None:
        if self._message is not None:
            self._message.close()
            self._message = None

    # The end of a message.

    async def _end_of_message(self) -> None:
        message = self._message
        assert message is not None
        self._state.messages_under_way += 1
        self._show_life()
        try:
            packets = await self._answer(message)
        finally:
            self._state.messages_under_way -= 1
            if self._life_sign is not None:
                self._life_sign.cancel()
            self._forget_message()
        await self._send(self._wire.answer(*packets))
        if self._state.is_draining:
            raise MtaGone

    async def _answer(self, message: MessageSoFar) -> tuple[bytes, ...]:
        """The packets that answer a message: edits and ACCEPT, what is said of a hold, or a reply code."""
        fault = message.fault
        if fault is None and (message.path.address is None or not message.recipients):
            fault = reply("no_recipients")
        if fault is not None:
            return (reply_code_packet(fault),)
        submission = self._submission(message)
        name = content_fault(submission.raw, self._settings.limits)
        if name is not None:
            return (reply_code_packet(reply(name)),)
        hand_over = HandOver(self, submission)
        answer = await self._judged(submission, hand_over)
        if not answer.is_positive:
            return (reply_code_packet(answer),)
        if hand_over.edits is None:
            return self._held(answer)
        return (*hand_over.edits, packet(Say.ACCEPT))

    def _held(self, answer: Reply) -> tuple[bytes, ...]:
        """What the mail server does with a message that our store has: forget it, or keep its own copy aside."""
        if not self._wire.agreed.can_quarantine:
            return (packet(Say.DISCARD),)
        reason = answer.lines[-1].partition(" ")[2]  # without the enhanced code: words of our table, and the reference
        return (quarantine_packet(reason), packet(Say.ACCEPT))

    async def _judged(self, submission: Submission, hand_over: HandOver) -> Reply:
        try:
            return await self._state.handle(submission, hand_over)
        except GatewayError as error:
            _log.warning("milter: message failed id=%s: %s", submission.id, error.cause)
            return error.reply
        except Exception as error:  # noqa: BLE001 -- the guard around a message: a defect of ours is a 451
            _log.error("milter: message broke id=%s: %s", submission.id, type(error).__name__)
            return reply("machinery")

    def _submission(self, message: MessageSoFar) -> Submission:
        return Submission(
            id=self._state.new_id(),
            received_at=self._state.now(),
            envelope=Envelope(
                mail_from=message.path.address or None,
                recipients=tuple(message.recipients),
                mail_parameters=message.path.parameters,
            ),
            raw=message.content(),
            session=self._facts(),
        )

    def _facts(self) -> SessionFacts:
        login = self._macro("auth_authen")
        is_tls = self._macro("tls_version") is not None
        host_name = self._client.host_name if self._client else None
        is_known = host_name is not None and host_name != "unknown" and not host_name.startswith("[")
        return SessionFacts(
            client_ip=ip_address_of(self._client.address or "") if self._client else None,
            client_name=host_name if is_known else None,
            helo=self._helo or None,
            login=login,
            is_trusted=True,
            is_tls=is_tls,
            protocol="ESMTP" + ("S" if is_tls else "") + ("A" if login else ""),
        )

    def _macro(self, name: str) -> str | None:
        """A macro's value as it was told last, None if it was not or is empty."""
        for stage in (Ask.END_OF_MESSAGE, Ask.MAIL, Ask.HELO, Ask.CONNECT):
            value = self._macros.get(stage, {}).get(name)
            if value:
                return value
        return None

    def _show_life(self) -> None:
        """PROGRESS every few seconds while the message is judged, so that the mail server does not lose patience."""
        loop = asyncio.get_running_loop()
        self._life_sign = loop.call_later(self._settings.timeouts.progress_s, self._say_progress)

    def _say_progress(self) -> None:
        if not self.is_gone:
            self._writer.write(self._wire.progress())
            self._show_life()

    async def _send(self, octets: bytes) -> None:
        if self._writer.is_closing():  # uvloop raises RuntimeError for a write after the end
            raise MtaGone
        self._writer.write(octets)
        if self._writer.transport.get_write_buffer_size() <= _UNREAD_BYTES:
            return
        try:
            async with asyncio.timeout(self._settings.timeouts.reply_s):
                await self._writer.drain()
        except TimeoutError:
            raise MtaGone from None
