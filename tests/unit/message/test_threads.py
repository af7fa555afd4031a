"""thread_key: the root of a thread, the same for all its messages, or nothing where a message does not say."""

from __future__ import annotations

import pytest

from gateway.message.parse import parse
from gateway.message.threads import thread_key


def key(*fields: str) -> str | None:
    return thread_key(parse("".join(f"{field}\r\n" for field in fields).encode() + b"\r\nHello.\r\n"))


ROOT = key("Message-ID: <1@a.example>")


@pytest.mark.parametrize(
    "fields",
    [
        ("Message-ID: <2@b.example>", "In-Reply-To: <1@a.example>"),
        ("Message-ID: <2@b.example>", "In-Reply-To: <1@a.example>", "References: <1@a.example>"),
        ("Message-ID: <3@b.example>", "In-Reply-To: <2@b.example>", "References: <1@a.example>\r\n\t<2@b.example>"),
        ("references:<1@a.example>",),
    ],
)
def test_every_answer_has_the_key_of_the_first_message(fields: tuple[str, ...]) -> None:
    assert ROOT is not None
    assert key(*fields) == ROOT


@pytest.mark.parametrize(
    "fields",
    [
        ("Message-ID: <4@a.example>",),
        ("Message-ID: <1@a.example>", "References: <0@a.example> <1@a.example>"),
        ("References: not an id", "In-Reply-To: <9@a.example>"),
    ],
)
def test_another_thread_has_another_key(fields: tuple[str, ...]) -> None:
    assert key(*fields) not in {None, ROOT}


@pytest.mark.parametrize(
    "fields",
    [
        ("Subject: Hello",),
        ("Message-ID: 1@a.example",),
        ("Message-ID: <>",),
        ("Message-ID: <1@a.example>", "Message-ID: <2@a.example>"),
        ("References: <1@a.example>", "References: <2@a.example>", "Message-ID: <3@a.example>"),
    ],
)
def test_a_message_that_does_not_say_has_no_key(fields: tuple[str, ...]) -> None:
    assert key(*fields) is None


def test_the_key_shows_nothing_of_the_id() -> None:
    assert ROOT is not None
    assert len(ROOT) == 32
    assert set(ROOT) <= set("0123456789abcdef")


def test_a_field_without_end_is_read_in_linear_time_and_only_at_its_start() -> None:
    assert key("References: " + "<" * 200_000) is None
    assert key("References: " + " x" * 40_000 + " <1@a.example>") is None
