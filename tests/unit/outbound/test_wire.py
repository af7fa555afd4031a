"""Replies as octets, and content as it stands on the wire."""

from __future__ import annotations

import asyncio

import pytest

from gateway.message.reply import Reply
from gateway.outbound.wire import NotSmtp, ReplyReader, dot_stuffed


def read(octets: bytes) -> tuple[Reply, bool]:
    """The first reply in the octets, and whether there is more."""

    async def run() -> tuple[Reply, bool]:
        reader = ReplyReader(limit=8192)
        reader.feed_data(octets)
        reader.feed_eof()
        return await reader.reply(), reader.has_more

    return asyncio.run(run())


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
    assert dot_stuffed(content) == wire


@pytest.mark.parametrize("more", [b"", b"2", b"250 again\r\n", b"\r\n"])
def test_what_comes_after_a_reply_is_noticed(more: bytes) -> None:
    assert read(b"250-one\r\n250 two\r\n" + more) == (Reply(code=250, lines=("one", "two")), more != b"")


@pytest.mark.parametrize("octets", [b"250-a\r\n251 b\r\n", b"250-a\r\n550-b\r\n250 c\r\n", b"250-a\r\nb\r\n"])
def test_lines_of_differing_codes_are_no_reply(octets: bytes) -> None:
    with pytest.raises(NotSmtp):
        read(octets)
