from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.doors.crowd import Crowd
from gateway.doors.milter_packets import Say, packet
from gateway.doors.milter_session import MilterSession
from gateway.doors.milter_settings import MilterDoorSettings, MilterState, MilterTimeouts
from gateway.doors.smtp_settings import ByteBudget, Handle
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from gateway.outbound.relay import NextHopLost


class FakeWriter:
    """Keeps what is written; may be closed by either side."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.is_closed = False
        self.drains_never = False

    def write(self, octets: bytes) -> None:
        assert not self.is_closed
        self.octets += octets

    @property
    def transport(self) -> FakeWriter:
        return self

    def get_write_buffer_size(self) -> int:
        return 1 << 20 if self.drains_never else 0

    async def drain(self) -> None:
        if self.drains_never:
            await asyncio.Event().wait()

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def answers(self) -> str:
        """The letters of all packets written."""
        letters, rest = "", bytes(self.octets)
        while rest:
            (length,) = struct.unpack_from(">I", rest)
            letters, rest = letters + chr(rest[4]), rest[4 + length :]
        return letters


def told(letter: str, octets: bytes = b"") -> bytes:
    return struct.pack(">I", len(octets) + 1) + letter.encode() + octets


BEGINNING = told("O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF)) + told("H", b"client.example\0")
MESSAGE = (
    told("M", b"<ada@agency.example>\0")
    + told("R", b"<jo@mail.example>\0")
    + told("L", b"Subject\0 Hi\0")
    + told("N")
    + told("B", b"Hello.\r\n")
    + told("E")
)


class Setting:
    """A session whose mail server is this test."""

    def __init__(self, handle: Handle, **timeouts: float) -> None:
        ids = itertools.count(1)
        self.state = MilterState(
            settings=MilterDoorSettings(
                listen=(), host_name="gateway.example", timeouts=MilterTimeouts(**({"progress_s": 9.0} | timeouts))
            ),
            handle=handle,
            new_id=lambda: f"m{next(ids)}",
            now=lambda: datetime(2026, 11, 2, tzinfo=UTC),
            budget=ByteBudget(1000),
        )
        self.reader, self.writer = asyncio.StreamReader(), FakeWriter()
        writer: Any = self.writer
        self.session = MilterSession(self.state, self.reader, writer, Crowd(1, now=time.monotonic))


async def deliver(submission: Submission, delivery: Delivery) -> Reply:
    return await delivery.deliver(submission.raw)


def lived(handle: Handle, octets: bytes, **timeouts: float) -> Setting:
    """A session that was told these octets and then to quit."""

    async def live() -> Setting:
        setting = Setting(handle, **timeouts)
        setting.reader.feed_data(octets + told("Q"))
        await setting.session.run()
        return setting

    return asyncio.run(live())


def test_a_message_that_goes_on_is_accepted() -> None:
    setting = lived(deliver, BEGINNING + MESSAGE)
    assert setting.writer.answers() == "Occa"
    assert setting.writer.is_closed
    assert setting.state.budget.used_bytes == setting.state.messages_under_way == 0


def test_several_messages_go_over_one_connection() -> None:
    assert lived(deliver, BEGINNING + MESSAGE * 3).writer.answers() == "O" + "cca" * 3


def test_the_submission_is_what_the_mail_server_told() -> None:
    found: list[Submission] = []

    async def keep(submission: Submission, delivery: Delivery) -> Reply:
        found.append(submission)
        return await delivery.deliver(submission.raw)

    lived(keep, BEGINNING + MESSAGE)
    (one,) = found
    assert (one.id, one.raw) == ("m1", b"Subject: Hi\r\n\r\nHello.\r\n")
    assert one.envelope.mail_from == "ada@agency.example"
    assert [recipient.address for recipient in one.envelope.recipients] == ["jo@mail.example"]
    assert (one.session.helo, one.session.is_trusted, one.session.login) == ("client.example", True, None)


@pytest.mark.parametrize(
    "end", [lambda setting: setting.writer.close(), lambda setting: setting.reader.feed_eof()], ids=["closed", "eof"]
)
def test_with_the_mail_server_gone_the_flow_learns_that_nothing_was_handed_over(end: Callable[[Setting], None]) -> None:
    raised: list[GatewayError] = []

    async def live() -> Setting:
        async def lose(submission: Submission, delivery: Delivery) -> Reply:
            end(setting)
            try:
                return await delivery.deliver(submission.raw)
            except GatewayError as error:
                raised.append(error)
                raise

        setting = Setting(lose)
        setting.reader.feed_data(BEGINNING + MESSAGE)
        await setting.session.run()
        return setting

    setting = asyncio.run(live())
    assert isinstance(raised[0], NextHopLost)
    assert "a" not in setting.writer.answers()
    assert setting.state.budget.used_bytes == 0


def test_edits_that_the_flow_abandons_are_never_sent() -> None:
    async def change_mind(submission: Submission, delivery: Delivery) -> Reply:
        await delivery.deliver(submission.raw + b"more\r\n")
        await delivery.abandon()
        return reply("held", ref="r")

    assert lived(change_mind, BEGINNING + MESSAGE).writer.answers() == "Occd"


def test_a_mail_server_that_does_not_read_is_left() -> None:
    async def live() -> Setting:
        setting = Setting(deliver, reply_s=0.01)
        setting.writer.drains_never = True
        setting.reader.feed_data(BEGINNING)
        await setting.session.run()
        return setting

    assert asyncio.run(live()).writer.is_closed


def test_signs_of_life_end_with_the_answer() -> None:
    async def live() -> Setting:
        async def wait(submission: Submission, delivery: Delivery) -> Reply:
            while setting.writer.answers().count("p") < 3:
                await asyncio.sleep(0)
            return await delivery.deliver(submission.raw)

        setting = Setting(wait, progress_s=0.001)
        setting.reader.feed_data(BEGINNING + MESSAGE)
        setting.reader.feed_data(told("Q"))
        await setting.session.run()
        return setting

    assert asyncio.run(live()).writer.answers().rstrip("a").endswith("ppp")


def test_a_breach_is_logged_in_its_kind_and_never_in_its_words(caplog: pytest.LogCaptureFixture) -> None:
    setting = lived(deliver, BEGINNING + told("R", b"<jo@mail.example>\0"))
    assert setting.writer.is_closed
    assert "RCPT in stage connected" in caplog.text
    assert "mail.example" not in caplog.text


def test_a_defect_in_the_conversation_costs_one_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("ada@agency.example")

    monkeypatch.setattr(MilterSession, "_rcpt", break_down)
    setting = lived(deliver, BEGINNING + MESSAGE)
    assert setting.writer.is_closed
    assert "RuntimeError" in caplog.text
    assert "agency.example" not in caplog.text


def test_a_session_at_rest_ends_when_the_door_drains_and_one_with_a_message_after_it() -> None:
    async def live() -> tuple[str, str]:
        resting, busy = Setting(deliver), Setting(deliver)
        tasks = [asyncio.ensure_future(setting.session.run()) for setting in (resting, busy)]
        resting.reader.feed_data(BEGINNING)
        busy.reader.feed_data(BEGINNING + MESSAGE[:-5])
        for _ in range(20):
            await asyncio.sleep(0)
        for setting in (resting, busy):
            setting.state.is_draining = True
            setting.session.hurry()
        async with asyncio.timeout(5):
            await tasks[0]
        assert not tasks[1].done()
        busy.reader.feed_data(MESSAGE[-5:] + MESSAGE)
        async with asyncio.timeout(5):
            await tasks[1]
        return resting.writer.answers(), busy.writer.answers()

    assert asyncio.run(live()) == ("O", "Occa")


def test_the_answer_to_a_message_is_one_write() -> None:
    async def live() -> list[bytes]:
        written: list[bytes] = []

        async def amend(submission: Submission, delivery: Delivery) -> Reply:
            written.clear()
            return await delivery.deliver(b"X: 1\r\n" + submission.raw + b"more\r\n")

        setting = Setting(amend)
        setting.writer.write = written.append  # type: ignore[method-assign, assignment]
        setting.reader.feed_data(BEGINNING + MESSAGE)
        setting.reader.feed_data(told("Q"))
        await setting.session.run()
        return written

    (one,) = asyncio.run(live())
    assert one.endswith(packet(Say.ACCEPT))
