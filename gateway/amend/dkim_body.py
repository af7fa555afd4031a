"""The body hash of a signature: canonical body in one pass over pieces of the message, in linear time.

dkimpy's own canonicalization holds several copies of the message and takes quadratic time on long runs of blanks; a
hash here costs one piece of memory. Pure. Called by `gateway.amend.dkim_check`. RFC 6376 section 3.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

_PIECE_BYTES = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyDigest:
    """A hash of the canonical body, or of its first bytes, and how long the canonical body is in full."""

    digest: bytes
    canonical_bytes: int


def body_digest(raw: bytes, start_byte: int, *, canon: str, length: int | None) -> BodyDigest:
    """The SHA-256 of the body that begins at `start_byte` of a message with CRLF line ends.

    `canon` is `simple` or `relaxed`, `length` how many canonical bytes to hash (None: all).
    """
    hasher = hashlib.sha256()
    total = 0
    for piece in _canonical_pieces(raw, start_byte, is_relaxed=canon == "relaxed"):
        left = len(piece) if length is None else max(length - total, 0)
        hasher.update(piece if left >= len(piece) else piece[:left])
        total += len(piece)
    return BodyDigest(digest=hasher.digest(), canonical_bytes=total)


def _canonical_pieces(raw: bytes, start: int, *, is_relaxed: bool) -> Iterator[bytes]:
    """The canonical body: no empty lines at its end, one final line end (an empty relaxed body has none)."""
    end = _content_end(raw, start, b" \t\r\n" if is_relaxed else b"\r\n")
    at = start
    while at < end:
        line_end = raw.find(b"\r\n", min(at + _PIECE_BYTES, end), end)
        cut = end if line_end < 0 else line_end + 2
        piece = raw[at:cut]
        yield _relaxed(piece) if is_relaxed else piece
        at = cut
    if end > start or not is_relaxed:
        yield b"\r\n"


def _relaxed(piece: bytes) -> bytes:
    """Each run of blanks as one space, none before a line end. Halving runs costs their logarithm at most."""
    text = piece.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text.replace(b" \r\n", b"\r\n")


def _content_end(raw: bytes, start: int, blanks: bytes) -> int:
    """Where the last line that is not empty ends, without its line end."""
    end = len(raw)
    while end > start:
        first = max(start, end - _PIECE_BYTES)
        kept = len(raw[first:end].rstrip(blanks))
        if kept:
            return first + kept
        end = first
    return start
