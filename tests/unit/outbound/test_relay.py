from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest

from gateway.message.errors import MachineryFailed
from gateway.message.reply import Reply
from gateway.message.submission import Envelope, Recipient
from gateway.outbound import wire
from gateway.outbound.relay import (
    NextHop,
    NextHopDown,
    NextHopLost,
    NextHopSession,
    NextHopSlow,
    keyword_needed,
)
from gateway.outbound.wire import ReplyReader
from tests.unit.outbound.next_hop import AMPLE, Wire, replies_in, with_replies


def test_the_keywords_of_ehlo_are_kept_in_upper_case() -> None:
    async def work(session: NextHopSession) -> None:
        await session.greet("gateway.example")
        assert session.keywords == {"SIZE": "100", "DSN": "", "XFORWARD": "NAME ADDR"}

    sent = with_replies(
        b"220-hi\r\n220 you\r\n250-hop\r\n250-size 100\r\n250-DSN\r\n250 XFORWARD NAME ADDR\r\n", work, is_greeting=True
    )
    assert sent.octets == b"EHLO gateway.example\r\n"


def test_a_reply_keeps_its_lines() -> None:
    async def work(session: NextHopSession) -> None:
        answer = await session.command(b"RCPT TO:<jo@mail.example>")
        assert (answer.code, answer.lines) == (550, ("5.1.1 one", "5.1.1 two", ""))

    with_replies(b"550-5.1.1 one\r\n550-5.1.1 two\r\n550\r\n", work)


@pytest.mark.parametrize(
    "octets",
    [
        b"550-no\r\n250 yes\r\n",
        b"hello\r\n",
        b"25 ok\r\n",
        b"250ok\r\n",
        b"999 x\r\n",
        b"250-x\r\n" * 300,
        b"250 " + b"x" * 20_000,
    ],
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
        session._timeouts = replace(AMPLE, command_s=0.01)
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

    with_replies(b"554 go away\r\n", work, is_greeting=True)
    with_replies(b"354 go on\r\n", work, is_greeting=True)
    with_replies(b"", work, is_ended=True, is_greeting=True)


def test_a_refusal_of_data_is_the_answer_and_nothing_is_sent() -> None:
    async def work(session: NextHopSession) -> None:
        assert (await session.data(b"secret\r\n")).code == 452

    assert with_replies(b"452 full\r\n", work).octets == b"DATA\r\n"


@pytest.mark.parametrize("code", [b"250 ok", b"221 bye", b"350 what", b"334 more"])
def test_no_answer_to_data_but_354_starts_the_content_and_none_but_a_refusal_is_an_answer(code: bytes) -> None:
    async def work(session: NextHopSession) -> None:
        with pytest.raises(NextHopLost) as caught:
            await session.data(b"secret\r\n")
        assert (caught.value.reply.code, caught.value.has_sent_content) == (451, False)
        assert not session.is_open

    assert with_replies([code + b"\r\n", b"250 ok\r\n"], work).octets == b"DATA\r\n"


@pytest.mark.parametrize("said", [b"250 ok\r\n250 again\r\n", b"250 ok\r\n2", b"354 go on\r\n"])
def test_a_next_hop_out_of_step_is_lost_before_its_words_are_taken_for_an_answer(said: bytes) -> None:
    async def work(session: NextHopSession) -> None:
        async def recipient_and_content() -> None:
            await session.command(b"RCPT TO:<jo@mail.example>")
            await session.data(b"x\r\n")

        with pytest.raises(NextHopLost):
            await recipient_and_content()
        assert session.is_stale

    assert b"DATA" not in with_replies([said, b"354 go\r\n", b"250 ok\r\n"], work).octets


def test_an_answer_that_came_before_the_final_dot_is_no_answer_to_it() -> None:
    async def work(session: NextHopSession) -> None:
        with pytest.raises(NextHopLost) as caught:
            await session.data(b"x\r\n")
        assert not caught.value.has_sent_content

    assert with_replies([b"354 go\r\n250 ok\r\n"], work).octets == b"DATA\r\n"


def test_something_said_unasked_makes_a_kept_session_stale() -> None:
    async def work(session: NextHopSession) -> None:
        await session.command(b"NOOP")
        assert not session.is_stale
        session._reader.feed_data(b"421 4.4.2 timeout\r\n")
        assert session.is_stale

    with_replies(b"250 ok\r\n", work)


@pytest.mark.parametrize("last", [b"354 again\r\n", b"hello\r\n", b"550-no\r\n250 ok\r\n"])
def test_a_loss_after_the_final_dot_says_that_the_content_was_sent(last: bytes) -> None:
    async def work(session: NextHopSession) -> None:
        with pytest.raises(NextHopLost) as caught:
            await session.data(b"x\r\n")
        assert caught.value.has_sent_content
        assert not session.is_open

    assert with_replies([b"354 go\r\n", last], work).octets.endswith(b"x\r\n.\r\n")


def test_silence_and_an_end_after_the_final_dot_say_that_the_content_was_sent() -> None:
    async def slow(session: NextHopSession) -> None:
        session._timeouts = replace(AMPLE, data_end_s=0.01)
        with pytest.raises(NextHopSlow) as caught:
            await session.data(b"x\r\n")
        assert caught.value.has_sent_content

    async def lost(session: NextHopSession) -> None:
        with pytest.raises(NextHopLost) as caught:
            await session.data(b"x\r\n")
        assert caught.value.has_sent_content

    with_replies([b"354 go\r\n"], slow)
    with_replies([b"354 go\r\n", b""], lost, is_ended=True)


def test_a_loss_in_the_next_transaction_does_not_speak_of_the_content_before() -> None:
    async def work(session: NextHopSession) -> None:
        await session.data(b"x\r\n")
        with pytest.raises(NextHopLost) as caught:
            await session.command(b"MAIL FROM:<>")
        assert not caught.value.has_sent_content

    with_replies([b"354 go\r\n", b"250 ok\r\n", b"junk\r\n"], work)


@pytest.mark.parametrize("content", [b"", b"a\r\n", b"a", b"x" * 3_000_000])
def test_what_must_come_first_is_done_when_all_but_the_final_dot_is_written(content: bytes) -> None:
    seen: list[bytes] = []

    async def work(session: NextHopSession) -> None:
        async def note() -> None:
            seen.append(session._writer.octets)  # type: ignore[attr-defined]

        assert (await session.data(content, before_end=note)).code == 250

    sent = with_replies([b"354 go\r\n", b"250 ok\r\n"], work).octets
    assert sent == seen[0] + b".\r\n"


def test_what_must_come_first_and_fails_leaves_the_message_without_its_end() -> None:
    async def fail() -> None:
        raise MachineryFailed("store failed")

    async def work(session: NextHopSession) -> None:
        with pytest.raises(MachineryFailed):
            await session.data(b"a\r\n", before_end=fail)
        assert not session.is_open

    assert with_replies([b"354 go\r\n", b"250 ok\r\n"], work).octets == b"DATA\r\na\r\n"


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


ENVELOPE = Envelope(
    mail_from=None,
    recipients=(
        Recipient(address="jo@mail.example", parameters=("NOTIFY=NEVER",)),
        Recipient(address="two@mail.example"),
    ),
    mail_parameters=("SIZE=9", "BODY=8BITMIME"),
)


def send(
    monkeypatch: pytest.MonkeyPatch,
    octets: bytes,
    *,
    keywords: bytes = b"250 hop\r\n",
    envelope: Envelope = ENVELOPE,
    before_end: Callable[[Mapping[str, Reply]], Awaitable[None]] | None = None,
) -> tuple[object, bytes]:
    """What `NextHop.send` says of the recipients, and what it wrote."""
    wires: list[Wire] = []

    async def connect(_host: str, _port: int) -> tuple[ReplyReader, Wire]:
        wires.append(Wire([b"220 hop\r\n", keywords, *replies_in(octets)]))
        wires[0].say()
        return wires[0].reader, wires[0]

    monkeypatch.setattr(wire, "connect", connect)
    hop = NextHop(host="127.0.0.1", port=25, ehlo_name="gateway.example", timeouts=AMPLE)
    answers = asyncio.run(hop.send(envelope, b"Hi\r\n", before_end=before_end))
    return {address: answer.code for address, answer in answers.items()}, wires[0].octets


def test_send_answers_for_each_recipient(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, sent = send(monkeypatch, b"250 a\r\n550 b\r\n250 c\r\n354 d\r\n250 e\r\n221 f\r\n")
    assert answers == {"jo@mail.example": 550, "two@mail.example": 250}
    assert sent == (
        b"EHLO gateway.example\r\nMAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<jo@mail.example>\r\n"
        b"RCPT TO:<two@mail.example>\r\nDATA\r\nHi\r\n.\r\nQUIT\r\n"
    )


def test_send_tells_the_answers_to_rcpt_before_the_content_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, int]] = []

    async def before_end(answers: Mapping[str, Reply]) -> None:
        told.append({address: answer.code for address, answer in answers.items()})

    replies = b"250 a\r\n550 b\r\n250 c\r\n354 d\r\n452 e\r\n221 f\r\n"
    answers, _ = send(monkeypatch, replies, before_end=before_end)
    assert told == [{"jo@mail.example": 550, "two@mail.example": 250}]
    assert answers == {"jo@mail.example": 550, "two@mail.example": 452}


UTF8 = Recipient(address="rené@mail.example")
PLAIN = Recipient(address="jo@mail.example")


@pytest.mark.parametrize(
    ("sender", "parameters"), [(None, ()), (None, ("smtputf8",)), ("zoë@agency.example", ("BODY=8BITMIME",))]
)
def test_an_address_that_is_not_ascii_is_asked_for_with_smtputf8(
    monkeypatch: pytest.MonkeyPatch, sender: str | None, parameters: tuple[str, ...]
) -> None:
    envelope = Envelope(mail_from=sender, recipients=(UTF8, PLAIN), mail_parameters=parameters)
    answers, sent = send(
        monkeypatch,
        b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n250 e\r\n221 f\r\n",
        keywords=b"250-hop\r\n250 SMTPUTF8\r\n",
        envelope=envelope,
    )
    assert answers == {UTF8.address: 250, PLAIN.address: 250}
    mail = sent.split(b"\r\n")[1].upper()
    assert mail.count(b"SMTPUTF8") == 1
    assert "RCPT TO:<rené@mail.example>\r\n".encode() in sent


def test_plain_addresses_are_not_asked_for_with_smtputf8(monkeypatch: pytest.MonkeyPatch) -> None:
    keywords = b"250-hop\r\n250 SMTPUTF8\r\n"
    _, sent = send(monkeypatch, b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n250 e\r\n221 f\r\n", keywords=keywords)
    assert b"SMTPUTF8" not in sent


def test_without_smtputf8_a_recipient_who_needs_it_is_refused_and_the_others_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envelope = Envelope(mail_from=None, recipients=(UTF8, PLAIN))
    answers, sent = send(monkeypatch, b"250 a\r\n250 b\r\n354 d\r\n250 e\r\n221 f\r\n", envelope=envelope)
    assert answers == {UTF8.address: 553, PLAIN.address: 250}
    assert sent.isascii()


@pytest.mark.parametrize(("sender", "recipient"), [(None, UTF8), ("zoë@agency.example", PLAIN)])
def test_without_smtputf8_and_without_a_plain_recipient_no_transaction_is_begun(
    monkeypatch: pytest.MonkeyPatch, sender: str | None, recipient: Recipient
) -> None:
    envelope = Envelope(mail_from=sender, recipients=(recipient,))
    answers, sent = send(monkeypatch, b"221 f\r\n", envelope=envelope)
    assert answers == {recipient.address: 553}
    assert sent == b"EHLO gateway.example\r\nQUIT\r\n"


def test_send_keeps_dsn_wishes_where_they_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = send(monkeypatch, b"250 a\r\n550 b\r\n550 c\r\n221 f\r\n", keywords=b"250-hop\r\n250 DSN\r\n")
    assert b"RCPT TO:<jo@mail.example> NOTIFY=NEVER\r\n" in sent
    assert b"DATA" not in sent


def test_a_refused_sender_is_the_answer_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, _ = send(monkeypatch, b"451 later\r\n221 bye\r\n")
    assert answers == {"jo@mail.example": 451, "two@mail.example": 451}


def test_no_connection_is_a_next_hop_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_host: str, _port: int) -> None:
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(wire, "connect", refuse)
    with pytest.raises(NextHopDown):
        asyncio.run(NextHop(host="127.0.0.1", port=25, ehlo_name="gateway.example").open())
