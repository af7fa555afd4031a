r"""Rich Text Format: words, pictures, and objects. One pass over the tokens, in linear time. RTF 1.9.1.

Not a renderer: what a reader would not see (hidden text) is read as well, fonts, colours and styles are not. A control
word is `\word` with an optional number; `\'hh` is an octet of the current code page; `\uN` a UTF-16 unit, followed by
`\ucN` characters for old readers, which are left out.
"""

from __future__ import annotations

import codecs
import re

from gateway.content.documents.kinds import Kind, binary_kind
from gateway.content.documents.trouble import Sink, Trouble, Unreadable

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)
_SILENT = frozenset(
    {b"fonttbl", b"colortbl", b"stylesheet", b"listtable", b"listoverridetable", b"revtbl", b"rsidtbl", b"generator",
     b"themedata", b"colorschememapping", b"latentstyles", b"datastore", b"xmlnstbl", b"filetbl", b"pgptbl",
     b"author", b"operator", b"creatim", b"revtim", b"printim", b"defchp", b"defpap", b"fontemb", b"bkmkstart",
     b"bkmkend", b"mmathPr", b"wgrffmtfilter", b"pgdsctbl", b"blipuid", b"picprop"}
)  # fmt: skip
_CHARS = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"cell": "\t", b"tab": "\t",
    b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\", b"\n": "\n", b"\r": "\n", b"*": ""}
_MAX_GROUPS = 5000


class _Group:
    """What holds until the group ends."""

    __slots__ = ("destination", "skip_after_unicode")

    def __init__(self, destination: bytes = b"", skip_after_unicode: int = 1) -> None:
        self.destination = destination
        self.skip_after_unicode = skip_after_unicode


def read_rtf(sink: Sink, data: bytes, _depth: int) -> None:
    """Say the words, look at the pictures, name the objects."""
    _Reader(sink).run(data)


class _Reader:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._codec = "cp1252"
        self._group = _Group()
        self._groups: list[_Group] = []
        self._octets = bytearray()
        self._words: list[str] = []
        self._hex = bytearray()
        self._to_skip = 0

    def run(self, data: bytes) -> None:
        position = 0
        while (token := _TOKEN.match(data, position)) is not None:
            position = token.end()
            word, number, octet, symbol, brace, plain = token.groups()
            if word == b"bin" and number:
                size = max(int(number), 0)
                if size > len(data) - position:
                    self._sink.trouble(Trouble.BROKEN)
                self._take_binary(data[position : position + size])
                position += size
            elif word:
                self._take_word(word, int(number) if number else None)
            elif octet:
                self._take_octets(bytes([int(octet, 16)]))
            elif symbol:
                self._take_text(_SYMBOLS.get(symbol, ""))
            elif brace:
                (self._begin if brace == b"{" else self._end)()
            elif plain:
                self._take_octets(plain)
        self._flush()
        while self._groups:
            self._end()
        self._sink.say("".join(self._words) + "\n")

    def _begin(self) -> None:
        self._flush()
        if len(self._groups) >= _MAX_GROUPS:
            raise Unreadable(Trouble.TOO_DEEP)
        self._groups.append(self._group)
        self._group = _Group(self._group.destination, self._group.skip_after_unicode)

    def _end(self) -> None:
        self._flush()
        self._to_skip = 0
        if self._hex and (not self._groups or self._groups[-1].destination != self._group.destination):
            self._open_hex()
        if self._groups:
            self._group = self._groups.pop()

    def _take_word(self, word: bytes, number: int | None) -> None:
        if word == b"u" and number is not None:
            self._take_text(chr(number % 0x10000))
            self._to_skip = self._group.skip_after_unicode
            return
        self._to_skip = 0
        if word in _CHARS:
            self._take_text(_CHARS[word])
        elif word in _SILENT or word in {b"pict", b"objdata"}:
            self._flush()
            self._group.destination = word
        elif word in {b"nonshppict", b"shppict"}:
            self._flush()
        elif word == b"uc" and number is not None:
            self._group.skip_after_unicode = min(max(number, 0), 10)
        elif word == b"ansicpg" and number is not None:
            self._codec = _codec(number)
        elif word == b"mac":
            self._codec = "mac_roman"

    def _take_octets(self, octets: bytes) -> None:
        if self._group.destination in {b"pict", b"objdata"}:
            self._hex += octets
            return
        skipped = min(self._to_skip, len(octets))
        self._to_skip -= skipped
        if self._group.destination not in _SILENT:
            self._octets += octets[skipped:]

    def _take_text(self, text: str) -> None:
        self._flush()
        if self._group.destination not in _SILENT | {b"pict", b"objdata"}:
            self._words.append(text)

    def _take_binary(self, content: bytes) -> None:
        if self._group.destination in {b"pict", b"objdata"}:
            self._open(content)

    def _flush(self) -> None:
        if self._octets:
            self._words.append(self._octets.decode(self._codec, "replace"))
            self._octets.clear()

    def _open_hex(self) -> None:
        digits = re.sub(rb"[^0-9a-fA-F]", b"", bytes(self._hex))
        self._hex.clear()
        content = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
        if not content:
            return
        self._sink.spend(len(content))
        self._open(content)

    def _open(self, content: bytes) -> None:
        """A picture is looked at, but for drawings in metafiles; an object is in a container that is not opened."""
        if self._group.destination == b"objdata":
            self._sink.trouble(Trouble.WRAPPED)
        elif binary_kind(content) is Kind.PICTURE:
            self._sink.look_at(content)


def _codec(number: int) -> str:
    for name in (f"cp{number}", {65001: "utf-8", 10000: "mac_roman"}.get(number, "cp1252")):
        try:
            return codecs.lookup(name).name
        except LookupError:
            continue
    return "cp1252"
