"""A sheet printed: bytes of a message, or HTML of ours, to a PDF of its pages. Runs in the rendering process only.

Nothing is fetched: pictures come from the message or from what was made of its attachments; every other address is
refused and counted. Raises whatever breaks; the waiting side then asks for a plainer look.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterator
from html import escape
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from gateway.archive.export.redact import Redactor
from gateway.archive.export.rendering import sheets
from gateway.archive.export.rendering.clean import clean_html
from gateway.archive.export.rendering.fonts import HasFont, missing_in
from gateway.archive.export.rendering.limits import RenderLimits
from gateway.archive.export.rendering.model import Look, Rendered, Sheet
from gateway.archive.export.rendering.pictures import pdf_pages, safe_picture
from gateway.archive.export.rendering.view import Attachment, View, view_of
from gateway.message.parse import parse

Pictures = Callable[[str], bytes | None]
_IN_MESSAGE = "in the message itself"


def rendered(sheet: Sheet, limits: RenderLimits, has_font: HasFont) -> Rendered:
    """The printed sheet."""
    if sheet.look is None:
        source = sheet.content.decode()
        pdf, pages, refused = _printed(source, lambda _url: None)
        missing = missing_in([source], has_font)
        return Rendered(look=None, pages=pages, refused=refused, missing=missing, pdf=pdf)
    return _Message(sheet, limits, has_font).rendered()


class _Fetcher(URLFetcher):  # type: ignore[misc]
    """Gives the pictures that we have, refuses all else, and counts it."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self._pictures = pictures
        self.refused = 0

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The picture of that address. Raises ValueError, which the printer takes for a broken picture."""
        del headers
        content = self._pictures(url)
        if content is None:
            if not url.lower().startswith(("cid:", "data:")):
                self.refused += 1
            raise ValueError("not fetched")
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        return URLFetcherResponse(url, content, {"Content-Type": kind})


def _printed(source: str, pictures: Pictures) -> tuple[bytes, int, int]:
    """The PDF, its pages, and how many addresses were refused."""
    logging.disable(logging.CRITICAL)  # the printer's warnings quote the message
    fetcher = _Fetcher(pictures)
    fonts = FontConfiguration()
    extra = CSS(string="a { -weasy-link: none }", url_fetcher=fetcher, font_config=fonts)
    document = HTML(string=source, url_fetcher=fetcher).render(
        stylesheets=[extra], font_config=fonts, presentational_hints=True
    )
    pdf: bytes = document.write_pdf(pdf_variant="pdf/a-3u")
    return pdf, len(document.pages), fetcher.refused


class _Message:
    def __init__(self, sheet: Sheet, limits: RenderLimits, has_font: HasFont) -> None:
        self._sheet, self._limits, self._has_font = sheet, limits, has_font
        self._redactor = Redactor(sheet.hidden)
        self._view: View = view_of(parse(sheet.content))
        self._own: list[bytes] = []
        self._used: set[str] = set()

    def rendered(self) -> Rendered:
        hide = self._redactor.hide
        headers = [(name, hide(value)) for name, value in self._view.headers]
        subject = hide(self._view.header("Subject"))
        facts = [(name, hide(value)) for name, value in self._sheet.facts]
        title = sheets.printable(subject) or "(no subject)"
        parts = [
            f'<h1 dir="{sheets.direction(title)}">{escape(title)}</h1>',
            sheets.lines(headers),
            sheets.lines(facts, "facts"),
        ]
        body = list(self._body())
        parts += [self._notes(), '<div class="body">', *body, "</div>"]
        if self._sheet.look is not Look.NAMED:
            parts += self._attachments()
        html = sheets.page(title, "".join(parts), language=self._sheet.language, running=self._sheet.running)
        pdf, pages, refused = _printed(html, self._picture)
        return Rendered(
            look=self._sheet.look,
            pages=pages,
            refused=refused,
            missing=missing_in([html], self._has_font),
            summary=tuple(
                (name.lower(), sheets.printable(hide(self._view.header(name)))[:300])
                for name in ("From", "To", "Subject")
            ),
            hidden=tuple(self._redactor.counts),
            pdf=pdf,
        )

    def _notes(self) -> str:
        if self._sheet.look is Look.NAMED:
            return sheets.note("This message could not be put on paper. Its original is embedded in this document.")
        if self._sheet.look is Look.TEXT and not self._sheet.hidden:
            return sheets.note("Shown as plain text. The original is embedded in this document.")
        return ""

    def _body(self) -> Iterator[str]:
        if self._sheet.look is Look.NAMED:
            return
        left = self._limits.max_text_chars
        for segment in self._view.segments:
            if segment.html is not None and self._is_full and len(segment.html) <= self._limits.max_html_chars:
                yield f'<div dir="{sheets.direction(segment.text)}">{clean_html(segment.html)}</div>'
                continue
            yield sheets.plain(self._redactor.hide(segment.text[:left]))
            if len(segment.text) > left:
                yield sheets.note("The text goes on; what is left out here is in the original.")
            left = max(left - len(segment.text), 0)
        if not any(segment.html or segment.text.strip() for segment in self._view.segments):
            yield sheets.note("(The message has no text.)")

    @property
    def _is_full(self) -> bool:
        return self._sheet.look is Look.FULL and not self._sheet.hidden

    def _picture(self, url: str) -> bytes | None:
        """What the printer may have: a picture of ours, of the message, or one that stands in its address."""
        if url.startswith("own:"):
            return self._own[int(url[4:])]
        if url.lower().startswith("cid:"):
            wanted = unquote(url[4:]).strip("<>")
            part = next((part for part in self._view.attachments if part.content_id == wanted), None)
            return None if part is None else safe_picture(part.octets, self._limits)
        if url.lower().startswith("data:image/"):
            head, comma, text = url.partition(",")
            try:
                data = base64.b64decode(unquote(text)) if head.endswith(";base64") else unquote_to_bytes(text)
            except (binascii.Error, ValueError):
                return None
            return safe_picture(data, self._limits) if comma else None
        return None

    def _attachments(self) -> list[str]:
        """The list of attachments, and behind it what of them can be put on paper."""
        shown_inline = self._shown_in_place()
        pictures: list[str] = []
        rows = []
        for part in self._view.attachments:
            if part in shown_inline:
                what = "shown above"
            elif self._sheet.hidden:
                what = "withheld from this redacted copy"
            elif self._sheet.look is Look.FULL:
                what = self._append(part, pictures)
            else:
                what = _IN_MESSAGE
            digest = "" if self._sheet.hidden else part.sha256
            rows.append((self._redactor.hide(part.name), part.content_type, len(part.octets), digest, what))
        return [sheets.names(rows), *pictures] if rows else []

    def _shown_in_place(self) -> list[Attachment]:
        if not self._is_full:
            return []
        sources = "".join(segment.html or "" for segment in self._view.segments)
        return [part for part in self._view.attachments if part.content_id and f"cid:{part.content_id}" in sources]

    def _append(self, part: Attachment, pictures: list[str]) -> str:
        """Put an attachment on paper, if it is of a kind for which that is safe; the words for the list."""
        if len(self._own) >= self._limits.max_appended:
            return _IN_MESSAGE
        if part.octets[:1024].lstrip().startswith(b"%PDF"):
            return self._append_pdf(part, pictures)
        if part.text and part.text.strip():
            shown = part.text[: self._limits.max_text_chars // 4]
            pictures.append(f"<h2>{escape(sheets.printable(part.name))}</h2>{sheets.plain(shown)}")
            return "appended as text" if len(shown) == len(part.text) else "its beginning appended as text"
        content = safe_picture(part.octets, self._limits)
        if content is None:
            return _IN_MESSAGE
        pictures.append(sheets.picture(self._keep(content), part.name))
        return "appended as a picture"

    def _append_pdf(self, part: Attachment, pictures: list[str]) -> str:
        opened = pdf_pages(part.octets, self._limits)
        if opened is None:
            return _IN_MESSAGE
        pages, count = opened
        shown = 0
        for content in pages:
            if len(self._own) >= self._limits.max_appended:
                break
            shown += 1
            pictures.append(sheets.picture(self._keep(content), f"{part.name}, page {shown} of {count}"))
        return f"{shown} of {count} pages appended as pictures"

    def _keep(self, content: bytes) -> int:
        self._own.append(content)
        return len(self._own) - 1
