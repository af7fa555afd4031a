"""The milter conversation without I/O: octets in, packets out, and which packet and which answer may come when.

A mail server negotiates once, tells of a connection, then of message after message: envelope, header fields, body, end
of message. It may abort a message anywhere. Each command of a message waits for one answer, unless the negotiation
spared it; only the end of the message takes edits, and as many signs of life as it takes. The two tables below say all
of that, and nothing else in this file knows an order.

Not the meaning of what was told (`gateway.doors.milter_session`). As h11 does for HTTP: a breach by the peer is a
`ProtocolError`, one of ours an `AnswerNotAllowed`. Sendmail `engine.c`, Postfix MILTER_README.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gateway.doors.milter_packets import (
    MAX_PACKET_BYTES,
    MAX_VERSION,
    Action,
    Ask,
    MacroStage,
    Negotiate,
    Packet,
    ProtocolError,
    Say,
    Step,
    negotiate_packet,
    packet,
    read_packet,
)
from gateway.doors.milter_versions import Agreement, agree

_LENGTH = struct.Struct(">I")


class AnswerNotAllowed(Exception):
    """We were about to say what the peer does not expect now: a defect of ours."""


class Stage(StrEnum):
    """Where the conversation stands."""

    FRESH = "fresh"
    READY = "ready"
    CONNECTED = "connected"
    MAIL = "mail"
    RCPT = "rcpt"
    HEADERS = "headers"
    BODY = "body"
    ANSWERING = "answering"
    CLOSED = "closed"


_S, _A = Stage, Ask
_AT_REST = (Stage.READY, Stage.CONNECTED)
_IN_MESSAGE = (Stage.MAIL, Stage.RCPT, Stage.HEADERS, Stage.BODY)
_FROM_MAIL_ON = frozenset({*_IN_MESSAGE, Stage.ANSWERING})
_CONTENT = frozenset({Stage.HEADERS, Stage.BODY, Stage.ANSWERING})
NEXT_STAGE: Mapping[tuple[Stage, Ask], Stage] = MappingProxyType(
    {
        (_S.FRESH, _A.NEGOTIATE): _S.READY,
        (_S.FRESH, _A.QUIT): _S.CLOSED,
        (_S.READY, _A.CONNECT): _S.CONNECTED,
        (_S.READY, _A.HELO): _S.CONNECTED,
        (_S.CONNECTED, _A.HELO): _S.CONNECTED,
        (_S.READY, _A.MAIL): _S.MAIL,
        (_S.CONNECTED, _A.MAIL): _S.MAIL,
        (_S.MAIL, _A.RCPT): _S.RCPT,
        (_S.RCPT, _A.RCPT): _S.RCPT,
        (_S.RCPT, _A.DATA): _S.HEADERS,
        (_S.RCPT, _A.HEADER): _S.HEADERS,
        (_S.RCPT, _A.END_OF_HEADERS): _S.BODY,
        (_S.HEADERS, _A.HEADER): _S.HEADERS,
        (_S.HEADERS, _A.END_OF_HEADERS): _S.BODY,
        (_S.BODY, _A.BODY): _S.BODY,
        (_S.BODY, _A.END_OF_MESSAGE): _S.ANSWERING,
        **{(stage, _A.ABORT): _S.CONNECTED for stage in _IN_MESSAGE},
        **{(stage, _A.ABORT): stage for stage in _AT_REST},
        **{(stage, _A.QUIT): _S.CLOSED for stage in (*_AT_REST, *_IN_MESSAGE)},
        **{(stage, _A.QUIT_NEW_CONNECTION): _S.READY for stage in (*_AT_REST, *_IN_MESSAGE)},
        **{(stage, _A.MACRO): stage for stage in (*_AT_REST, *_IN_MESSAGE)},
        **{(stage, _A.UNKNOWN): stage for stage in (*_AT_REST, *_IN_MESSAGE)},
    }
)
"""The commands that may come in each stage, and the stage that follows."""

_AT_COMMAND = frozenset({Say.CONTINUE, Say.ACCEPT, Say.TEMPFAIL, Say.REPLY_CODE})
_IN_MAIL = _AT_COMMAND | {Say.DISCARD}
_EDITS = frozenset(
    {Say.ADD_HEADER, Say.INSERT_HEADER, Say.CHANGE_HEADER, Say.REPLACE_BODY, Say.PROGRESS, Say.QUARANTINE}
)
ANSWERS: Mapping[Ask, frozenset[Say]] = MappingProxyType(
    {
        _A.NEGOTIATE: frozenset({Say.NEGOTIATE}),
        _A.CONNECT: _AT_COMMAND,
        _A.HELO: _AT_COMMAND,
        _A.MAIL: _IN_MAIL,
        _A.RCPT: _IN_MAIL,
        _A.DATA: _IN_MAIL,
        _A.UNKNOWN: _AT_COMMAND,
        _A.HEADER: _IN_MAIL,
        _A.END_OF_HEADERS: _IN_MAIL,
        _A.BODY: _IN_MAIL,
        _A.END_OF_MESSAGE: _IN_MAIL | _EDITS,
        _A.MACRO: frozenset(),
        _A.ABORT: frozenset(),
        _A.QUIT: frozenset(),
        _A.QUIT_NEW_CONNECTION: frozenset(),
    }
)
"""The answers that each command may get; none at all for an empty set. A version that is old, or a mail server that
permits less, takes fewer of them (`gateway.doors.milter_versions`)."""

_SPARED: Mapping[Ask, Step] = MappingProxyType(
    {
        _A.CONNECT: Step.NO_REPLY_CONNECT,
        _A.HELO: Step.NO_REPLY_HELO,
        _A.DATA: Step.NO_REPLY_DATA,
        _A.UNKNOWN: Step.NO_REPLY_UNKNOWN,
        _A.HEADER: Step.NO_REPLY_HEADER,
        _A.END_OF_HEADERS: Step.NO_REPLY_END_OF_HEADERS,
        _A.BODY: Step.NO_REPLY_BODY,
    }
)
NEEDED = Action.ADD_HEADERS | Action.CHANGE_BODY | Action.CHANGE_HEADERS
"""What a mail server must let us do; without it a plan can't be carried out."""
_BEFORE_NEGOTIATION = agree(
    Negotiate(version=MAX_VERSION, actions=0, steps=0), wanted_actions=Action(0), wanted_steps=Step(0)
)
WANTED_STEPS = Step.NO_UNKNOWN | Step.NO_DATA | Step.HEADER_LEADING_SPACE | Step(sum(_SPARED.values()))
WANTED_MACROS = ((MacroStage.HELO, "{tls_version}"), (MacroStage.MAIL, "{auth_authen}"))


class MilterWire:
    """One conversation. `feed` octets, take `next_packet`, and answer with `answer` while `is_answer_due`.

    Holds at most one packet of `MAX_PACKET_BYTES` beyond what was fed last. `asks_for_macros` puts lists of the
    macros that we need into the negotiation; mail servers tell them by default, and not every peer reads lists.
    `wants_quarantine` asks for the permission to leave messages in the mail server's queue.
    """

    def __init__(self, *, asks_for_macros: bool = False, wants_quarantine: bool = False) -> None:
        self._wanted_actions = (
            NEEDED
            | (Action.SET_MACROS if asks_for_macros else Action(0))
            | (Action.QUARANTINE if wants_quarantine else Action(0))
        )
        self.stage = Stage.FRESH
        self.agreed: Agreement = _BEFORE_NEGOTIATION
        self._buffer = bytearray()
        self._at = 0
        self._answered = frozenset(ask for ask, answers in ANSWERS.items() if answers)
        self._asked: Ask | None = None

    @property
    def has_leading_space(self) -> bool:
        """True if values of fields carry the space behind the colon."""
        return Step.HEADER_LEADING_SPACE in self.agreed.steps

    @property
    def is_answer_due(self) -> bool:
        """True while the last command waits for its answer."""
        return self._asked is not None

    @property
    def is_in_message(self) -> bool:
        """True from MAIL to the answer at the end of the message."""
        return self.stage in _FROM_MAIL_ON

    @property
    def is_in_content(self) -> bool:
        """True from the first header field to the answer at the end of the message."""
        return self.stage in _CONTENT

    def feed(self, octets: bytes) -> None:
        """Take octets from the connection."""
        self._buffer += octets

    def next_packet(self) -> Packet | None:
        """The next whole packet, or None until more is fed. Raises ProtocolError; then the connection must end."""
        if self._asked is not None:
            raise AnswerNotAllowed("the last command has no answer yet")
        ready = len(self._buffer) - self._at
        if ready < _LENGTH.size:
            self._forget()
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, self._at)
        if not 1 <= length <= MAX_PACKET_BYTES:
            raise ProtocolError("packet is empty or too long")
        if ready < _LENGTH.size + length:
            self._forget()
            return None
        start = self._at + _LENGTH.size
        self._at = start + length
        found = read_packet(self._buffer[start], bytes(memoryview(self._buffer)[start + 1 : self._at]))
        following = NEXT_STAGE.get((self.stage, found.ask))
        if following is None:
            raise ProtocolError(f"command {found.ask.name} in stage {self.stage}")
        self.stage = following
        self._asked = found.ask if found.ask in self._answered else None
        return found

    def negotiated(self, offer: Negotiate) -> bytes:
        """Our answer to the negotiation. Raises ProtocolError if the mail server does not let us change messages."""
        agreed = agree(offer, wanted_actions=self._wanted_actions, wanted_steps=WANTED_STEPS)
        if agreed.actions & NEEDED != NEEDED:
            raise ProtocolError("the mail server does not let header and body be changed")
        self._check(Say.NEGOTIATE)
        self._asked = None
        self.agreed = agreed
        self._answered -= {ask for ask, step in _SPARED.items() if step & agreed.steps}
        return negotiate_packet(
            version=agreed.version,
            actions=agreed.actions,
            steps=agreed.steps,
            wanted_macros=WANTED_MACROS if Action.SET_MACROS in agreed.actions else (),
        )

    def progress(self) -> bytes:
        """A sign of life while the end of a message waits for its answer."""
        self._check(Say.PROGRESS)
        return packet(Say.PROGRESS)

    def answer(self, *packets: bytes) -> bytes:
        """Packets of `milter_packets` as octets to send: any edits, and last the one that ends the waiting.

        Raises AnswerNotAllowed for one that the last command does not take.
        """
        for each in packets:
            self._check(Say(each[4]))
        if not packets or Say(packets[-1][4]) in _EDITS or any(Say(each[4]) not in _EDITS for each in packets[:-1]):
            raise AnswerNotAllowed("an answer is edits and then one last word")
        ends_message = self._asked is not Ask.RCPT and packets[-1][4] != Say.CONTINUE
        if self.stage is Stage.ANSWERING or (self.is_in_message and ends_message):
            self.stage = Stage.CONNECTED
        self._asked = None
        return packets[0] if len(packets) == 1 else b"".join(packets)

    def _check(self, say: Say) -> None:
        if self._asked is None or say not in ANSWERS[self._asked] or say not in self.agreed.answers:
            raise AnswerNotAllowed(f"{say.name} is no answer to {self._asked.name if self._asked else 'nothing'}")

    def _forget(self) -> None:
        """Drop the octets that were taken. Only when a packet is incomplete: so each octet is moved once at most."""
        del self._buffer[: self._at]
        self._at = 0
