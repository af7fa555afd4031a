from __future__ import annotations

import base64
import hashlib

import pytest
from dkim.canonicalization import Relaxed, Simple

from gateway.amend.dkim_fields import HeadUnreadable, read_head, relaxed_body_hash, simple_body_hash, split_head

BODIES = [
    b"",
    b"\r\n",
    b"\r\n\r\n\r\n",
    b"text",
    b"text\r\n",
    b"text\r\n\r\n\r\n",
    b" \r\n",
    b"a  b\t c \t\r\n\t\r\n \r\n d\r\n",
    b"x\r\n" + b"\r\n" * 9_000,
    b" " * 70_000 + b"x\r\n",
]


def hashed(canonical: bytes) -> bytes:
    return base64.b64encode(hashlib.sha256(canonical).digest())


@pytest.mark.parametrize("body", BODIES)
def test_body_hashes_are_those_of_dkimpy(body: bytes) -> None:
    head = b"A: 1\r\n\r\n"
    assert simple_body_hash(head + body, len(head)) == hashed(Simple.canonicalize_body(body))
    if len(body) < 50_000:  # dkimpy takes quadratic time for runs of spaces
        assert relaxed_body_hash(head + body, len(head)) == hashed(Relaxed.canonicalize_body(body))


def test_white_space_at_the_very_end_is_ignored_as_at_any_end_of_a_line() -> None:
    assert relaxed_body_hash(b"text \t", 0) == relaxed_body_hash(b"text\r\n", 0)


def test_the_body_hash_never_reaches_back_into_the_head() -> None:
    raw = b"A: 1\r\n\r\n\r\n\r\n"
    assert simple_body_hash(raw, 8) == hashed(b"\r\n")
    assert relaxed_body_hash(raw, 8) == hashed(b"")


@pytest.mark.parametrize(
    ("raw", "head", "start"),
    [
        (b"", b"", 0),
        (b"\r\nbody", b"", 2),
        (b"A: 1\r\n\r\nbody", b"A: 1\r\n", 8),
        (b"A: 1\r\n", b"A: 1\r\n", 6),
        (b"A: 1", b"A: 1", 4),
        (b"A: 1\r\n\r\nB: 2\r\n\r\n", b"A: 1\r\n", 8),
    ],
)
def test_the_head_ends_at_the_first_empty_line(raw: bytes, head: bytes, start: int) -> None:
    assert split_head(raw) == (head, start)


@pytest.mark.parametrize(
    "head", [b" folded: 1\r\n", b"no colon\r\n", b"A : 1\r\n", b"A: 1\r\nFrom b\r\n", b"\xff: 1\r\n"]
)
def test_heads_that_readers_differ_about_are_refused_without_a_word_of_theirs(head: bytes) -> None:
    with pytest.raises(HeadUnreadable) as caught:
        read_head(head)
    assert str(caught.value) == ""
