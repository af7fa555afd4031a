"""Text, pictures and inner files of OpenDocument packages (.odt, .ods, .odp and their kin). OpenDocument 1.3 part 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.content.documents.kinds import Kind, kinds_of
from gateway.content.documents.trouble import Sink, Trouble
from gateway.content.documents.xml_text import read_xml

if TYPE_CHECKING:
    from gateway.content.documents.packages import Package

_MANIFEST = "META-INF/manifest.xml"
_TEXTS = ("content.xml", "styles.xml", "meta.xml")
# People, dates and programs, not words of the document; and text that only formats numbers.
_SKIPPED = frozenset(
    {"meta:generator", "meta:initial-creator", "dc:creator", "dc:date", "meta:creation-date", "meta:editing-duration",
     "meta:editing-cycles", "meta:printed-by", "number:text", "dc:language", "meta:document-statistic",
     "meta:print-date"}
)  # fmt: skip
# What the program keeps for itself: pictures of the pages, of embedded objects, settings of windows.
_OWN = ("Thumbnails/", "ObjectReplacements/", "Configurations", "layout-cache", "settings.xml", _MANIFEST, "mimetype")


def read_open_document(sink: Sink, package: Package, depth: int) -> None:
    """Read a package: content, then headers and footers, then the title; then pictures and embedded objects."""
    manifest = package.read(_MANIFEST) if _MANIFEST in package else None
    if manifest is not None and b"encryption-data" in manifest:
        sink.trouble(Trouble.ENCRYPTED)
        return
    for name in sorted(package.names, key=_reading_order):
        if name.startswith(_OWN):
            continue
        content = package.read(name)
        if content is None:
            continue
        base = name.rpartition("/")[2]
        if base in _TEXTS:
            sink.say(read_xml(content, max_chars=sink.limits.max_chars, skips=_SKIPPED) + "\n")
        elif Kind.PICTURE in (kinds := kinds_of(content)):
            sink.look_at(content)
        elif not {Kind.PDF, Kind.ZIP, Kind.OLE, Kind.VIDEO, Kind.RTF}.isdisjoint(kinds):
            sink.open(content, depth=depth + 1)


def _reading_order(name: str) -> tuple[int, str]:
    return _TEXTS.index(name) if name in _TEXTS else len(_TEXTS), name
