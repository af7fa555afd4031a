"""Text folded for look-ups: lower case, no accents, look-alike letters made plain, invisible characters gone.

Not a normal form for display or storage. Two steps keep offsets cheap. `plain_text` first takes out invisible
characters and opens ligatures and compatibility characters; only this step can change the length, and it keeps a map
back to the source. Folding then maps one character to one, so that offsets in `folded` and in `text` are the same.
Linear time. Called by `gateway.content.reading` and `gateway.content.names`. Unicode Standard Annex 15 (NFKD).
"""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

# One character may open into this many at most; some compatibility characters open into eighteen (U+FDFA).
_MAX_EXPANSION = 4

# Letters of other scripts that look Latin, used to hide a word from a list. Apostrophes and dashes of every shape.
_LOOK_ALIKES = (
    dict(zip("абвгдеосрхуікмнтΑΒΕΖΗΙΚΜΝΟΡΤΥΧοѕјһ", "aбbгдeocpxyikmhtABEZHIKMNOPTYXosjh", strict=True))
    | dict.fromkeys("’‘ʼ`´′＇", "'")
    | dict.fromkeys("‐‑‒–—−", "-")
    | dict.fromkeys("“”«»„", '"')
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainText:
    """Opened text, its folding (same length), and the way back. `offsets` is None where nothing changed its place."""

    text: str
    folded: str
    offsets: Sequence[int] | None
    source_length: int

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the source from which `start` to `end` came."""
        if self.offsets is None or start >= end:
            return (start, end) if self.offsets is None else (self._source(start), self._source(start))
        return self._source(start), self._source(end - 1) + 1

    def plain_offset(self, source: int) -> int:
        """The first place in the opened text that came from `source` or later (for borders of zones)."""
        if self.offsets is None:
            return source
        low, high = 0, len(self.offsets)
        while low < high:
            middle = (low + high) // 2
            if self.offsets[middle] < source:
                low = middle + 1
            else:
                high = middle
        return low

    def _source(self, index: int) -> int:
        if self.offsets is None:
            return index
        return self.offsets[index] if index < len(self.offsets) else self.source_length


class _Openings(dict[int, str]):
    """What a character opens into, found once for each code point. `odd` holds those that change the length."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: set[str] = set()

    def __missing__(self, code: int) -> str:
        char = chr(code)
        opened = self[code] = _open(char)
        if len(opened) != 1:
            self.odd.add(char)
        return opened


class _Foldings(dict[int, str]):
    """What an opened character folds to: always one character."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold(chr(code))
        return folded


_OPENINGS = _Openings()
_FOLDINGS = _Foldings()


def plain_text(text: str) -> PlainText:
    """The text opened and folded, with its map back to `text`."""
    if text.isascii():
        return PlainText(text=text, folded=text.lower(), offsets=None, source_length=len(text))
    opened = text.translate(_OPENINGS)
    offsets: Sequence[int] | None = None
    if not _OPENINGS.odd.isdisjoint(text):
        offsets = array("I", (i for i, char in enumerate(text) for _ in _OPENINGS[ord(char)]))
    return PlainText(text=opened, folded=opened.translate(_FOLDINGS), offsets=offsets, source_length=len(text))


def fold(text: str) -> str:
    """The folded text alone, for terms and names that are compared with `PlainText.folded`."""
    return plain_text(text).folded


def _open(char: str) -> str:
    if char in "\n\t" or char in _LOOK_ALIKES:
        return char
    category = unicodedata.category(char)
    if category in {"Cf", "Mn", "Me", "Cc"}:
        return ""
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    if char in "œŒæÆ":
        return {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"}[char]
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", char))
    return composed if 0 < len(composed) <= _MAX_EXPANSION else char


def _fold(char: str) -> str:
    char = _LOOK_ALIKES.get(char, char)
    base = unicodedata.normalize("NFD", char)[0]
    lowered = _LOOK_ALIKES.get(base.lower(), base.lower())
    return lowered if len(lowered) == 1 else base
