"""Text with a map: every character knows the offset in the source from which it came.

Built piece by piece while a part's source is turned into what a reader sees. Used by `plain` and `html`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedText:
    """`text`, and for each of its characters an offset into the source; offsets never fall."""

    text: str
    offsets: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlfOffsets(Sequence[int]):
    """The map of a text whose source has CRLF where the text has LF; counted when asked for, not kept a character.

    `start` is where the source begins, `line_ends` where the LFs stand in the text: each stands for its CR.
    """

    length: int
    start: int
    line_ends: Sequence[int]

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...

    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return array("I", map(self._offset, range(self.length)[index]))
        return self._offset(range(self.length)[index])

    def _offset(self, index: int) -> int:
        return self.start + index + bisect_left(self.line_ends, index)


class MappedTextBuilder:
    """Collects pieces in reading order."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._offsets = array("I")
        self.length = 0
        self.last = ""

    def copy(self, source: str, start: int, end: int) -> None:
        """Adds `source[start:end]`, mapped one to one."""
        if end > start:
            self._pieces.append(source[start:end])
            self._offsets.extend(range(start, end))
            self.length += end - start
            self.last = source[end - 1]

    def put(self, text: str, offset: int) -> None:
        """Adds text that stands at one place of the source."""
        if text:
            self._pieces.append(text)
            self._offsets.extend([offset] * len(text))
            self.length += len(text)
            self.last = text[-1]

    def put_mapped(self, text: str, offsets: Sequence[int]) -> None:
        """Adds text with an offset for each character."""
        if text:
            self._pieces.append(text)
            self._offsets.extend(offsets)
            self.length += len(text)
            self.last = text[-1]

    def mapped(self) -> MappedText:
        """Everything added so far."""
        return MappedText(text="".join(self._pieces), offsets=self._offsets)
