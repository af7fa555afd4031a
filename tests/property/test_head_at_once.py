"""Fields taken with all their lines at once are the fields that come of one line after the other."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import fields
from gateway.message.fields import Head, read_head
from gateway.message.limits import Limits

NEVER = re.compile(rb"(?!)")
LINES = st.lists(
    st.sampled_from(
        [
            b"From: a", b"Subject:", b"X : b", b" more", b"\tand more", b" ", b"--b", b"--b: c", b"-x: y", b"",
            b"no field", b"From a Mon", b"X:" + b"y" * 99, b"Y:" + b"z" * 30, b"A: b\rC: d", b"caf\xc3\xa9: x",
            b"N\0: v", b":", b"Q: \xff",
        ]
    ),
    max_size=60,
)  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r\r\n"])


def head(raw: bytes, limits: Limits) -> Head:
    return read_head(
        raw, 0, limits=limits, max_fields=limits.max_header_fields, is_delimiter=lambda line: line == b"--b"
    )


@given(lines=LINES, end=ENDS, tail=st.sampled_from([b"", b"\r\nbody", b"last: line", b"\r"]), most=st.integers(1, 6))
def test_both_ways_of_reading_a_head_agree(lines: list[bytes], end: bytes, tail: bytes, most: int) -> None:
    raw, limits = end.join(lines) + end + tail, Limits(max_header_fields=most, max_header_line_bytes=64)
    at_once = head(raw, limits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_WHOLE_FIELD", NEVER)
        by_lines = head(raw, limits)
    assert replace(by_lines, problems=()) == replace(at_once, problems=())
    assert set(by_lines.problems) == set(at_once.problems)


@pytest.mark.parametrize("count", [0, 39, 40, 41, 90])
def test_a_field_of_many_lines_is_one_field(count: int) -> None:
    raw = b"X: a\r\n" + b" b\r\n" * count + b"Y: c\r\n\r\nbody"
    found = head(raw, Limits())
    assert [entry.name for entry in found.fields] == ["X", "Y"]
    assert raw[found.body_start_byte :] == b"body"
