from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.outbound.accepted import RETRY_WINDOW, AcceptedFile, message_key

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MESSAGE = message_key(b"Subject: x\r\n\r\nx\r\n", "ada@agency.example")
JO, SAM = "jo@mail.example", "sam@mail.example"


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> AcceptedFile:
    return AcceptedFile(tmp_path / "accepted.sqlite", now=clock)


def recalled(memory: AcceptedFile, message: bytes = MESSAGE) -> frozenset[str]:
    return asyncio.run(memory.recall(message, [JO, SAM]))


def test_before_anything_is_remembered_there_is_no_file(memory: AcceptedFile, tmp_path: Path) -> None:
    assert recalled(memory) == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_who_was_remembered_is_recalled_by_another_process_and_nobody_else(
    memory: AcceptedFile, tmp_path: Path, clock: Clock
) -> None:
    asyncio.run(memory.remember(MESSAGE, [JO]))
    assert recalled(AcceptedFile(tmp_path / "accepted.sqlite", now=clock)) == {JO}
    asyncio.run(memory.remember(MESSAGE, [JO, SAM]))
    assert recalled(memory) == {JO, SAM}


@pytest.mark.parametrize(
    "other",
    [
        message_key(b"Subject: x\r\n\r\ny\r\n", "ada@agency.example"),
        message_key(b"Subject: x\r\n\r\nx\r\n", "luc@agency.example"),
        message_key(b"Subject: x\r\n\r\nx\r\n", ""),
    ],
)
def test_another_message_or_sender_is_another_matter(memory: AcceptedFile, other: bytes) -> None:
    asyncio.run(memory.remember(MESSAGE, [JO]))
    assert recalled(memory, other) == frozenset()


def test_after_the_retry_window_it_is_forgotten_and_taken_out(
    memory: AcceptedFile, tmp_path: Path, clock: Clock
) -> None:
    asyncio.run(memory.remember(MESSAGE, [JO]))
    clock.time += RETRY_WINDOW - timedelta(seconds=1)
    assert recalled(memory) == {JO}
    clock.time += timedelta(seconds=1)
    assert recalled(memory) == frozenset()
    asyncio.run(memory.remember(message_key(b"", ""), [SAM]))
    with sqlite3.connect(tmp_path / "accepted.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM accepted").fetchone() == (1,)
    connection.close()


def test_no_address_stands_in_the_file(memory: AcceptedFile, tmp_path: Path) -> None:
    asyncio.run(memory.remember(MESSAGE, [JO]))
    assert b"jo@" not in (tmp_path / "accepted.sqlite").read_bytes()


def test_a_file_that_can_not_be_used_costs_no_message(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "broken").write_bytes(b"no database, and long enough to be taken for one" * 100)
    for path in (tmp_path / "broken", tmp_path / "broken" / "folder"):
        memory = AcceptedFile(path, now=clock)
        asyncio.run(memory.remember(MESSAGE, [JO]))
        assert recalled(memory) == frozenset()


def test_who_is_forgotten_gets_the_same_octets_again(memory: AcceptedFile) -> None:
    asyncio.run(memory.remember(MESSAGE, [JO, SAM]))
    asyncio.run(memory.forget(MESSAGE, [JO]))
    assert recalled(memory) == {SAM}


def test_another_attempt_does_not_keep_the_memory_longer(memory: AcceptedFile, clock: Clock) -> None:
    asyncio.run(memory.remember(MESSAGE, [JO]))
    clock.time += RETRY_WINDOW - timedelta(hours=1)
    asyncio.run(memory.remember(MESSAGE, [JO]))
    clock.time += timedelta(hours=2)
    assert recalled(memory) == frozenset()
