from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.message.submission import Envelope, Recipient
from gateway.outbound.relay import (
    NextHop,
    NextHopDown,
    NextHopLost,
    NextHopSession,
    NextHopSlow,
    RelayTimeouts,
    keyword_needed,
)

QUICK = RelayTimeouts(
    connect_s=1, greeting_s=1, command_s=0.05, data_start_s=1, data_block_s=1, data_end_s=1, farewell_s=0.05
)


class Writer:
    """The part of asyncio.StreamWriter that a session uses, keeping what is written."""

    def __init__(self) -> None:
        self.octets = b""
        self.is_closed = False

    def write(self, octets: bytes) -> None:
        self.octets += bytes(octets)

    async def drain(self) -> None:
        if self.is_closed:
            raise ConnectionResetError

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def with_replies(
    octets: bytes, work: Callable[[NextHopSession], Awaitable[object]], *, is_ended: bool = False
) -> Writer:
    """Run the work on a session whose next hop says these octets; what was written to it."""

    async def run() -> Writer:
        reader, writer = asyncio.StreamReader(limit=8192), Writer()
        reader.feed_data(octets)
        if is_ended:
            reader.feed_eof()
        await work(NextHopSession(reader, writer, timeouts=QUICK))  # type: ignore[arg-type]
        return writer

    return asyncio.run(run())


def test_the_keywords_of_ehlo_are_kept_in_upper_case() -> None:
    async def work(session: NextHopSession) -> None:
        await session.greet("gateway.example")
        assert session.keywords == {"SIZE": "100", "DSN": "", "XFORWARD": "NAME ADDR"}

    sent = with_replies(b"220-hi\r\n220 you\r\n250-hop\r\n250-size 100\r\n250-DSN\r\n250 XFORWARD NAME ADDR\r\n", work)
    assert sent.octets == b"EHLO gateway.example\r\n"


def test_a_reply_keeps_its_lines() -> None:
    async def work(session: NextHopSession) -> None:
        answer = await session.command(b"RCPT TO:<jo@mail.example>")
        assert (answer.code, answer.lines) == (550, ("5.1.1 one", "5.1.1 two", ""))

    with_replies(b"550-5.1.1 one\r\n550-5.1.1 two\r\n550\r\n", work)


@pytest.mark.parametrize(
    "octets", [b"hello\r\n", b"25 ok\r\n", b"250ok\r\n", b"999 x\r\n", b"250-x\r\n" * 300, b"250 " + b"x" * 20_000]
)
def test_what_is_no_reply_loses_the_session(octets: bytes) -> None:
    async def work(session: NextHopSession) -> None:
        with pytest.raises(NextHopLost):
            await session.command(b"NOOP")
        assert not session.is_open

    with_replies(octets, work, is_ended=True)


def test_a_reply_with_control_characters_can_make_no_second_line() -> None:
    async def work(session: NextHopSession) -> None:
        answer = await session.command(b"NOOP")
        assert answer.wire() == b"250 a  b\r\n"

    with_replies(b"250 a\r\x00b\r\n", work)


def test_an_end_in_place_of_a_reply_is_a_loss_and_silence_is_slow() -> None:
    async def lost(session: NextHopSession) -> None:
        with pytest.raises(NextHopLost):
            await session.command(b"NOOP")

    async def slow(session: NextHopSession) -> None:
        with pytest.raises(NextHopSlow) as caught:
            await session.command(b"NOOP")
        assert caught.value.reply.code == 451
        assert not session.is_open

    with_replies(b"250-half\r\n", lost, is_ended=True)
    with_replies(b"250-half\r\n", slow)


def test_a_refused_greeting_is_a_next_hop_that_is_down() -> None:
    async def work(session: NextHopSession) -> None:
        with pytest.raises(NextHopDown):
            await session.greet("gateway.example")

    with_replies(b"554 go away\r\n", work)
    with_replies(b"", work, is_ended=True)


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".a\r\n..\r\n.\r\n", b"..a\r\n...\r\n..\r\n.\r\n"),
        (b"x" * 3_000_000 + b"\r\n.\r\n", b"x" * 3_000_000 + b"\r\n..\r\n.\r\n"),
    ],
)
def test_content_is_stuffed_and_ended(content: bytes, wire: bytes) -> None:
    async def work(session: NextHopSession) -> None:
        assert (await session.data(content)).lines == ("Ok",)

    assert with_replies(b"354 Go\r\n250 Ok\r\n", work).octets == b"DATA\r\n" + wire


def test_a_refusal_of_data_is_the_answer_and_nothing_is_sent() -> None:
    async def work(session: NextHopSession) -> None:
        assert (await session.data(b"secret\r\n")).code == 452

    assert with_replies(b"452 full\r\n", work).octets == b"DATA\r\n"


def test_xforward_tells_what_is_offered_in_lines_that_fit() -> None:
    async def work(session: NextHopSession) -> None:
        session.keywords = {"XFORWARD": "NAME addr HELO"}
        told = {"NAME": "n" * 255, "ADDR": None, "PORT": "5", "HELO": "h +" + "x" * 250}
        await session.xforward(told)

    sent = with_replies(b"250 Ok\r\n550 no\r\n", work).octets
    first, second = sent.split(b"\r\n")[:2]
    assert first == b"XFORWARD NAME=" + b"n" * 255 + b" ADDR=[UNAVAILABLE]"
    assert second == b"XFORWARD HELO=h+20+2B" + b"x" * 250
    assert b"PORT" not in sent


def test_nothing_is_told_where_xforward_is_not_offered() -> None:
    async def work(session: NextHopSession) -> None:
        await session.xforward({"NAME": "pc.example"})

    assert with_replies(b"", work).octets == b""


def test_a_command_of_two_lines_is_a_defect_of_the_caller() -> None:
    async def work(session: NextHopSession) -> None:
        with pytest.raises(ValueError, match="one line"):
            await session.command(b"NOOP\r\nMAIL FROM:<>")

    with_replies(b"", work)


def test_reset_and_quit_never_raise() -> None:
    async def work(session: NextHopSession) -> None:
        await session.rset()
        assert not session.is_open
        await session.rset()
        await session.quit()

    for octets in (b"", b"500 what\r\n", b"junk\r\n"):
        assert with_replies(octets, work).is_closed


@pytest.mark.parametrize(
    ("parameter", "keyword"),
    [
        ("size=5", "SIZE"),
        ("BODY=8BITMIME", "8BITMIME"),
        ("SMTPUTF8", "SMTPUTF8"),
        ("Notify=NEVER", "DSN"),
        ("X=1", None),
    ],
)
def test_each_parameter_belongs_to_an_extension(parameter: str, keyword: str | None) -> None:
    assert keyword_needed(parameter) == keyword


def send(monkeypatch: pytest.MonkeyPatch, octets: bytes, *, keywords: bytes = b"250 hop\r\n") -> tuple[object, bytes]:
    """What `NextHop.send` says of two recipients, and what it wrote."""
    writer = Writer()

    async def connect(*_: object, **__: object) -> tuple[asyncio.StreamReader, Writer]:
        reader = asyncio.StreamReader(limit=8192)
        reader.feed_data(b"220 hop\r\n" + keywords + octets)
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", connect)
    hop = NextHop(host="127.0.0.1", port=25, ehlo_name="gateway.example", timeouts=QUICK)
    recipients = (
        Recipient(address="jo@mail.example", parameters=("NOTIFY=NEVER",)),
        Recipient(address="two@mail.example"),
    )
    envelope = Envelope(mail_from=None, recipients=recipients, mail_parameters=("SIZE=9", "BODY=8BITMIME"))
    answers = asyncio.run(hop.send(envelope, b"Hi\r\n"))
    return {address: answer.code for address, answer in answers.items()}, writer.octets


def test_send_answers_for_each_recipient(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, sent = send(monkeypatch, b"250 a\r\n550 b\r\n250 c\r\n354 d\r\n250 e\r\n221 f\r\n")
    assert answers == {"jo@mail.example": 550, "two@mail.example": 250}
    assert sent == (
        b"EHLO gateway.example\r\nMAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<jo@mail.example>\r\n"
        b"RCPT TO:<two@mail.example>\r\nDATA\r\nHi\r\n.\r\nQUIT\r\n"
    )


def test_send_keeps_dsn_wishes_where_they_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = send(monkeypatch, b"250 a\r\n550 b\r\n550 c\r\n221 f\r\n", keywords=b"250-hop\r\n250 DSN\r\n")
    assert b"RCPT TO:<jo@mail.example> NOTIFY=NEVER\r\n" in sent
    assert b"DATA" not in sent


def test_a_refused_sender_is_the_answer_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, _ = send(monkeypatch, b"451 later\r\n221 bye\r\n")
    assert answers == {"jo@mail.example": 451, "two@mail.example": 451}


def test_no_connection_is_a_next_hop_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(asyncio, "open_connection", refuse)
    with pytest.raises(NextHopDown):
        asyncio.run(NextHop(host="127.0.0.1", port=25, ehlo_name="gateway.example").open())
