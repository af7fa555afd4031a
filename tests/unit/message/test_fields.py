from __future__ import annotations

import pytest

from gateway.message.fields import Head, read_head
from gateway.message.limits import Limits
from gateway.message.model import ProblemKind

LIMITS = Limits(max_header_fields=5, max_header_line_bytes=100)


def head(raw: bytes, start: int = 0) -> Head:
    return read_head(raw, start, limits=LIMITS, max_fields=5, is_delimiter=lambda line: line == b"--b")


def test_fields_are_ranges_with_their_folding() -> None:
    raw = b"From: a\r\nSubject: one\r\n two\r\n\r\nbody"
    found = head(raw)
    assert [raw[entry.start_byte : entry.end_byte] for entry in found.fields] == [
        b"From: a\r\n",
        b"Subject: one\r\n two\r\n",
    ]
    assert found.fields[1].value_raw == b" one\r\n two"
    assert found.fields[1].value == "one two"
    assert raw[found.body_start_byte :] == b"body"
    assert found.problems == ()


def test_bare_line_feeds_end_lines_too() -> None:
    raw = b"From: a\n\nbody"
    assert raw[head(raw).body_start_byte :] == b"body"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"From: a\r\nno field here\r\nx", b"no field here\r\nx"),
        (b" folded\r\n\r\nx", b" folded\r\n\r\nx"),
        (b"From: a", b""),
    ],
)
def test_without_an_empty_line_the_body_begins_where_no_field_can(raw: bytes, body: bytes) -> None:
    found = head(raw)
    assert raw[found.body_start_byte :] == body
    assert ProblemKind.NO_BLANK_LINE in found.problems


def test_a_name_on_one_line_and_its_colon_on_the_next_is_no_field() -> None:
    assert head(b"From\r\n : <a@b.example>\r\n\r\n").fields == ()


def test_white_space_before_the_colon_is_read_and_named() -> None:
    found = head(b"From : a\r\n\r\n")
    assert (found.fields[0].name, found.fields[0].value) == ("From", "a")
    assert ProblemKind.MALFORMED_HEADER in found.problems


def test_an_mbox_line_on_top_is_no_field_and_not_of_the_head() -> None:
    raw = b"From ada Mon Sep 14\r\nFrom: a\r\n\r\nx"
    found = head(raw)
    assert raw[found.start_byte :].startswith(b"From: a")
    assert found.problems == (ProblemKind.MALFORMED_HEADER,)


def test_a_delimiter_ends_the_head() -> None:
    raw = b"A: b\r\n--b\r\n"
    found = head(raw)
    assert found.stopped_at_delimiter
    assert raw[found.body_start_byte :] == b"--b\r\n"


def test_too_many_fields_are_not_kept_but_the_body_is_found() -> None:
    raw = b"A: b\r\n" * 9 + b"\r\nbody"
    found = head(raw)
    assert len(found.fields) == 5
    assert raw[found.body_start_byte :] == b"body"
    assert ProblemKind.TOO_MANY_HEADERS in found.problems


def test_endless_folding_stops() -> None:
    assert ProblemKind.TOO_MANY_HEADERS in head(b"A: b\r\n" + b" c\r\n" * 200).problems


def test_a_long_line_is_named() -> None:
    assert ProblemKind.HEADER_TOO_LONG in head(b"A: " + b"x" * 100 + b"\r\n\r\n").problems
