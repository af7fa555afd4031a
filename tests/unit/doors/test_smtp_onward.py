from __future__ import annotations

import asyncio
from collections.abc import Mapping
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

    async def data(self, content: bytes) -> Reply:
        return await self.command(b"DATA " + content)

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
