"""The HTML of the sheets: a message with what the archive knows of it, its text, its attachments and their pictures.

All text of others is escaped, or went through `clean`. Pictures are named `own:<number>`; the printer gets them from
the caller. Pure; runs in the rendering process.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from html import escape

from gateway.archive.export.rendering.clean import breakable

STYLE = """
@page { size: Letter; margin: 20mm 20mm 22mm 20mm; font-family: 'Noto Sans', 'DejaVu Sans', sans-serif;
        @top-left { content: "%s"; font-size: 7.5pt; color: #444; white-space: pre } }
html { font-family: 'Noto Sans', 'DejaVu Sans', sans-serif; font-size: 9.5pt; line-height: 1.35; color: #000 }
body { margin: 0 }
h1 { font-size: 13pt; margin: 0 0 3mm 0; overflow-wrap: anywhere }
h2 { font-size: 10.5pt; margin: 6mm 0 2mm 0; border-bottom: 0.3pt solid #888; break-after: avoid }
table.lines { border-collapse: collapse; width: 100%%; table-layout: fixed; font-size: 9pt }
table.lines th { text-align: start; vertical-align: top; width: 30mm; font-weight: bold; padding: 0.4mm 2mm 0.4mm 0 }
table.lines td { vertical-align: top; overflow-wrap: anywhere; padding: 0.4mm 0 }
table.facts { font-size: 7.5pt; color: #333; margin-top: 2mm }
.body { margin-top: 5mm; border-top: 0.5pt solid #000; padding-top: 3mm; overflow-wrap: anywhere }
.body img { max-width: 100%%; max-height: 220mm }
.body table { max-width: 100%% }
.body a[href]::after { content: " \\2039 " attr(href) " \\203a"; font-size: 70%%; color: #444; overflow-wrap: anywhere }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font-family: inherit }
.note { font-size: 8pt; color: #333; font-style: italic; margin: 2mm 0 }
.names td, .names th { font-size: 8pt; text-align: start; vertical-align: top; padding: 0.5mm 2mm 0.5mm 0;
                       overflow-wrap: anywhere }
.sum { font-family: 'Noto Sans Mono', 'DejaVu Sans Mono', monospace; font-size: 6pt }
.picture { break-inside: avoid; margin: 4mm 0 }
.picture img { max-width: 100%%; max-height: 215mm; border: 0.3pt solid #888 }
.picture p { font-size: 8pt; margin: 0 0 1mm 0 }
"""
_BLOCK_LINES, _LINE_CHARS, _BLANK_LINES = 40, 1500, 3


def page(title: str, body: str, *, language: str, running: str, style: str = "") -> str:
    """A whole document."""
    words = running.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    sheet = STYLE % words + style
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{sheet.replace('</', '')}</style></head><body>{body}</body></html>"
    )


def lines(rows: Iterable[tuple[str, str]], kind: str = "") -> str:
    """(name, value) lines as a table."""
    cells = "".join(
        f'<tr><th>{escape(name)}</th><td dir="{direction(value)}">{escape(printable(value))}</td></tr>'
        for name, value in rows
    )
    return f'<table class="lines {kind}">{cells}</table>' if cells else ""


def plain(text: str) -> str:
    """Plain text as blocks of lines, each with the direction of its script."""
    return "".join(
        f'<pre dir="{side}">{breakable(escape(chr(10).join(block)))}</pre>' for side, block in _blocks(printable(text))
    )


def note(words: str) -> str:
    """A sentence of ours about the message."""
    return f'<p class="note">{escape(words)}</p>'


def picture(number: int, caption: str) -> str:
    """A picture of an attachment on the sheet."""
    return f'<div class="picture"><p>{escape(printable(caption))}</p><img src="own:{number}" alt=""></div>'


def names(rows: Iterable[tuple[str, str, int, str, str]]) -> str:
    """The list of attachments: name, type, bytes, SHA-256, what was done with it."""
    cells = "".join(
        f"<tr><td>{escape(printable(name))}</td><td>{escape(kind)}</td><td>{size}</td>"
        f'<td>{escape(what)}<br><span class="sum">{escape(digest)}</span></td></tr>'
        for name, kind, size, digest, what in rows
    )
    head = "<tr><th>name</th><th>type</th><th>bytes</th><th>where it is (SHA-256)</th></tr>"
    return f'<h2>Attachments</h2><table class="lines names">{head}{cells}</table>'


def direction(text: str) -> str:
    """`rtl` if the first letter with a direction is right-to-left, else `ltr` (Unicode Standard Annex 9, rule P2)."""
    for char in text[:2000]:
        match unicodedata.bidirectional(char):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return "ltr"


def printable(text: str) -> str:
    """The text without control characters and without what could turn the direction of what follows."""
    return "".join(
        char
        for char in text
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Cn"} or char in "\u200c\u200d"
    )


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    side, block, blank = "ltr", list[str](), 0
    for line in _short_lines(text):
        blank = 0 if line.strip() else blank + 1
        if blank > _BLANK_LINES:
            continue
        turned = direction(line) if line.strip() else side
        if block and (turned != side or len(block) >= _BLOCK_LINES):
            yield side, block
            block = []
        side = turned
        block.append(line)
    if block:
        yield side, block


def _short_lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        for start in range(0, max(len(line), 1), _LINE_CHARS):
            yield line[start : start + _LINE_CHARS]
