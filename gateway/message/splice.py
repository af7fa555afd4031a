"""Edits as byte splices: the one way in which the gateway changes a message (DESIGN section 1, principle 5).

Pure. Called by `gateway.amend`. Whatever no splice names stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """Bytes `start_byte` to `end_byte` give way to `replacement`; an insertion has both equal."""

    start_byte: int
    end_byte: int
    replacement: bytes


def apply_splices(raw: bytes, splices: Iterable[Splice]) -> bytes:
    """`raw` with every splice done, offsets counted in `raw` as it was.

    Insertions at one place stand in the order in which they came, before a replacement that starts there.
    Holds the old and the new bytes and nothing else of their size. Raises ValueError for a splice outside of `raw`,
    with its ends exchanged, or overlapping another.
    """
    ordered = sorted(splices, key=lambda splice: (splice.start_byte, splice.end_byte))
    whole = memoryview(raw)
    pieces: list[bytes | memoryview] = []
    position = 0
    for splice in ordered:
        if not position <= splice.start_byte <= splice.end_byte <= len(raw):
            raise ValueError("a splice overlaps another one or lies outside of the message")
        pieces.append(whole[position : splice.start_byte])
        pieces.append(splice.replacement)
        position = splice.end_byte
    pieces.append(whole[position:])
    return b"".join(pieces)
