"""The sheets of a printed file that are ours: cover, index, and the pieces of the page numbers. HTML, nothing printed.

The index has a fixed number of rows a page, so that it is known how many pages it takes before its page numbers are.
Pure; called by `printed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from gateway.archive.export.rendering.sheets import direction, lines, page, printable
from gateway.archive.export.request import Request

ROWS_A_PAGE = 38
PAGES_A_PIECE = 4
DIGIT_POINTS = 4.7
_INDEX_STYLE = """
.sheet { break-after: page; position: relative; height: 236mm }
.row { position: absolute; height: 5.9mm; left: 0; right: 0; border-bottom: 0.2pt solid #aaa; font-size: 7.5pt }
.row span { position: absolute; top: 0.6mm; height: 5mm; line-height: 4.6mm; overflow: hidden; white-space: nowrap }
.row b { font-weight: bold }
"""
_COLUMNS = ((0, 10), (11, 25), (37, 15), (53, 35), (89, 35), (125, 40), (166, 10))  # left edge and width in mm
_CHARS_A_MM = 0.66
_HEADS = ("no.", "date (UTC)", "way", "from", "to", "subject", "page")
_NUMBERS_STYLE = """
@page prefix { size: 340pt 11pt; margin: 0 } @page digit { size: 4.7pt 11pt; margin: 0 }
@page suffix { size: 120pt 11pt; margin: 0 } @page { margin: 0; @top-left { content: none } }
html { font-size: 8pt; line-height: 11pt }
div { break-after: page; white-space: nowrap; overflow: hidden; height: 11pt }
div:last-child { break-after: auto } .p { page: prefix; text-align: right } .d { page: digit; text-align: center }
.s { page: suffix; text-align: left }
"""


_OF_A_COPY = (
    "Each message stands as its reader saw it, with a line of what the archive knows of it. The message itself is "
    "embedded in this document under its reference, byte for byte as it was delivered and, where it came in another "
    "form, as it was received: a PDF reader lists it among the attachments. SHA-256 values are those that the "
    "archive's ledger proves."
)
_OF_A_REDACTED_COPY = (
    "Words about other persons are blacked out; each bar has the number of its reason. The originals in the archive "
    "are untouched, and are not in this document. Attachments are named and withheld."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the index."""

    number: int
    at: datetime
    way: str
    sender: str
    recipients: str
    subject: str
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverFacts:
    """What the cover says beside the request: `redacted` has (reason, how often found) in the order of the numbers."""

    organisation: str
    messages: int
    left_out: int
    first_at: datetime | None
    last_at: datetime | None
    notes: tuple[str, ...]
    redacted: tuple[tuple[str, int], ...]
    public_key: str


def cover(request: Request, facts: CoverFacts, begun_at: datetime) -> str:
    """The first sheet: what this is, for whom and why, and what to know before reading."""
    rows = [
        ("file", request.file),
        ("kept by", facts.organisation),
        ("made by", request.by),
        ("made on", _moment(begun_at)),
        ("made for", request.purpose),
        ("messages", str(facts.messages)),
    ]
    if facts.first_at is not None and facts.last_at is not None:
        rows.append(("from, to", f"{_moment(facts.first_at)} to {_moment(facts.last_at)}"))
    rows += [(f"chosen: {name}", value) for name, value in request.choice.values().items()]
    if request.choice.values():
        rows.append(("left out", f"{facts.left_out} other message(s) of the file"))
    body = [f"<h1>Client file {escape(printable(request.file))}</h1>", lines(rows)]
    if facts.redacted:
        body += ["<h2>This is a redacted copy</h2>", f"<p>{escape(_OF_A_REDACTED_COPY)}</p>"]
        body.append(lines((f"[{n}] {count} place(s)", reason) for n, (reason, count) in enumerate(facts.redacted, 1)))
    else:
        body += ["<h2>How to read this</h2>", f"<p>{escape(_OF_A_COPY)}</p>"]
    if facts.notes:
        body.append("<h2>What is not as one might expect</h2><ul>")
        body += [f"<li>{escape(words)}</li>" for words in facts.notes]
        body.append("</ul>")
    body.append(f'<h2>The archive\'s public key (Ed25519)</h2><p class="sum">{escape(facts.public_key)}</p>')
    body.append("<p>These messages are confidential.</p>")
    return page(f"Client file {request.file}", "".join(body), language="en", running=f"file {printable(request.file)}")


def index_pages(count: int) -> int:
    """How many pages the index of so many messages takes."""
    return -(-count // ROWS_A_PAGE)


def index_pieces(request: Request, rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    """The index as documents of a few pages each, with the number of their pages."""
    for start in range(0, len(rows), ROWS_A_PAGE * PAGES_A_PIECE):
        piece = rows[start : start + ROWS_A_PAGE * PAGES_A_PIECE]
        sheets = [_sheet(piece[at : at + ROWS_A_PAGE]) for at in range(0, len(piece), ROWS_A_PAGE)]
        running = f"file {printable(request.file)} · index"
        style = _INDEX_STYLE + ".sheet:last-child { break-after: auto }"
        yield page("Index", "".join(sheets), language="en", running=running, style=style), index_pages(len(piece))


def page_number_pieces(file: str, total: int) -> str:
    """Twelve small pages of which every page number is put together: what is before, ten digits, what is behind."""
    digits = "".join(f'<div class="d">{digit}</div>' for digit in range(10))
    body = f'<div class="p">file {escape(printable(file))},</div>{digits}<div class="s">of {total}</div>'
    return page("", body, language="en", running="", style=_NUMBERS_STYLE)


def _sheet(rows: Sequence[Row]) -> str:
    cells = [_line(-1, [f"<b>{words}</b>" for words in _HEADS], ["ltr"] * len(_HEADS))]
    for place, row in enumerate(rows):
        values = [
            str(row.number),
            _moment(row.at)[:16],
            row.way,
            row.sender,
            row.recipients,
            row.subject,
            str(row.page),
        ]
        fitting = [_cut(printable(value), width) for value, (_, width) in zip(values, _COLUMNS, strict=True)]
        texts = [escape(value) for value in fitting]
        cells.append(_line(place, texts, [direction(value) for value in values]))
    return f'<div class="sheet">{"".join(cells)}</div>'


def _line(place: int, texts: Sequence[str], sides: Sequence[str]) -> str:
    spans = "".join(
        f'<span dir="{side}" style="left:{left}mm;width:{width}mm">{text}</span>'
        for text, side, (left, width) in zip(texts, sides, _COLUMNS, strict=True)
    )
    return f'<div class="row" style="top:{(place + 1) * 6}mm">{spans}</div>'


def _cut(text: str, width: int) -> str:
    """The text on one line, cut where it would likely not fit; what is wider all the same is cut off by the cell."""
    line, room = " ".join(text.split()), int(width * _CHARS_A_MM)
    return line if len(line) <= room else line[: room - 1] + "…"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
