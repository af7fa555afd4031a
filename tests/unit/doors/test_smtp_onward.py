from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from gateway.doors.smtp_grammar import Path
from gateway.doors.smtp_keywords import KeywordMemory
from gateway.doors.smtp_onward import Onward
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply
from gateway.outbound.relay import NextHopDown, NextHopLost

OK, BUSY = Reply(code=250, lines=("Ok",)), Reply(code=421, lines=("4.3.2 Bye",))
SENDER, RECIPIENT = Path(address="ada@agency.example", parameters=()), Path(address="jo@mail.example", parameters=())


@dataclass
class FakeSession:
    """A session to the next hop: gives the answers in order (an error is raised) and remembers what was said."""

    answers: list[Reply | GatewayError]
    keywords: Mapping[str, str] = field(default_factory=lambda: {"DSN": "", "SIZE": ""})
    said: list[str] = field(default_factory=list)
    is_open: bool = True

    @property
    def is_stale(self) -> bool:
        return not self.is_open

    async def command(self, line: bytes) -> Reply:
        self.said.append(line.decode())
        answer = self.answers.pop(0)
        if isinstance(answer, GatewayError):
            self.close()
            raise answer
        return answer

    async def data_each(self, content: bytes, *, recipients: int) -> tuple[Reply, ...]:
        return (await self.command(b"DATA " + content),) * recipients

    async def auth(self, line: bytes) -> Reply:
        return await self.command(line)

    async def xforward(self, attributes: Mapping[str, str | None]) -> None:
        self.said.append(f"XFORWARD {dict(attributes)}")

    async def rset(self) -> None:
        self.said.append("RSET")

    async def quit(self) -> None:
        self.said.append("QUIT")
        self.close()

    def close(self) -> None:
        self.is_open = False


@dataclass
class FakeHop:
    """Opens the sessions in order; with none left it is down."""

    sessions: list[FakeSession]

    async def open(self) -> FakeSession:
        if not self.sessions:
            raise NextHopDown("down")
        return self.sessions.pop(0)


def onward(*sessions: FakeSession, memory: KeywordMemory | None = None) -> Onward:
    return Onward(FakeHop(list(sessions)), memory or KeywordMemory())  # type: ignore[arg-type]


def test_a_message_goes_through_one_session_and_the_next_message_uses_it_again() -> None:
    session = FakeSession([OK, OK, OK, OK])

    async def run() -> None:
        way = onward(session)
        assert await way.mail(SENDER, {"ADDR": "192.0.2.1"}) == OK
        assert await way.rcpt(RECIPIENT) == OK
        assert await way.deliver(b"x") == OK
        await way.abandon()
        assert await way.mail(SENDER, {}) == OK

    asyncio.run(run())
    assert session.said == [
        "XFORWARD {'ADDR': '192.0.2.1'}",
        "MAIL FROM:<ada@agency.example>",
        "RCPT TO:<jo@mail.example>",
        "DATA x",
        "MAIL FROM:<ada@agency.example>",
    ]


@pytest.mark.parametrize("end", [NextHopLost("gone"), BUSY])
def test_a_kept_session_that_has_gone_is_opened_anew_once(end: Reply | GatewayError) -> None:
    first, second = FakeSession([OK, OK, end]), FakeSession([OK])

    async def run() -> None:
        way = onward(first, second)
        await way.mail(SENDER, {})
        await way.deliver(b"x")
        assert await way.mail(SENDER, {}) == OK

    asyncio.run(run())
    assert not first.is_open
    assert second.said == ["MAIL FROM:<ada@agency.example>"]


def test_a_new_session_that_is_lost_at_mail_is_not_tried_again() -> None:
    async def run() -> None:
        with pytest.raises(NextHopLost):
            await onward(FakeSession([NextHopLost("gone")]), FakeSession([OK])).mail(SENDER, {})

    asyncio.run(run())


def test_a_refused_content_resets_the_transaction_and_421_closes_the_session() -> None:
    refused, closing = FakeSession([OK, Reply(code=554, lines=("no",))]), FakeSession([OK, BUSY])

    async def run(session: FakeSession) -> None:
        way = onward(session)
        await way.mail(SENDER, {})
        assert not (await way.deliver(b"x")).is_positive

    asyncio.run(run(refused))
    asyncio.run(run(closing))
    assert refused.said[-1] == "RSET"
    assert not closing.is_open


def test_abandoning_resets_once_and_only_an_open_transaction() -> None:
    session = FakeSession([OK])

    async def run() -> None:
        way = onward(session)
        await way.abandon()
        await way.mail(SENDER, {})
        await way.abandon()
        await way.abandon()
        await way.quit()

    asyncio.run(run())
    assert session.said == ["MAIL FROM:<ada@agency.example>", "RSET", "QUIT"]


@pytest.mark.parametrize("parameter", ["BODY=8BITMIME", "SMTPUTF8", "BODY=BINARYMIME"])
def test_a_parameter_that_is_not_offered_is_refused_without_a_word_to_the_next_hop(parameter: str) -> None:
    session = FakeSession([])

    async def run() -> int:
        return (await onward(session).mail(Path(address="", parameters=(parameter,)), {})).code

    assert asyncio.run(run()) == 555
    assert session.said == []


def test_size_is_kept_back_from_a_next_hop_that_does_not_know_it() -> None:
    plain, sized = FakeSession([OK], keywords={}), FakeSession([OK])
    path = Path(address="", parameters=("SIZE=5",))
    asyncio.run(onward(plain).mail(path, {}))
    asyncio.run(onward(sized).mail(path, {}))
    assert (plain.said, sized.said) == (["MAIL FROM:<>"], ["MAIL FROM:<> SIZE=5"])


def test_without_a_session_a_recipient_or_content_is_lost() -> None:
    async def run() -> None:
        for work in (onward().rcpt(RECIPIENT), onward().deliver(b"x")):
            with pytest.raises(NextHopLost):
                await work

    asyncio.run(run())


def test_keywords_are_asked_once_remembered_and_unknown_while_the_next_hop_was_never_seen() -> None:
    async def run() -> None:
        assert await onward().keywords() is None
        memory = KeywordMemory()
        assert await onward(FakeSession([]), memory=memory).keywords() == {"DSN": "", "SIZE": ""}
        assert await onward(memory=memory).keywords() == {"DSN": "", "SIZE": ""}

    asyncio.run(run())


# Another attempt at a message that some recipients have (LMTP).


@dataclass
class Memory:
    """Remembers by message and address."""

    kept: set[tuple[bytes, str]] = field(default_factory=set)

    async def recall(self, message: bytes, recipients: Iterable[str]) -> frozenset[str]:
        return frozenset(recipient for recipient in recipients if (message, recipient) in self.kept)

    async def remember(self, message: bytes, recipients: Iterable[str]) -> None:
        self.kept |= {(message, recipient) for recipient in recipients}

    async def forget(self, message: bytes, recipients: Iterable[str]) -> None:
        self.kept -= {(message, recipient) for recipient in recipients}


class LmtpSession(FakeSession):
    """One answer a recipient after the content; `for_each` are those of one content after the other."""

    for_each: list[tuple[Reply, ...]]

    async def data_each(self, content: bytes, *, recipients: int) -> tuple[Reply, ...]:
        self.said.append("DATA " + content.decode())
        answers = self.for_each.pop(0)
        assert len(answers) == recipients
        return answers


FULL, GONE = Reply(code=452, lines=("4.2.2 full",)), Reply(code=550, lines=("5.1.1 gone",))
A, B, C = (Path(address=f"{name}@mail.example", parameters=()) for name in "abc")


def lmtp(*for_each: tuple[Reply, ...], commands: int = 20) -> LmtpSession:
    session = LmtpSession([OK] * commands)
    session.for_each = list(for_each)
    return session


KNOWN = b"Message-ID: <1@agency.example>\r\n\r\nm\r\n"


async def attempt(way: Onward, *recipients: Path, raw: bytes = KNOWN, content: bytes = b"amended") -> Reply:
    assert (await way.mail(SENDER, {})).is_positive
    for recipient in recipients:
        assert (await way.rcpt(recipient)).is_positive
    way.tell_message(raw, SENDER.address)
    return await way.deliver(content)


def with_memory(session: FakeSession, memory: Memory) -> Onward:
    return Onward(FakeHop([session]), KeywordMemory(), accepted=memory)  # type: ignore[arg-type]


def test_who_has_the_message_is_left_out_when_it_is_sent_again() -> None:
    session, memory = lmtp((OK, FULL, OK), (OK,)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B, C, content=b"one") == FULL
        before = len(session.said)
        assert (await attempt(way, A, B, C, content=b"two")).code == 250
        assert session.said[before:] == [
            "MAIL FROM:<ada@agency.example>",
            "RCPT TO:<a@mail.example>",
            "RCPT TO:<b@mail.example>",
            "RCPT TO:<c@mail.example>",
            "RSET",
            "MAIL FROM:<ada@agency.example>",
            "RCPT TO:<b@mail.example>",
            "DATA two",
        ]

    asyncio.run(run())


def test_an_attempt_that_brings_it_to_some_more_is_remembered_too() -> None:
    session, memory = lmtp((OK, FULL, FULL), (OK, FULL), (OK,)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B, C) == FULL
        assert await attempt(way, A, B, C) == FULL
        assert {address for _, address in memory.kept} == {A.address, B.address}
        assert (await attempt(way, A, B, C)).code == 250
        assert session.said[-3:] == ["MAIL FROM:<ada@agency.example>", "RCPT TO:<c@mail.example>", "DATA amended"]

    asyncio.run(run())


def test_if_all_have_it_nothing_is_sent() -> None:
    session, memory = lmtp((OK, FULL)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B) == FULL
        assert (await attempt(way, A)).code == 250
        assert session.said[-1] == "RSET"
        assert sum(words.startswith("DATA") for words in session.said) == 1

    asyncio.run(run())


def test_another_message_goes_to_everybody() -> None:
    session, memory = lmtp((OK, FULL), (OK, OK)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B) == FULL
        assert (await attempt(way, A, B, raw=b"Message-ID: <2@agency.example>\r\n\r\nm\r\n")).code == 250
        assert session.said[-1] == "DATA amended"

    asyncio.run(run())


def test_a_recipient_that_is_refused_meanwhile_is_told_and_the_others_get_it() -> None:
    session, memory = lmtp((OK, FULL, FULL), (OK,)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B, C) == FULL
        session.answers[:0] = [OK, OK, OK, OK, OK, GONE, OK]
        answer = await attempt(way, A, B, C)
        assert answer.code == 554
        assert "1 of 3" in answer.lines[0]

    asyncio.run(run())


def test_a_next_hop_that_refuses_the_second_mail_gets_no_content() -> None:
    session, memory = lmtp((OK, FULL)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B) == FULL
        session.answers[:0] = [OK, OK, OK, FULL]
        assert await attempt(way, A, B) == FULL
        assert sum(words.startswith("DATA") for words in session.said) == 1
        assert (await way.mail(SENDER, {})).is_positive

    asyncio.run(run())


def test_what_is_refused_for_good_or_taken_by_all_is_not_remembered() -> None:
    session, memory = lmtp((OK, GONE), (OK, OK)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert (await attempt(way, A, B)).code == 554
        assert (await attempt(way, A, B)).code == 250
        assert memory.kept == set()

    asyncio.run(run())


def test_after_the_last_word_the_same_octets_are_for_everybody_again() -> None:
    session, memory = lmtp((OK, FULL), (OK,), (OK, OK)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B) == FULL
        assert (await attempt(way, A, B)).code == 250
        assert memory.kept == set()
        assert (await attempt(way, A, B)).code == 250
        assert sum(words.startswith("DATA") for words in session.said) == 3

    asyncio.run(run())


def test_octets_without_a_message_id_are_never_taken_for_another_attempt() -> None:
    session, memory = lmtp((OK, FULL), (OK, OK)), Memory()

    async def run() -> None:
        way = with_memory(session, memory)
        assert await attempt(way, A, B, raw=b"Subject: x\r\n\r\nMessage-ID: no\r\n") == FULL
        assert memory.kept == set()
        assert (await attempt(way, A, B, raw=b"Subject: x\r\n\r\nMessage-ID: no\r\n")).code == 250

    asyncio.run(run())


def test_who_has_it_is_remembered_where_the_next_hop_closes_too() -> None:
    closing = Reply(code=421, lines=("4.3.2 going down",))
    session, memory = lmtp((OK, closing)), Memory()

    async def run() -> None:
        assert (await attempt(with_memory(session, memory), A, B)).code == 421
        assert {address for _, address in memory.kept} == {A.address}

    asyncio.run(run())
