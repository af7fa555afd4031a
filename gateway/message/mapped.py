"""Text with a map: every character knows the offset in the source from which it came.

Built piece by piece while a part's source is turned into what a reader sees. Used by `plain` and `html`.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedText:
    """`text`, and for each of its characters an offset into the source; offsets never fall."""

    text: str
    offsets: Sequence[int]


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
