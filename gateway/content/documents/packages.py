"""ZIP files: plain archives, and the packages of OOXML and OpenDocument, whose parts have a meaning.

Python's zipfile reads the directory; this file keeps it from believing what the directory says: members are counted
before they are read, and unpacked against a budget, whatever sizes they claim. Overlapping members are paid for each
time. PKWARE APPNOTE 6.3, ECMA-376 part 2 (OPC), OpenDocument 1.3 part 2.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from gateway.content.documents.choose import readable_name
from gateway.content.documents.office import read_office
from gateway.content.documents.open_document import read_open_document
from gateway.content.documents.trouble import Sink, Trouble, Unreadable

_END = b"PK\x05\x06"
_MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 262_144
_IS_ENCRYPTED = 0x1


class Package:
    """An open ZIP file. `names` are those of its files, in the directory's order, each once."""

    def __init__(self, sink: Sink, data: bytes) -> None:
        """Raises Unreadable for a directory that is broken or too large."""
        end = data.rfind(_END)
        if end < 0:
            raise Unreadable(Trouble.BROKEN)
        if int.from_bytes(data[end + 12 : end + 16], "little") > _MAX_DIRECTORY_BYTES:
            raise Unreadable(Trouble.TOO_LARGE)
        self._sink = sink
        try:
            self._file = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as problem:
            raise Unreadable(Trouble.BROKEN) from problem
        self._members = [info for info in self._file.infolist() if not info.is_dir()]
        self.names = tuple(dict.fromkeys(info.filename for info in self._members))

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def members(self) -> Iterator[tuple[str, bytes | None]]:
        """Every file with its bytes, also where two have one name; None where it could not be read (noted)."""
        for info in self._members:
            self._sink.enter_member()
            yield info.filename, self._bytes(info)

    def read(self, name: str) -> bytes | None:
        """The bytes of the file of that name; None where it could not be read (noted)."""
        self._sink.enter_member()
        return self._bytes(self._file.getinfo(name))

    def _bytes(self, info: zipfile.ZipInfo) -> bytes | None:
        """Raises Unreadable where the budget is spent."""
        if info.flag_bits & _IS_ENCRYPTED:
            self._sink.trouble(Trouble.ENCRYPTED)
            return None
        pieces: list[bytes] = []
        try:
            with self._file.open(info) as member:
                while piece := member.read(_CHUNK_BYTES):
                    self._sink.spend(len(piece))
                    pieces.append(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
            self._sink.trouble(Trouble.BROKEN)
            return None
        return b"".join(pieces)


def read_zip(sink: Sink, data: bytes, depth: int) -> None:
    """Open a ZIP file as what it is: an office document, or files in files."""
    package = Package(sink, data)
    if "[Content_Types].xml" in package:
        read_office(sink, package, depth)
    elif "content.xml" in package and ("mimetype" in package or "META-INF/manifest.xml" in package):
        read_open_document(sink, package, depth)
    else:
        for name, content in package.members():
            if content is None:
                sink.say(f"\n{readable_name(name)}\n")
            else:
                sink.open(content, depth=depth + 1, name=name)
