"""One attachment opened, with all that it holds: text, pictures, and what could not be looked at.

Runs in the document process only (`process`), on hostile bytes. Each format is read in a file of its own; this one
knows what is a container of what, and keeps the limits. Nothing is written, nothing is executed, no reference to
elsewhere is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from gateway.content.documents.choose import readable_name
from gateway.content.documents.content_lines import read_lines
from gateway.content.documents.kinds import Kind, kinds_of, text_of
from gateway.content.documents.limits import DocumentLimits
from gateway.content.documents.mail import read_mail
from gateway.content.documents.model import Document, Opened, Picture
from gateway.content.documents.packages import read_zip
from gateway.content.documents.pdf import read_pdf
from gateway.content.documents.pictures import picture_of
from gateway.content.documents.rtf import read_rtf
from gateway.content.documents.trouble import Trouble, Unreadable
from gateway.content.documents.xml_text import read_xml
from gateway.message.html import visible_html
from gateway.message.transfer import decode_transfer

_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class Opening:
    """What is left of the limits while one attachment is opened, and what was found so far."""

    def __init__(self, limits: DocumentLimits, known_pictures: frozenset[str] = frozenset()) -> None:
        self.limits = limits
        self._known_pictures = known_pictures
        self._bytes_left = limits.max_unpacked_bytes
        self._chars_left = limits.max_chars
        self._members_left = limits.max_members
        self._pictures_left = limits.max_pictures
        self._texts: list[str] = []
        self._pictures: dict[str, Picture] = {}
        self._seen: set[str] = set()
        self._troubles: dict[str, None] = {}

    def opened(self) -> Opened:
        """What was found."""
        return Opened(
            text=_whole("".join(self._texts)).strip("\n"),
            pictures=tuple(self._pictures.values()),
            troubles=tuple(self._troubles),
        )

    def open(self, data: bytes, *, depth: int, name: str = "") -> None:
        """Open a file as everything that it is. Never raises for any bytes; what goes wrong is a trouble."""
        if depth > self.limits.max_depth:
            self.trouble(Trouble.TOO_DEEP)
            return
        if name:
            self.say(f"\n{readable_name(name)}\n")
        for kind in kinds_of(data):
            try:
                _OPENERS[kind](self, data, depth)
            except Unreadable as problem:
                self.trouble(problem.trouble)
            except MemoryError:
                self.trouble(Trouble.TOO_LARGE)
            except Exception:  # noqa: BLE001 -- the guard around one hostile file: whatever it breaks, it was not read
                self.trouble(Trouble.BROKEN)

    def say(self, text: str) -> None:
        """Add text. Raises Unreadable where there is more of it than is looked at."""
        kept = text[: self._chars_left]
        self._texts.append(kept)
        self._chars_left -= len(kept)
        if len(kept) < len(text):
            raise Unreadable(Trouble.TOO_LONG)

    def spend(self, count: int) -> None:
        """Count unpacked bytes. Raises Unreadable where they are too many."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise Unreadable(Trouble.TOO_LARGE)

    @property
    def bytes_left(self) -> int:
        """How many bytes may still be unpacked."""
        return max(self._bytes_left, 0)

    def enter_member(self) -> None:
        """Count one member of a container. Raises Unreadable where there are too many."""
        self._members_left -= 1
        if self._members_left < 0:
            raise Unreadable(Trouble.TOO_LARGE)

    def trouble(self, trouble: Trouble) -> None:
        """Note that something was not looked at."""
        self._troubles[trouble.value] = None

    def look_at(self, data: bytes, *, is_scan: bool = False) -> None:
        """Look at a picture, once for all copies of it; none that the administrator knows."""
        digest = sha256(data).hexdigest()
        if digest in self._seen or digest in self._known_pictures:
            return
        self._seen.add(digest)
        self.add_picture(picture_of(data, digest, max_pixels=self.limits.max_pixels, is_scan=is_scan))

    def add_picture(self, picture: Picture | None) -> None:
        """Add a picture that was looked at. Raises Unreadable where there are too many."""
        self._pictures_left -= 1
        if self._pictures_left < 0:
            raise Unreadable(Trouble.TOO_LARGE)
        if picture is not None and picture.digest not in self._known_pictures:
            self._pictures[picture.digest] = picture


def open_document(
    document: Document, known_pictures: frozenset[str] = frozenset(), *, limits: DocumentLimits
) -> Opened:
    """What the attachment holds. Never raises for any bytes."""
    opening = Opening(limits, known_pictures)
    data, is_clean = decode_transfer(document.body, document.encoding)
    if len(data) > limits.max_bytes:
        return Opened(troubles=(Trouble.TOO_LARGE.value,))
    if document.is_read:
        try:
            read_mail(opening, data, 0, is_read=True)
        except Unreadable as problem:
            opening.trouble(problem.trouble)
        return opening.opened()
    opening.open(data, depth=0)
    opened = opening.opened()
    if not is_clean and not (opened.text or opened.pictures or opened.troubles):
        return Opened(troubles=(Trouble.BROKEN.value,))
    return opened


def _whole(text: str) -> str:
    """The text with halves of UTF-16 pairs joined, and lone ones replaced: it has to pass as Unicode."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _text(opening: Opening, data: bytes, _depth: int) -> None:
    opening.say(text_of(data[: opening.limits.max_chars * 4 + 4]).replace("\r\n", "\n").replace("\r", "\n") + "\n")


def _html(opening: Opening, data: bytes, _depth: int) -> None:
    source = text_of(data)
    if len(source) > 10 * opening.limits.max_chars:
        opening.trouble(Trouble.TOO_LONG)
        source = source[: 10 * opening.limits.max_chars]
    opening.say(visible_html(source, max_chars=opening.limits.max_chars).mapped.text + "\n")


def _xml(opening: Opening, data: bytes, depth: int) -> None:
    def open_inner(content: bytes) -> None:
        opening.spend(len(content))
        opening.open(content, depth=depth + 1)

    opening.say(read_xml(data, max_chars=opening.limits.max_chars, opens=open_inner))


def _picture(opening: Opening, data: bytes, _depth: int) -> None:
    opening.look_at(data)


def _video(opening: Opening, data: bytes, _depth: int) -> None:
    digest = sha256(data).hexdigest()
    opening.add_picture(Picture(score=0.9, reason="photograph.video", size="a video", digest=digest))


def _ole(opening: Opening, data: bytes, _depth: int) -> None:
    """Word, Excel and PowerPoint up to 2003, Outlook's .msg; and newer documents under a password ([MS-OFFCRYPTO])."""
    opening.trouble(Trouble.ENCRYPTED if _ENCRYPTED_PACKAGE in data else Trouble.WRAPPED)


def _wrapped(opening: Opening, _data: bytes, _depth: int) -> None:
    opening.trouble(Trouble.WRAPPED)


def _unknown(opening: Opening, _data: bytes, _depth: int) -> None:
    opening.trouble(Trouble.UNKNOWN)


def _nothing(_opening: Opening, _data: bytes, _depth: int) -> None:
    """Nothing is in it."""


_OPENERS: dict[Kind, Callable[[Opening, bytes, int], None]] = {
    Kind.NOTHING: _nothing,
    Kind.PDF: read_pdf,
    Kind.ZIP: read_zip,
    Kind.OLE: _ole,
    Kind.RTF: read_rtf,
    Kind.XML: _xml,
    Kind.HTML: _html,
    Kind.MAIL: read_mail,
    Kind.LINES: read_lines,
    Kind.TEXT: _text,
    Kind.PICTURE: _picture,
    Kind.VIDEO: _video,
    Kind.PACKED: _wrapped,
    Kind.UNKNOWN: _unknown,
}
