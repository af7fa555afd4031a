"""The text of XML: every character between tags, with line ends where a paragraph or a row ends.

Expat, streaming, and nothing but it: a document type declaration ends the reading, so that no entity is ever declared,
fetched or expanded. Office programs write none. ECMA-376 parts 1 and 4, OpenDocument 1.3 part 3, SVG 1.1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from xml.parsers import expat

from gateway.content.documents.trouble import Trouble, Unreadable

_MAX_OPEN_TAGS = 2000
_ENDS_LINE = frozenset({"p", "h", "br", "cr", "line-break", "row", "table-row", "tr", "title", "desc", "si"})
_PARAGRAPHS, _CELLS = frozenset({"p", "h"}), frozenset({"tc", "table-cell"})
_ENDS_CELL = frozenset({"tc", "table-cell", "covered-table-cell", "tab", "c"})
_HAS_NOISE = frozenset({"tabs", "tab-stops"})
_KEEPS_SPACE = frozenset({"t", "p", "h", "span", "a", "delText", "v", "tspan", "text", "instrText"})
_SPOKEN = frozenset({"descr", "title", "alt", "Target"})
"""Attributes that a reader sees or follows: descriptions of pictures, targets of links."""
_BASE64 = "binary-data"

Unopened = Callable[[bytes], None]


def read_xml(data: bytes, *, max_chars: int, opens: Unopened | None = None, skips: frozenset[str] = frozenset()) -> str:
    """The text of an XML file, one character more than `max_chars` at most.

    `opens` gets the files that stand in it as base64 (flat OpenDocument); `skips` are local names of elements whose
    text is left out. Raises Unreadable for what is not well formed, or declares a document type.
    """
    reader = _Reader(max_chars, opens, skips)
    try:
        parse_xml(data, start=reader.start, end=reader.end, text=reader.characters)
    except Unreadable as problem:
        if problem.trouble is not Trouble.TOO_LONG:
            raise
    return "".join(reader.pieces)


def parse_xml(
    data: bytes,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Run those handlers over XML; names are as written, with their prefix. Raises Unreadable as `read_xml`."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        raise Unreadable(Trouble.BROKEN) from problem


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


def _refuse(*_declared: object) -> int:
    raise Unreadable(Trouble.BROKEN)


class _Reader:
    def __init__(self, max_chars: int, opens: Unopened | None, skips: frozenset[str]) -> None:
        self.pieces: list[str] = []
        self._left = max_chars + 1
        self._opens = opens
        self._skips = skips
        self._open: list[str] = []
        self._skipped = 0
        self._base64: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if len(self._open) >= _MAX_OPEN_TAGS:
            raise Unreadable(Trouble.TOO_DEEP)
        self._open.append(name)
        self._skipped += name in self._skips or tag in self._skips
        if name == _BASE64:
            self._base64 = []
        elif name == "s" and any(key == "text:c" for key in attributes):
            count = attributes["text:c"]
            self._put(" " * min(int(count) if count.isdigit() else 1, 100))
        elif name == "s" and tag == "text:s":
            self._put(" ")
        for key, value in attributes.items():
            if key in _SPOKEN or key == "xlink:href":
                self._put(f"\n{value}\n" if value and not value.startswith(("#", "Pictures/", "media/")) else "")

    def end(self, tag: str) -> None:
        name = self._open.pop()
        if name == _BASE64 and self._base64 is not None:
            self._open_base64("".join(self._base64))
            self._base64 = None
        parent = self._open[-1] if self._open else ""
        if name in _PARAGRAPHS and parent in _CELLS:
            self._put(" ")
        elif name in _ENDS_LINE:
            self._put("\n")
        elif name in _ENDS_CELL and parent not in _HAS_NOISE:
            self._put("\t")
        self._skipped -= name in self._skips or tag in self._skips

    def characters(self, text: str) -> None:
        if self._base64 is not None:
            self._base64.append(text)
        elif not text.isspace() or (self._open and self._open[-1] in _KEEPS_SPACE):
            self._put(text)

    def _put(self, text: str) -> None:
        if self._skipped or not text:
            return
        self.pieces.append(text[: self._left])
        self._left -= len(text)
        if self._left <= 0:
            raise Unreadable(Trouble.TOO_LONG)

    def _open_base64(self, text: str) -> None:
        if self._opens is None:
            return
        try:
            self._opens(base64.b64decode(text, validate=False))
        except binascii.Error as problem:
            raise Unreadable(Trouble.BROKEN) from problem
