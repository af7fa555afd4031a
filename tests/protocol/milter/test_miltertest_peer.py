"""Another's idea of the protocol: conversations by PyPI `miltertest` drive our milter door.

It calls itself version 2 and waits for an answer to every command. It takes QUARANTINE for the last word, so one more
packet is read after it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from miltertest import MilterConnection, MilterError
from miltertest import constants as c

from gateway.message.limits import Limits
from tests.integration.milter_doors import running_milter
from tests.protocol.milter.test_milter_transcripts import HANDLES

HEADERS = [("From", "ada@agency.example"), ("Subject", "Room\n 204"), ("X-Empty", "")]
BODY = "Hello Jordan,\r\n\r\nsee you on Monday.\r\n"
SENT = b"From: ada@agency.example\r\nSubject: Room\r\n 204\r\nX-Empty: \r\n\r\n" + BODY.encode()


@contextlib.contextmanager
def conversation(handle: str, **settings: object) -> Iterator[MilterConnection]:
    with (
        running_milter(HANDLES[handle], **settings) as door,
        socket.create_connection(door.address, timeout=20) as connection,  # type: ignore[arg-type]
    ):
        yield MilterConnection(connection)


def begin(mta: MilterConnection, *, actions: int = c.SMFI_V6_ACTS, protocol: int = c.SMFI_V2_PROT) -> tuple[int, int]:
    agreed: tuple[int, int] = mta.optneg_mta(actions=actions, protocol=protocol)
    mta.send_macro(c.SMFIC_CONNECT, j="mail.agency.example")
    mta.send(c.SMFIC_CONNECT, hostname="client.example", family="4", port=1025, address="192.0.2.7")
    mta.send_macro(c.SMFIC_HELO, **{"{tls_version}": "TLSv1.3"})
    mta.send(c.SMFIC_HELO, helo="laptop.example")
    return agreed


def message(mta: MilterConnection, body: str = BODY) -> list[tuple[str, dict[str, Any]]]:
    mta.send_macro(c.SMFIC_MAIL, **{"{auth_authen}": "aokafor", "i": "4Fq"})
    mta.send(c.SMFIC_MAIL, args=["<ada@agency.example>", "SIZE=200"])
    mta.send(c.SMFIC_RCPT, args=["<jo@mail.example>"])
    mta.send_headers(HEADERS)
    mta.send(c.SMFIC_EOH)
    mta.send_body(body)
    answer: list[tuple[str, dict[str, Any]]] = mta.send_eom()
    return answer


def test_a_message_that_stays_as_it_is_is_accepted_and_another_one_after_it() -> None:
    with conversation("deliver") as mta:
        assert begin(mta) == (c.SMFIF_ADDHDRS | c.SMFIF_CHGBODY | c.SMFIF_CHGHDRS, 0)
        for _ in range(3):
            assert message(mta) == [(c.SMFIR_ACCEPT, {})]


def test_the_amended_message_comes_as_a_field_on_top_and_a_body_in_pieces() -> None:
    body = "".join(f"{number:06} 0123456789 0123456789 0123456789\r\n" for number in range(5000))
    with conversation("amend") as mta:
        begin(mta)
        *changed, last = message(mta, body)
    assert last == (c.SMFIR_ACCEPT, {})
    assert changed[0] == (c.SMFIR_INSHEADER, {"index": 0, "name": "X-Stamp", "value": "one\n two"})
    pieces = [arguments["buf"] for word, arguments in changed[1:] if word == c.SMFIR_REPLBODY]
    assert len(pieces) == len(changed) - 1 > 3
    assert max(map(len, pieces)) == c.MILTER_CHUNK_SIZE
    assert "".join(pieces) == body + "-- \r\nA notice.\r\n"


def test_what_was_told_reaches_the_flow() -> None:
    with conversation("facts") as mta:
        begin(mta)
        ((word, arguments),) = message(mta)
    assert word == c.SMFIR_REPLYCODE
    text = arguments["text"]
    assert "192.0.2.7 client.example laptop.example aokafor ESMTPSA True" in text
    assert "ada@agency.example ('SIZE=200',) [('jo@mail.example', ())]" in text
    assert repr(SENT) in text


@pytest.mark.parametrize(
    ("handle", "code", "words"),
    [("forget", "550", "5.7.1 rule=r"), ("break", "451", "4.3.0"), ("fail", "451", "4.3.0")],
)
def test_a_refusal_is_a_reply_of_the_table_with_its_code(handle: str, code: str, words: str) -> None:
    with conversation(handle) as mta:
        begin(mta)
        ((word, arguments),) = message(mta)
        assert (word, arguments["smtpcode"]) == (c.SMFIR_REPLYCODE, code)
        assert arguments["text"].startswith(words)
        assert message(mta)[-1][0] == c.SMFIR_REPLYCODE, "the connection goes on"


def test_what_is_held_is_discarded_or_by_option_quarantined() -> None:
    with conversation("hold") as mta:
        begin(mta)
        assert message(mta) == [(c.SMFIR_DISCARD, {})]
    with conversation("hold", quarantines=True) as mta:
        assert begin(mta)[0] & c.SMFIF_QUARANTINE
        assert message(mta) == [(c.SMFIR_QUARANTINE, {"reason": "held for review ref=m1"})]
        assert mta.recv() == (c.SMFIR_ACCEPT, {})
    with conversation("hold", quarantines=True) as mta:
        begin(mta, actions=c.SMFI_V6_ACTS & ~c.SMFIF_QUARANTINE)
        assert message(mta) == [(c.SMFIR_DISCARD, {})]


def test_progress_is_said_while_a_message_is_judged() -> None:
    from gateway.doors.milter_settings import MilterTimeouts

    with conversation("slow", timeouts=MilterTimeouts(progress_s=0.05)) as mta:
        begin(mta)
        mta.send(c.SMFIC_MAIL, args=["<ada@agency.example>"])
        mta.send(c.SMFIC_RCPT, args=["<jo@mail.example>"])
        mta.send(c.SMFIC_EOH)
        mta._send(c.SMFIC_BODYEOB)
        words = []
        while not words or words[-1] == c.SMFIR_PROGRESS:
            words.append(mta._recv()[0])
    assert words[-1] == c.SMFIR_ACCEPT
    assert len(words) > 2


def test_an_abort_and_a_refused_recipient_leave_the_conversation_whole() -> None:
    with conversation("deliver", max_recipients=1) as mta:
        begin(mta)
        mta.send(c.SMFIC_MAIL, args=["<ada@agency.example>"])
        mta.send(c.SMFIC_RCPT, args=["<jo@mail.example>"])
        word, arguments = mta.send_ar(c.SMFIC_RCPT, args=["<two@mail.example>"])
        assert (word, arguments["smtpcode"]) == (c.SMFIR_REPLYCODE, "452")
        mta._send(c.SMFIC_ABORT)
        assert message(mta) == [(c.SMFIR_ACCEPT, {})]


def test_too_large_a_message_is_refused_at_its_end() -> None:
    with conversation("deliver", limits=Limits(max_message_bytes=100_000)) as mta:
        begin(mta)
        ((word, arguments),) = message(mta, "x" * 200_000 + "\r\n")
    assert (word, arguments["smtpcode"]) == (c.SMFIR_REPLYCODE, "552")


def test_a_peer_that_does_not_let_bodies_be_changed_is_sent_away() -> None:
    with conversation("deliver") as mta, pytest.raises(MilterError, match="EOF"):
        mta.optneg_mta(actions=c.SMFIF_ADDHDRS | c.SMFIF_CHGHDRS)


@pytest.mark.parametrize("words", [b"\x00\x00\x00\x05Zjunk", b"\xff\xff\xff\xffM", b"\x00\x00\x00\x01E"])
def test_a_breach_ends_that_connection_only(words: bytes) -> None:
    with (
        running_milter(HANDLES["deliver"]) as door,
        socket.create_connection(door.address, timeout=20) as honest,  # type: ignore[arg-type]
        socket.create_connection(door.address, timeout=20) as hostile,  # type: ignore[arg-type]
    ):
        mta, other = MilterConnection(honest), MilterConnection(hostile)
        begin(mta)
        begin(other)
        hostile.sendall(words)
        with pytest.raises((MilterError, ConnectionResetError)):
            other.recv()
        assert message(mta) == [(c.SMFIR_ACCEPT, {})]
