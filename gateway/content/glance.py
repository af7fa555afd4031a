"""A first look at a sentence, from its words alone: what it could be, and whether it needs a closer look.

Not a judgement: what passes is looked at by the sentence encoder, which costs a hundred times as much; what does not
pass is what most sentences of an agency's mail are, and stays without a score. A linear model over hashed words, pairs
of words, beginnings and ends of words; about 0.01 ms a sentence. What it lets through, and what it lets slip, stands in
docs/detection.md. The weights lie with the encoder's; learned by `gateway.content.training.glancing`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FILE = "glance.npy"
BUCKETS = 1 << 16
_WORD = re.compile(r"[^\W_]+|[?!]")
_LONG, _LONGER, _REMEMBERED = 5, 6, 30
_SIDE_BY_SIDE = 256
_START = zlib.crc32(b"^ ")

Evidence = tuple[float, ...]
"""Logits: for each category, and last for any."""


class Glance:
    """Holds the weights, a row a bucket, a column a category and one for any: 8-bit whole numbers, a scale a column."""

    def __init__(self, weights: npt.NDArray[np.int8], card: Mapping[str, Any]) -> None:
        """`card` has `scale` and `base`, a number a column, and `least`, from which on a sentence passes."""
        self._weights = weights
        self._scale = np.asarray(card["scale"], dtype=np.float64)
        self._base = np.asarray(card["base"], dtype=np.float64)
        self._least = float(card["least"])

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any]) -> Glance:
        """From the folder of the weights, with its part of their card."""
        return cls(np.load(folder / FILE, mmap_mode="r"), card)

    def look(self, folded: Sequence[str], direction: int) -> Iterator[Evidence]:
        """The evidence for each of these sentences, in mail of the direction with this number."""
        for start in range(0, len(folded), _SIDE_BY_SIDE):
            yield from self._look(folded[start : start + _SIDE_BY_SIDE], direction)

    def _look(self, folded: Sequence[str], direction: int) -> list[Evidence]:
        places = [set(marks(sentence, direction)) for sentence in folded]
        counts = np.array([len(row) for row in places])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        rows = self._weights[np.fromiter(chain.from_iterable(places), np.int64, int(counts.sum()))]
        sums = np.add.reduceat(rows, starts, axis=0, dtype=np.int64) * self._scale / (counts**0.5)[:, None]
        return [tuple(row) for row in (sums + self._base).tolist()]

    def passes(self, evidence: Evidence) -> bool:
        """True if a sentence with this evidence is to be looked at by the encoder."""
        return evidence[-1] >= self._least


def marks(folded: str, direction: int) -> list[int]:
    """The buckets of a sentence: its direction, words, pairs, beginnings and ends of long words."""
    found = [zlib.crc32(b"=%d" % direction) % BUCKETS]
    before = _START
    for text in _WORD.findall(folded):
        word, before_next, places = _known(text) if len(text) <= _REMEMBERED else _word(text)
        found.append(zlib.crc32(word, before) % BUCKETS)
        found += places
        before = before_next
    return found


def _word(text: str) -> tuple[bytes, int, tuple[int, ...]]:
    """Its octets, the sum with which the pair of it and the next word begins, and the buckets that it has by itself."""
    word = text.encode("utf-8", "replace")
    own = zlib.crc32(word)
    places = [own]
    if len(text) > _LONG:
        places.append(zlib.crc32(b"<" + text[:_LONG].encode("utf-8", "replace")))
    if len(text) > _LONGER:
        places.append(zlib.crc32(text[-4:].encode("utf-8", "replace") + b">"))
    return word, zlib.crc32(b" ", own), tuple(place % BUCKETS for place in places)


_known = lru_cache(8192)(_word)
