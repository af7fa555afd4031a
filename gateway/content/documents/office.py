"""Text, pictures and inner files of Word, Excel and PowerPoint documents (OOXML: .docx, .xlsx, .pptx and their kin).

Every XML part that holds words of the document is read, comments, notes, deleted text and hidden sheets too: whoever
gets the file can show them. ECMA-376 part 1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.content.documents.kinds import Kind, kinds_of
from gateway.content.documents.trouble import Sink, Trouble, Unreadable
from gateway.content.documents.xml_text import local, parse_xml, read_xml

if TYPE_CHECKING:
    from gateway.content.documents.packages import Package

_FORMAT_ONLY = re.compile(
    r"(?:^|/)(?:styles|stylesWithEffects|settings|webSettings|fontTable|numbering|theme\d*|tableStyles|presProps"
    r"|viewProps|calcChain|metadata|app|\[Content_Types\])\.xml$"
)
_FIRST = ("word/document.xml", "xl/workbook.xml", "ppt/presentation.xml")
_STRINGS = "xl/sharedStrings.xml"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml$")
_PEOPLE = frozenset({"creator", "lastModifiedBy", "created", "modified", "revision", "language"})
_OUTSIDE = "External"
_HEADER_CODES = re.compile(r'&"[^"]{0,200}"|&\d{1,3}|&[A-Z]')
_OPENED = frozenset({Kind.PDF, Kind.ZIP, Kind.OLE, Kind.RTF, Kind.MAIL, Kind.PACKED, Kind.VIDEO, Kind.XML})
_NO_TEXT_BINARIES = ("vbaProject.bin", "printerSettings", "vbaProjectSignature.bin", "activeX")


def read_office(sink: Sink, package: Package, depth: int) -> None:
    """Read a package: its texts in the order in which a reader would meet them, then what is embedded in it."""
    strings = _shared_strings(package)
    for name in sorted(package.names, key=_reading_order):
        if name == _STRINGS:
            continue
        content = package.read(name)
        if content is None:
            continue
        if _SHEET.search(name):
            sink.say(_sheet_text(content, strings, max_chars=sink.limits.max_chars))
        elif name.endswith(".rels"):
            sink.say(_outside_targets(content))
        elif name.endswith(".xml"):
            if not _FORMAT_ONLY.search(name):
                sink.say(_part_text(name, content, sink.limits.max_chars))
        else:
            _read_inner(sink, name, content, depth)


def _read_inner(sink: Sink, name: str, content: bytes, depth: int) -> None:
    """A picture or an embedded file. Fonts, macros and printer settings hold no words."""
    kinds = kinds_of(content)
    if Kind.PICTURE in kinds:
        sink.look_at(content)
    elif not _OPENED.isdisjoint(kinds) and not any(word in name for word in _NO_TEXT_BINARIES):
        sink.open(content, depth=depth + 1)


def _reading_order(name: str) -> tuple[int, int, str]:
    """The main part first, numbered parts by their numbers, properties and relations last."""
    if name in _FIRST:
        return 0, 0, name
    number = re.search(r"(\d{1,6})\.xml$", name)
    late = name.endswith(".rels") or name.startswith(("docProps/", "customXml/"))
    return 2 if late else 1, int(number[1]) if number else 0, name


def _part_text(name: str, content: bytes, max_chars: int) -> str:
    if name == "xl/workbook.xml":
        return _sheet_names(content)
    skips = _PEOPLE if name.startswith("docProps/") else frozenset[str]()
    return read_xml(content, max_chars=max_chars, skips=skips) + "\n"


def _sheet_names(content: bytes) -> str:
    names: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "sheet":
            names.append(attributes.get("name", ""))

    parse_xml(content, start=start, end=_ignore, text=_ignore)
    return "\n".join(names) + "\n"


def _outside_targets(content: bytes) -> str:
    """Where links lead."""
    targets: list[str] = []

    def start(_tag: str, attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode") == _OUTSIDE:
            targets.append(attributes.get("Target", "") + "\n")

    parse_xml(content, start=start, end=_ignore, text=_ignore)
    return "".join(targets)


def _ignore(_seen: str) -> None:
    """Of no use here."""


def _shared_strings(package: Package) -> list[str]:
    """The strings that cells refer to by number (section 18.4)."""
    content = package.read(_STRINGS) if _STRINGS in package else None
    if content is None:
        return []
    strings: list[str] = []
    inside: list[str] = []

    def start(tag: str, _attributes: dict[str, str]) -> None:
        if local(tag) == "si":
            inside.clear()

    def end(tag: str) -> None:
        if local(tag) == "si":
            strings.append("".join(inside))

    parse_xml(content, start=start, end=end, text=inside.append)
    return strings


def _sheet_text(content: bytes, strings: list[str], *, max_chars: int) -> str:
    """A sheet row by row, cells apart by tabs: what stands in one row is read together."""
    reader = _Sheet(strings, max_chars)
    try:
        parse_xml(content, start=reader.start, end=reader.end, text=reader.characters)
    except Unreadable as problem:
        if problem.trouble is not Trouble.TOO_LONG:
            raise
    return "".join(reader.pieces) + "\n"


class _Sheet:
    def __init__(self, strings: list[str], max_chars: int) -> None:
        self.pieces: list[str] = []
        self._strings = strings
        self._left = max_chars + 1
        self._is_shared = False
        self._takes = False
        self._value: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "c":
            self._is_shared = attributes.get("t") == "s"
            self._value.clear()
        self._takes = name in {"v", "t", "oddHeader", "oddFooter", "f"}

    def characters(self, text: str) -> None:
        if self._takes:
            self._value.append(text)

    def end(self, tag: str) -> None:
        self._takes = False
        match local(tag):
            case "c":
                self._put("".join(self._cell()) + "\t")
                self._value.clear()
            case "row":
                self._put("\n")
            case "f":
                self._value.clear()  # a formula; its value follows
            case "oddHeader" | "oddFooter":
                self._put(_HEADER_CODES.sub(" ", "".join(self._value)) + "\n")
                self._value.clear()

    def _cell(self) -> list[str]:
        if not self._is_shared:
            return self._value
        number = "".join(self._value).strip()
        if number.isascii() and number.isdigit() and len(number) < 10 and int(number) < len(self._strings):
            return [self._strings[int(number)]]
        return []

    def _put(self, text: str) -> None:
        self.pieces.append(text[: self._left])
        self._left -= len(text)
        if self._left <= 0:
            raise Unreadable(Trouble.TOO_LONG)
