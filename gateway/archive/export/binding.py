"""PDF files bound into one: pages in order, page numbers, bookmarks, the original messages embedded, PDF/A-3u marks.

Only pages are taken from what the printer made: no action, form, link or file that a hostile message might have brought
there comes along. Volumes of a hundred messages are bound first, so that few files are open at once; what a file
holds is read when it is written, so memory grows with the count of objects, not with their size. ISO 32000-1, ISO
19005-3. Blocking.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, AttachedFileSpec, Dictionary, Name, NameTree, OutlineItem, Page, Pdf, Stream

from gateway import __version__
from gateway.archive.export.front import DIGIT_POINTS
from gateway.message.errors import MachineryFailed

PARTS_A_VOLUME = 100
_SAVED_AS: dict[str, Any] = {"object_stream_mode": pikepdf.ObjectStreamMode.generate, "min_version": "1.7"}
_FROM_PAGE = ("/Type", "/MediaBox", "/Resources", "/Contents", "/Group")
_FOOT_POINTS = 28.0
_NUMBER_AT, _PREFIX_POINTS, _GAP_POINTS = 300.0, 340.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A message to embed. `name` is its file name, `about` a line for the list of attachments."""

    name: str
    about: str
    at: datetime
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A title and the page, from 0, that it leads to."""

    title: str
    page: int


class NotPages(Exception):
    """The bytes are no PDF that can be bound."""


def part(pdf: bytes, pages: int, originals: Iterable[Original]) -> bytes:
    """A document of the pages alone, with the originals embedded. Raises NotPages for anything but so many pages."""
    try:
        with Pdf.open(io.BytesIO(pdf)) as source, Pdf.new() as made:
            if len(source.pages) != pages or not pages:
                raise NotPages
            made.pages.extend(source.pages)
            for page in made.pages:
                for key in [key for key in page.obj.keys() if key not in {*_FROM_PAGE, "/Parent"}]:  # noqa: SIM118
                    del page.obj[key]
            _smooth_nothing(made)
            _take_intents(made, source)
            for original in originals:
                _embed(made, original)
            return _saved(made)
    except (pikepdf.PdfError, AttributeError, KeyError, ValueError) as error:
        raise NotPages from error


def volume(paths: Sequence[Path], target: Path) -> None:
    """Several documents as one, embedded files and all."""
    with ExitStack() as opened, Pdf.new() as made:
        for path in paths:
            _append(made, opened.enter_context(Pdf.open(path)))
        _save(made, target)


def bind(
    volumes: Sequence[Path],
    target: Path,
    *,
    title: str,
    numbers: bytes,
    bookmarks: Sequence[Bookmark],
    language: str,
    at: datetime,
) -> int:
    """The whole document at `target`; how many pages it has. `numbers` are the pieces of `front.page_number_pieces`."""
    with ExitStack() as opened, Pdf.new() as made:
        for path in volumes:
            _append(made, opened.enter_context(Pdf.open(path)))
        pieces = _pieces(made, numbers)
        total = len(made.pages)
        for number, page in enumerate(made.pages, start=1):
            _number(made, page, number, pieces)
        with made.open_outline() as outline:
            outline.root.extend(OutlineItem(bookmark.title, bookmark.page) for bookmark in bookmarks)
        _describe(made, title, language, at)
        _save(made, target)
        return total


def _append(made: Pdf, source: Pdf) -> None:
    made.pages.extend(source.pages)
    if "/OutputIntents" not in made.Root and "/OutputIntents" in source.Root:
        _take_intents(made, source)
    if "/Names" in source.Root and "/EmbeddedFiles" in source.Root.Names:
        if "/Names" not in made.Root:
            made.Root.Names = Dictionary(EmbeddedFiles=NameTree.new(made).obj)
        names = NameTree(made.Root.Names.EmbeddedFiles)
        for name, spec in NameTree(source.Root.Names.EmbeddedFiles).items():
            names[name] = made.copy_foreign(source.make_indirect(spec))


def _smooth_nothing(made: Pdf) -> None:
    """PDF/A does not let a reader smooth pictures (ISO 19005-3 section 6.2.8)."""
    for thing in made.objects:
        if isinstance(thing, Stream) and "/Interpolate" in thing:
            del thing["/Interpolate"]


def _take_intents(made: Pdf, source: Pdf) -> None:
    """The colours that the pages mean (sRGB), as the printer wrote it."""
    made.Root.OutputIntents = made.copy_foreign(source.make_indirect(source.Root.OutputIntents))


def _embed(made: Pdf, original: Original) -> None:
    moment = original.at.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ")
    made.attachments[original.name] = AttachedFileSpec(
        made,
        original.content,
        filename=original.name,
        description=original.about,
        mime_type="message/rfc822",
        creation_date=moment,
        mod_date=moment,
        relationship=Name("/Source"),
    )


def _pieces(made: Pdf, numbers: bytes) -> list[pikepdf.Object]:
    with Pdf.open(io.BytesIO(numbers)) as source:
        if len(source.pages) != 12:
            raise MachineryFailed("the page numbers were not printed as they should be", pages=len(source.pages))
        return [
            made.make_indirect(made.copy_foreign(source.make_indirect(page.as_form_xobject()))) for page in source.pages
        ]


def _number(made: Pdf, page: Page, number: int, pieces: Sequence[pikepdf.Object]) -> None:
    """Put the page number at the foot: pieces side by side, in a graphics state of their own."""
    digits = str(number)
    end = _NUMBER_AT + _GAP_POINTS + DIGIT_POINTS * len(digits) + _GAP_POINTS
    places = [(0, _NUMBER_AT - _PREFIX_POINTS), (11, end)]
    places += [(int(digit) + 1, _NUMBER_AT + _GAP_POINTS + DIGIT_POINTS * at) for at, digit in enumerate(digits)]
    places.sort(key=lambda place: place[1])
    resources = page.obj.get("/Resources")
    if resources is None:
        resources = page.obj["/Resources"] = Dictionary()
    if "/XObject" not in resources:
        resources["/XObject"] = Dictionary()
    for which, _ in places:
        resources["/XObject"][f"/Number{which}"] = pieces[which]
    drawn = "".join(f"q 1 0 0 1 {x:.2f} {_FOOT_POINTS} cm /Number{which} Do Q\n" for which, x in places)
    page.contents_add(Stream(made, b"q\n"), prepend=True)
    page.contents_add(Stream(made, b"\nQ\n" + drawn.encode()))


def _describe(made: Pdf, title: str, language: str, at: datetime) -> None:
    if "/Names" in made.Root:
        made.Root.AF = Array([spec for _, spec in NameTree(made.Root.Names.EmbeddedFiles).items()])
    made.Root.Lang = pikepdf.String(language)
    made.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    made.Root.PageMode = Name("/UseOutlines")
    with made.open_metadata(set_pikepdf_as_editor=False, update_docinfo=True) as about:
        about["dc:title"] = title
        about["xmp:CreatorTool"] = f"practicum-gateway {__version__}"
        about["xmp:CreateDate"] = at.astimezone(UTC).isoformat(timespec="seconds")
        about["pdf:Producer"] = f"practicum-gateway {__version__}"
        about["pdfaid:part"] = "3"
        about["pdfaid:conformance"] = "U"


def _save(made: Pdf, target: Path) -> None:
    """Write a document to a file of mode 0600."""
    handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w+b") as file:
        made.save(file, **_SAVED_AS)


def _saved(made: Pdf) -> bytes:
    out = io.BytesIO()
    made.save(out, **_SAVED_AS)
    return out.getvalue()
