"""A first look at a sentence, from its words alone: what it could be, and whether it needs a closer look.

Not a judgement: what passes is looked at by the sentence encoder, which costs a hundred times as much; what does not
pass is what most sentences of an agency's mail are, and stays without a score. A linear model over hashed words, pairs
of words, beginnings and ends of words; about 0.03 ms a sentence. What it lets through, and what it lets slip, stands in
docs/detection.md. The weights lie with the encoder's; learned by `gateway.content.training.glancing`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FILE = "glance.npy"
BUCKETS = 1 << 16
_WORD = re.compile(r"[^\W_]+|[?!]")
_LONG, _LONGER = 5, 6


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

    def look(self, folded: str, direction: int) -> tuple[float, ...]:
        """The evidence, logits, for each category and last for any, in mail of the direction with this number."""
        places = sorted(set(marks(folded, direction)))
        sums = self._weights[places].sum(axis=0, dtype=np.int64) * self._scale / float(len(places)) ** 0.5
        return tuple((sums + self._base).tolist())

    def passes(self, evidence: tuple[float, ...]) -> bool:
        """True if a sentence with this evidence is to be looked at by the encoder."""
        return evidence[-1] >= self._least


def marks(folded: str, direction: int) -> list[int]:
    """The buckets of a sentence: its direction, words, pairs, beginnings and ends of long words."""
    found = [f"={direction}"]
    before = "^"
    for word in _WORD.findall(folded):
        found.append(word)
        found.append(f"{before} {word}")
        if len(word) > _LONG:
            found.append(f"<{word[:_LONG]}")
        if len(word) > _LONGER:
            found.append(f"{word[-4:]}>")
        before = word
    return [zlib.crc32(mark.encode("utf-8", "replace")) % BUCKETS for mark in found]
