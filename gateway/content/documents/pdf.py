"""Text, pictures, notes, form values and attached files of PDF documents. ISO 32000-2.

PDFium, as in Chromium, through pypdfium2: pure Python takes longer for a book than a message may take (ADR 0013). It
is C++ on hostile bytes, which is why the process around it can do nothing but compute. No script runs, no link is
followed, nothing is rendered but single pictures that are not too large.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from hashlib import sha256

import pypdfium2
import pypdfium2.raw as pdfium

from gateway.content.documents.pictures import is_natural, judged
from gateway.content.documents.trouble import Sink, Trouble, Unreadable

_MAX_SPOKEN_BYTES = 200_000
_MAX_ANNOTATIONS = 2000
_MAX_IMAGES_A_PAGE = 100
_TITLES = ("Title", "Subject", "Keywords")
_SOFT_HYPHENS = ("\ufffe\r\n", "\x02\r\n", "\ufffe", "\x02", "\u00ad")
_JPEGS = ("DCTDecode", "JPXDecode")
_BYTES_A_PIXEL = 4


def read_pdf(sink: Sink, data: bytes, depth: int) -> None:
    """Say the text page by page, look at the pictures, open the attached files."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as problem:
        is_locked = problem.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}
        raise Unreadable(Trouble.ENCRYPTED if is_locked else Trouble.BROKEN) from problem
    try:
        _Reader(sink, document, depth).run()
    finally:
        document.close()


class _Reader:
    def __init__(self, sink: Sink, document: pypdfium2.PdfDocument, depth: int) -> None:
        self._sink = sink
        self._document = document
        self._depth = depth
        self._seen: set[tuple[int, int, int]] = set()

    def run(self) -> None:
        facts = self._document.get_metadata_dict(skip_empty=True)
        self._sink.say("".join(f"{facts[key]}\n" for key in _TITLES if key in facts))
        count = len(self._document)
        if count == 0:
            raise Unreadable(Trouble.BROKEN)
        self._open_attached()
        for index in range(min(count, self._sink.limits.max_pages)):
            self._read_page(index)
        if count > self._sink.limits.max_pages:
            raise Unreadable(Trouble.TOO_LARGE)

    def _read_page(self, index: int) -> None:
        try:
            page = self._document[index]
        except pypdfium2.PdfiumError:
            self._sink.trouble(Trouble.BROKEN)
            return
        try:
            text = _page_text(page)
            self._sink.say(text + "\n")
            self._sink.say("".join(f"{spoken}\n" for spoken in _spoken(page)))
            self._look_at_pictures(page, is_bare=not text.strip())
        finally:
            page.close()

    def _look_at_pictures(self, page: pypdfium2.PdfPage, *, is_bare: bool) -> None:
        """Every picture of the page once; on a page without any text it is a scan, whose words can't be read."""
        for number, image in enumerate(page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=8)):
            if number >= _MAX_IMAGES_A_PAGE:
                self._sink.trouble(Trouble.TOO_LARGE)
                return
            width, height = image.get_px_size()
            size = pdfium.FPDFImageObj_GetImageDataRaw(image, None, 0)
            if (width, height, size) not in self._seen:
                self._seen.add((width, height, size))
                self._look_at(image, (width, height), size, is_scan=is_bare)

    def _look_at(self, image: pypdfium2.PdfImage, pixels: tuple[int, int], size: int, *, is_scan: bool) -> None:
        self._sink.spend(size)
        raw = bytes(image.get_data(decode_simple=False))
        filters = image.get_filters()
        if filters and filters[-1] in _JPEGS and len(filters) == 1:
            self._sink.look_at(raw, is_scan=is_scan)
            return
        width, height = pixels
        seems_natural = True
        if width * height <= self._sink.limits.max_pixels // _BYTES_A_PIXEL:
            self._sink.spend(width * height * _BYTES_A_PIXEL)
            seems_natural = _is_natural(image)
        digest = sha256(raw).hexdigest()
        self._sink.add_picture(judged(width, height, digest, is_natural=seems_natural, is_scan=is_scan))

    def _open_attached(self) -> None:
        for index in range(self._document.count_attachments()):
            attached = self._document.get_attachment(index)
            self._sink.enter_member()
            content = bytes(attached.get_data())
            self._sink.spend(len(content))
            self._sink.open(content, depth=self._depth + 1, name=attached.get_name())


def _page_text(page: pypdfium2.PdfPage) -> str:
    """All text of a page, also where it is invisible or off the page; hyphens at line ends taken out."""
    textpage = page.get_textpage()
    try:
        text: str = textpage.get_text_range() if textpage.count_chars() else ""
    finally:
        textpage.close()
    for mark in _SOFT_HYPHENS:
        text = text.replace(mark, "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _spoken(page: pypdfium2.PdfPage) -> Iterator[str]:
    """What notes say and what stands in form fields."""
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            for key in (b"Contents", b"V"):
                if value := _value(annotation, key):
                    yield value
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _value(annotation: pdfium.FPDF_ANNOTATION, key: bytes) -> str:
    size = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if not 2 < size <= _MAX_SPOKEN_BYTES:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    pdfium.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")


def _is_natural(image: pypdfium2.PdfImage) -> bool:
    """As for other pictures; True where PDFium can't give the pixels."""
    try:
        return is_natural(image.get_bitmap(render=False).to_pil().convert("RGB"))
    except (pypdfium2.PdfiumError, ValueError, OSError, KeyError):
        return True
