from __future__ import annotations

import pytest

from gateway.doors.smtp_content import ContentReader, content_fault, has_bad_line_ends, is_disguised_end
from gateway.message.limits import Limits


def read(stream: bytes, *, size: int, max_bytes: int = 10_000) -> tuple[bytes, bytes, ContentReader]:
    """The content and the rest of a stream that comes in chunks of that size."""
    reader = ContentReader(max_bytes)
    for start in range(0, len(stream), size):
        rest = reader.feed(stream[start : start + size])
        if rest is not None:
            return reader.content(), rest + stream[start + size :], reader
    raise AssertionError("the data did not end")


STREAMS = [
    (b".\r\n", b""),
    (b"a\r\n.\r\n", b"a\r\n"),
    (b"..\r\n.\r\n", b".\r\n"),
    (b"..a\r\n.b\r\n...\r\n.\r\n", b".a\r\nb\r\n..\r\n"),
    (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
    (b"a\n.\nb\r.\r\n\r\n.\r\r\n x\r\n.\r\n", b"a\n.\nb\r.\r\n\r\n\r\r\n x\r\n"),
    (b"no\r\n .\r\n.\r\n", b"no\r\n .\r\n"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 1000])
@pytest.mark.parametrize(("stream", "content"), STREAMS)
def test_only_crlf_dot_crlf_ends_the_data_however_it_is_cut(stream: bytes, content: bytes, size: int) -> None:
    assert read(stream + b"MAIL FROM:<>\r\n", size=size)[:2] == (content, b"MAIL FROM:<>\r\n")


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_what_is_too_large_is_dropped_and_its_end_still_found(size: int) -> None:
    stream = b"x" * 30_000 + b"\r\n.\r\nQUIT\r\n"
    reader = ContentReader(100)
    rest = None
    for start in range(0, len(stream), size):
        rest = reader.feed(stream[start : start + size])
        if rest is not None:
            break
        assert len(reader._kept) < 200 + size
    assert rest is not None
    reader.content()
    assert reader.is_too_large


@pytest.mark.parametrize(("length", "is_too_large"), [(98, False), (99, True)])
def test_the_limit_counts_octets_without_stuffing(length: int, is_too_large: bool) -> None:
    for filler in (b"x" * length + b"\r\n", (b"..\r\n" * 100)[: (length + 2) // 3 * 4]):
        content, _, reader = read(filler + b".\r\n", size=7, max_bytes=100)
        assert reader.is_too_large is (len(content) > 100)
    assert read(b"x" * length + b"\r\n.\r\n", size=7, max_bytes=100)[2].is_too_large is is_too_large


def test_a_reader_that_was_told_to_drop_keeps_nothing() -> None:
    reader = ContentReader(1000)
    reader.feed(b"x" * 500)
    reader.drop()
    reader.feed(b"y" * 500)
    assert len(reader._kept) <= 4
    assert reader.feed(b"\r\n.\r\nrest") == b"rest"


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"a\x00\r\n", b"a\r\r\n", b"a\n\r\n", b"\r", b"\n\r"])
def test_bare_line_ends_and_nul_are_a_fault(content: bytes) -> None:
    assert has_bad_line_ends(content)
    assert content_fault(content, Limits()) == "bad_line_ends"


@pytest.mark.parametrize(
    ("content", "is_suspect"),
    [
        (b"a\n.\nb", True),
        (b"a\r\n.\rb", True),
        (b"a\r\n\x00.\r\n", True),
        (b"a\r\n.\x00\r\n", True),
        (b"a\r\r\n.\r\r\n", True),
        (b"a\nb .\n", False),
        (b"a\n..\n", False),
    ],
)
def test_a_lone_dot_between_bad_line_ends_is_a_disguised_end(content: bytes, is_suspect: bool) -> None:
    assert is_disguised_end(content) is is_suspect


@pytest.mark.parametrize(("hops", "fault"), [(99, None), (100, "too_many_hops")])
def test_a_hundred_received_fields_are_a_loop(hops: int, fault: str | None) -> None:
    assert content_fault(b"received: x\r\n\ty\r\n" * hops + b"\r\nReceived: z\r\n" * 200, Limits()) == fault


@pytest.mark.parametrize(("fields", "fault"), [(1000, None), (1001, "too_many_headers")])
def test_more_than_a_thousand_fields_are_refused(fields: int, fault: str | None) -> None:
    head = b"X-A: b\r\n folded\r\n\tagain\r\n" * fields
    assert content_fault(head + b"\r\n" + b"body\r\n" * 5000, Limits()) == fault


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\n" + b"x\r\n" * 3000, b"a: b\r\n", b"a: b"])
def test_short_heads_have_no_fault(content: bytes) -> None:
    assert content_fault(content, Limits()) is None
