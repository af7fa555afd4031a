"""`clients.csv`: the clients as a table, for agencies whose records system writes one. Text in, entries out; no I/O.

Not the check of clients against each other or against the workers (that is `people.load`, its caller). First row:
names of columns (COLUMNS) in any order, REQUIRED among them; lists are separated by `;`. RFC 4180.
Consents are kept in people.yaml only.
"""

from __future__ import annotations

import csv
import difflib
from datetime import date

from gateway.people.entries import STATUSES, ClientEntry
from gateway.people.fields import LANGUAGES, Problems, checked_address, choice_of
from gateway.people.model import Client

COLUMNS = ("file", "name", "also_known_as", "addresses", "status", "workers", "language", "born", "retention")
REQUIRED = ("file", "name")
MAX_FIELD_CHARS = 10_000
"""Longest cell that is read; a longer one is a quote left open."""


def read_clients_csv(content: bytes, problems: Problems) -> tuple[ClientEntry, ...]:
    """The clients of the table, each with its line; problems are added to `problems`. Empty lines are skipped."""
    text = _text(content, problems)
    if text is None:
        return ()
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    entries: list[ClientEntry] = []
    columns: tuple[str, ...] | None = None
    line = 1
    try:
        for cells in rows:
            if cells and any(cell.strip() for cell in cells):
                if columns is None:
                    columns = _columns(cells, line, problems)
                    if columns is None:
                        return ()
                elif (entry := _entry(columns, cells, line, problems)) is not None:
                    entries.append(entry)
            line = rows.line_num + 1
    except csv.Error as error:
        problems.add(line, f"this row can't be read ({error}): look for a quotation mark left open")
    if columns is None and not problems.found:
        problems.add(1, f"the file has no header row: begin it with {','.join(COLUMNS)}")
    return tuple(entries)


def _text(content: bytes, problems: Problems) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(
            line, "the file is not UTF-8: save it as 'CSV UTF-8' (from a spreadsheet) or convert it with iconv"
        )
        return None


def _columns(cells: list[str], line: int, problems: Problems) -> tuple[str, ...] | None:
    names = tuple(cell.strip().lower() for cell in cells)
    before = len(problems.found)
    other = next((mark for mark in (";", "\t") if mark in names[0]), None) if len(names) == 1 else None
    if other is not None:
        shown = "tabs" if other == "\t" else "semicolons"
        problems.add(line, f"{shown} stand between the columns: separate columns by commas, and lists in a cell by ';'")
        return None
    for name in dict.fromkeys(names):
        if name not in COLUMNS:
            close = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(COLUMNS)}"
            problems.add(line, f"there is no column {name[:40]!r}: {hint}")
        elif names.count(name) > 1:
            problems.add(line, f"the column {name!r} stands twice: keep one")
    for name in REQUIRED:
        if name not in names:
            problems.add(line, f"the column {name!r} is missing: the header row is {','.join(COLUMNS)}")
    return names if len(problems.found) == before else None


def _entry(columns: tuple[str, ...], cells: list[str], line: int, problems: Problems) -> ClientEntry | None:
    if len(cells) != len(columns):
        problems.add(line, f"{len(cells)} cells stand under {len(columns)} columns: quote cells that hold a comma")
        return None
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    if any(len(cell) > MAX_FIELD_CHARS for cell in row.values()):
        problems.add(line, "a cell is too long: look for a quotation mark left open")
        return None
    missing = [name for name in REQUIRED if not row[name]]
    for name in missing:
        problems.add(line, f"a client needs {name!r}: fill the cell")
    if missing:
        return None
    status = row.get("status") or STATUSES[0]
    language = row.get("language") or LANGUAGES[0]
    addresses = tuple(checked_address(word, line, problems) for word in _words(row.get("addresses", "")))
    client = Client(
        file=row["file"],
        name=row["name"],
        addresses=tuple(dict.fromkeys(address for address in addresses if address)),
        also_known_as=_words(row.get("also_known_as", "")),
        is_past=choice_of(status, "status", STATUSES, line, problems) == "past",
        workers=_words(row.get("workers", "")),
        language=choice_of(language, "language", LANGUAGES, line, problems) or LANGUAGES[0],
        born=_day(row.get("born", ""), line, problems),
        retention=row.get("retention") or None,
    )
    return ClientEntry(client=client, path=problems.path, line=line)


def _day(cell: str, line: int, problems: Problems) -> date | None:
    if not cell:
        return None
    try:
        return date.fromisoformat(cell)
    except ValueError:
        problems.add(line, f"{cell[:40]!r} is no date: write it as 2008-05-17")
        return None


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(";") if word.strip()) if cell else ()
