"""Body hashes: the examples of RFC 6376 section 3.4.5, the edges, and the same bytes whatever the pieces."""

from __future__ import annotations

import hashlib

import pytest
from dkim.canonicalization import Relaxed, Simple

from gateway.amend import dkim_body
from gateway.amend.dkim_body import body_digest

EMPTY = {"simple": b"\r\n", "relaxed": b""}


def hashed(text: bytes) -> tuple[bytes, int]:
    return hashlib.sha256(text).digest(), len(text)


def digest(body: bytes, canon: str, length: int | None = None) -> tuple[bytes, int]:
    found = body_digest(b"head\r\n\r\n" + body, 8, canon=canon, length=length)
    return found.digest, found.canonical_bytes


@pytest.mark.parametrize(
    ("canon", "body", "canonical"),
    [
        ("relaxed", b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        ("simple", b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n"),
        ("relaxed", b"a\tb\r\n \t\r\n", b"a b\r\n"),
        ("relaxed", b"no line end", b"no line end\r\n"),
        ("simple", b"no line end", b"no line end\r\n"),
        ("relaxed", b" \r\n\r\n", b""),
        ("simple", b" \r\n\r\n", b" \r\n"),
    ],
)
def test_the_canonical_body_is_the_standards(canon: str, body: bytes, canonical: bytes) -> None:
    assert digest(body, canon) == hashed(canonical)


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n\r\n"])
@pytest.mark.parametrize("canon", ["simple", "relaxed"])
def test_an_empty_body_is_one_line_end_or_nothing(canon: str, body: bytes) -> None:
    assert digest(body, canon) == hashed(EMPTY[canon])


def test_a_length_hashes_the_first_bytes_and_counts_all() -> None:
    assert digest(b"abcdef\r\n", "simple", 3) == (hashlib.sha256(b"abc").digest(), 8)
    assert digest(b"abcdef\r\n", "simple", 0) == (hashlib.sha256(b"").digest(), 8)
    assert digest(b"abcdef\r\n", "simple", 900) == hashed(b"abcdef\r\n")


@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 64, 10_000])
def test_pieces_of_any_size_give_what_dkimpy_gives_in_one(piece_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"".join(b"line%d \t x%sy \r\n%s" % (n, b" " * (n % 9), b"\r\n" * (n % 3)) for n in range(60)) + b" \r\n\r\n"
    monkeypatch.setattr(dkim_body, "_PIECE_BYTES", piece_bytes)
    assert digest(body, "relaxed") == hashed(bytes(Relaxed.canonicalize_body(body)))
    assert digest(body, "simple") == hashed(bytes(Simple.canonicalize_body(body)))
