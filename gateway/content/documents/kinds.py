"""What a file is, by its bytes. Its name and declared type are believed for nothing but text.

One file may be several things at once (a picture with a ZIP behind it): it is opened as each of them. Called by
`opening`, and by `choose` for parts that call themselves text.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """What is opened in a way of its own."""

    NOTHING = "nothing"
    PDF = "pdf"
    ZIP = "zip"
    OLE = "ole"
    RTF = "rtf"
    XML = "xml"
    HTML = "html"
    MAIL = "mail"
    LINES = "lines"
    TEXT = "text"
    PICTURE = "picture"
    VIDEO = "video"
    PACKED = "packed"
    UNKNOWN = "unknown"


_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF-", Kind.PDF),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"PK\x07\x08", Kind.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.OLE),
    (b"{\\rt", Kind.RTF),
    (b"\xff\xd8\xff", Kind.PICTURE),
    (b"\x89PNG\r\n\x1a\n", Kind.PICTURE),
    (b"GIF8", Kind.PICTURE),
    (b"II*\0", Kind.PICTURE),
    (b"MM\0*", Kind.PICTURE),
    (b"\0\0\0\x0cjP  ", Kind.PICTURE),
    (b"\xff\x4f\xff\x51", Kind.PICTURE),
    (b"\xff\x0a", Kind.PICTURE),  # JPEG XL
    (b"\0\0\0\x0cJXL ", Kind.PICTURE),
    (b"8BPS", Kind.PICTURE),
    (b"\x1aE\xdf\xa3", Kind.VIDEO),  # Matroska and WebM
    (b"\0\0\x01\xba", Kind.VIDEO),
    (b"\0\0\x01\xb3", Kind.VIDEO),
    (b"FLV\x01", Kind.VIDEO),
    (b"7z\xbc\xaf'\x1c", Kind.PACKED),
    (b"Rar!\x1a\x07", Kind.PACKED),
    (b"\x1f\x8b", Kind.PACKED),
    (b"BZh", Kind.PACKED),
    (b"\xfd7zXZ\0", Kind.PACKED),
    (b"\x28\xb5\x2f\xfd", Kind.PACKED),
    (b"MSCF", Kind.PACKED),
    (b"x\x9f>\x22", Kind.PACKED),  # TNEF
)
_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"})
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})
_HEAD_BYTES = 4096
_ZIP_END_BYTES = 65_536 + 22
_XML = re.compile(r"\s*<\?xml\b|\s*<(?:svg|office:document|w:wordDocument|pkg:package)\b")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|table|div|p|span)\b", re.IGNORECASE)
_MAIL = re.compile(
    r"(?:From [^\n]{1,200}\n)?(?:(?:Return-Path|Received|Delivered-To|From|To|Date|Subject|Message-ID|MIME-Version"
    r"|Content-Type|DKIM-Signature|Reply-To|Cc|Sender|X-[A-Za-z-]{1,60}):[^\n]{0,1000}\n"
    r"(?:[ \t][^\n]{0,1000}\n){0,50}){2}",
    re.IGNORECASE,
)
_LINES = re.compile(r"\s*BEGIN:(?:VCALENDAR|VCARD|VEVENT|VTODO|VJOURNAL)\b", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def kinds_of(data: bytes) -> tuple[Kind, ...]:
    """Everything that those bytes are to some program, what they begin as first. Never empty, never raises."""
    if not data.strip():
        return (Kind.NOTHING,)
    first = binary_kind(data) or _text_kind(data)
    kinds = [first]
    # PDF readers look for the header in the first kilobyte; archivers find a ZIP by its end.
    if first is not Kind.PDF and b"%PDF-" in data[:1024]:
        kinds.append(Kind.PDF)
    if first is not Kind.ZIP and b"PK\x05\x06" in data[-_ZIP_END_BYTES:] and b"PK\x01\x02" in data:
        kinds.append(Kind.ZIP)
    return tuple(kinds)


def binary_kind(data: bytes) -> Kind | None:
    """The kind that the first bytes prove, or None: it may be text."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0":
        return Kind.PICTURE
    if data[:4] == b"RIFF":
        return {b"WEBP": Kind.PICTURE, b"AVI ": Kind.VIDEO}.get(data[8:12], Kind.UNKNOWN)
    if data[4:8] == b"ftyp":
        if data[8:12] in _SOUND_BRANDS:
            return Kind.UNKNOWN
        return Kind.PICTURE if data[8:12] in _STILL_BRANDS else Kind.VIDEO
    if data[:1] == b"\0" and data[4:8] in (b"moov", b"mdat", b"wide"):
        return Kind.VIDEO
    if data[257:262] == b"ustar":
        return Kind.PACKED
    return None


def text_of(data: bytes) -> str:
    """The characters of a text file without a label: by its byte order mark, else UTF-8, else Windows-1252."""
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    if (bare := _bare_utf16(data[:_HEAD_BYTES])) is not None:
        return data.decode(bare, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _text_kind(data: bytes) -> Kind:
    head = data[:_HEAD_BYTES]
    is_marked = head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    if not is_marked and not _bare_utf16(head) and len(_CONTROLS.findall(head)) * 50 > len(head):
        return Kind.UNKNOWN
    if not is_marked and not _bare_utf16(head) and b"\0" in head:
        return Kind.UNKNOWN
    text = text_of(head).replace("\r\n", "\n")
    if _XML.match(text) and not _HTML.search(text):
        return Kind.XML
    if _LINES.match(text):
        return Kind.LINES
    if _MAIL.match(text):
        return Kind.MAIL
    if _HTML.search(text[:1024]):
        return Kind.HTML
    return Kind.TEXT


def _bare_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark, as some programs write it: every second octet of a Latin text is NUL."""
    if len(head) < 16:
        return None
    for codec, nuls, letters in (("utf-16-le", head[1::2], head[0::2]), ("utf-16-be", head[0::2], head[1::2])):
        if nuls.count(0) * 10 > len(nuls) * 7 and letters.count(0) * 10 < len(letters):
            return codec
    return None
