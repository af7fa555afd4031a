"""Words of third parties blacked out in a text, whatever case, accents, spaces or invisible characters stand in them.

Words that belong together are found over the lines of a quotation, and joined by a hyphen, a dot or an underscore.

What is found is replaced by a bar of one length and the number of the redaction, so that neither the words nor their
length are left. Only whole words count. Pure, linear but for the pattern's alternatives; used in the rendering process
and for the lists of a redacted copy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

BAR = "█" * 5
_JOINTS = frozenset("-._\u2010\u2012\u2013")
_LINE_BREAKS = frozenset("\n\r\v\f\x85\u2028\u2029")
_QUOTING = frozenset(">|")
_UNSEEN = frozenset({"Mn", "Me", "Cf", "Cc"})


class Redactor:
    """Blacks out words and counts what it found. Not thread-safe: one for each message."""

    def __init__(self, words: Sequence[str]) -> None:
        """`words` in the order of their numbers, from 1; those without a letter or digit hide nothing."""
        self.counts = [0] * len(words)
        patterns = [_folded(entry)[0].strip() for entry in words]
        parts = [
            f"(?P<n{number}>{re.escape(pattern)})"
            for number, pattern in sorted(enumerate(patterns), key=lambda entry: -len(entry[1]))
            if any(char.isalnum() for char in pattern)
        ]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None

    def hide(self, text: str) -> str:
        """The text with every span blacked out."""
        if self._pattern is None:
            return text
        folded, offsets = _folded(text)
        pieces, done = [], 0
        for match in self._pattern.finditer(folded):
            number = int(str(match.lastgroup)[1:])
            self.counts[number] += 1
            start, end = offsets[match.start()], offsets[match.end() - 1] + 1
            while end < len(text) and unicodedata.category(text[end]) in _UNSEEN:
                end += 1
            pieces += [text[done:start], f"{BAR}[{number + 1}]"]
            done = end
        return "".join((*pieces, text[done:]))

    def hide_in(self, value: Any) -> Any:
        """A JSON value with every string in it blacked out; keys stay."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {key: self.hide_in(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.hide_in(entry) for entry in value]
        return value


def _folded(text: str) -> tuple[str, list[int]]:
    """Case, accents and invisible characters gone, what parts words one space; where each character came from.

    Words are parted by white space, by a line break with the marks of a quotation, and by a joint between two letters
    or digits, or at the end of a line.
    """
    chars: list[str] = []
    offsets: list[int] = []
    is_line_begun = False
    for place, char in enumerate(text):
        if char in _LINE_BREAKS:
            is_line_begun = True
            if len(chars) > 1 and chars[-1] in _JOINTS and chars[-2].isalnum():
                chars[-1] = " "
        if char.isspace() or (is_line_begun and char in _QUOTING):
            if not chars or chars[-1] != " ":
                chars.append(" ")
                offsets.append(place)
            continue
        is_line_begun = False
        for opened in unicodedata.normalize("NFKD", char).casefold():
            if unicodedata.category(opened) not in _UNSEEN:
                chars.append(opened)
                offsets.append(place)
    for place in range(1, len(chars) - 1):
        if chars[place] in _JOINTS and chars[place - 1].isalnum() and chars[place + 1].isalnum():
            chars[place] = " "
    return "".join(chars), offsets
