"""Old mail as it lies on disk: mbox files, Maildir folders, folders of .eml files, single messages; one after another.

An mbox is read line by line: a message begins at a `From ` line that has an address and a year, after an empty line or
at the beginning; quoting as in mboxrd is undone (RFC 4155). Line ends that are LF throughout become CRLF, as mail has
them (RFC 5322 section 2.1); all else stays byte for byte. Nothing is changed on disk. What can't be read is told, never
raised. Called by `taking_in`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_SEPARATOR = re.compile(rb"From (?:\S+|MAILER-DAEMON|-) .*\b(?:19|20)\d\d\b")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_NOT_MAIL = frozenset({".msf", ".dat", ".json", ".txt", ".md", ".pdf", ".sqlite", ".ini", ".log"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One message of a source. `where` names it for a person; `trouble` says why there are no bytes to look at.

    `at` is a time that the source itself has (an mbox separator, a Maildir name), for messages without a date.
    `is_draft` is what a Maildir says.
    """

    where: str
    raw: bytes = field(repr=False)
    at: datetime | None = None
    is_draft: bool = False
    trouble: str | None = None


def messages_in(path: Path) -> Iterator[Found]:
    """Every message in a file or folder, in the order of names. A path that is not there is a Found with a trouble."""
    try:
        if path.is_dir():
            yield from _in_folder(path)
        elif _is_mbox(path):
            yield from _in_mbox(path)
        else:
            yield _in_file(path)
    except OSError as error:
        yield Found(where=str(path), raw=b"", trouble=f"can't be read: {error.strerror or type(error).__name__}")


def count_in(path: Path) -> int:
    """About how many messages there are, for a bar: exact for folders, by separators for an mbox."""
    try:
        if path.is_dir():
            return sum(count_in(file) if _is_mbox(file) else 1 for file in _files(path))
        if _is_mbox(path):
            with path.open("rb") as lines:
                return sum(1 for line in lines if _SEPARATOR.match(line))
    except OSError:
        return 1
    return 1


def with_crlf(raw: bytes) -> bytes:
    """The bytes with CRLF line ends if they have bare LF throughout, else as they are."""
    return raw if b"\r" in raw else raw.replace(b"\n", b"\r\n")


def _in_folder(folder: Path) -> Iterator[Found]:
    for path in _files(folder):
        try:
            if _is_mbox(path):
                yield from _in_mbox(path)
            else:
                yield _in_file(path)
        except OSError as error:
            yield Found(where=str(path), raw=b"", trouble=f"can't be read: {error.strerror or type(error).__name__}")


def _files(folder: Path) -> list[Path]:
    """The files that may be mail; of a Maildir what is in `cur` and `new`. Links are not followed."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.name.startswith(".")
        and path.suffix.lower() not in _NOT_MAIL
        and not (path.parent.name == "tmp" and (path.parent.parent / "cur").is_dir())
        and not ((path.parent / "cur").is_dir() and (path.parent / "new").is_dir())
    ]


def _in_file(path: Path) -> Found:
    where = str(path)
    if path.stat().st_size > MAX_MESSAGE_BYTES:
        return Found(where=where, raw=b"", trouble="too large")
    raw = path.read_bytes()
    is_maildir = path.parent.name in {"cur", "new"}
    flags = path.name.rpartition(":2,")[2] if is_maildir and ":2," in path.name else ""
    seconds = re.match(r"(\d{9,10})\.", path.name) if is_maildir else None
    at = datetime.fromtimestamp(int(seconds[1]), tz=UTC) if seconds else None
    trouble = None if raw.strip() else "empty"
    return Found(where=where, raw=with_crlf(raw), at=at, is_draft="D" in flags, trouble=trouble)


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return _SEPARATOR.match(file.readline(1000)) is not None


def _in_mbox(path: Path) -> Iterator[Found]:
    """The messages of an mbox; each is held in memory alone, one that is too large not even that."""
    number, size, lines, separator = 0, 0, list[bytes](), b""
    with path.open("rb") as file:
        is_after_blank = True
        for line in file:
            if is_after_blank and _SEPARATOR.match(line):
                if number:
                    yield _of_mbox(path, number, separator, lines, size)
                number, size, lines, separator = number + 1, 0, [], line
                is_after_blank = False
                continue
            size += len(line)
            if size <= MAX_MESSAGE_BYTES:
                lines.append(line)
            is_after_blank = line in {b"\n", b"\r\n"}
    if number:
        yield _of_mbox(path, number, separator, lines, size)


def _of_mbox(path: Path, number: int, separator: bytes, lines: list[bytes], size: int) -> Found:
    where = f"{path}#{number}"
    if size > MAX_MESSAGE_BYTES:
        return Found(where=where, raw=b"", trouble="too large")
    if lines and lines[-1] in {b"\n", b"\r\n"}:
        lines = lines[:-1]  # the empty line before the next separator is the mbox's
    raw = _QUOTED.sub(rb"\1", b"".join(lines))
    trouble = None if raw.strip() else "empty"
    return Found(where=where, raw=with_crlf(raw), at=_separator_time(separator), trouble=trouble)


def _separator_time(separator: bytes) -> datetime | None:
    """The time in `From who Mon Oct  5 12:00:00 2026`, which is UTC."""
    words = separator.decode("ascii", "replace").split()
    if len(words) < 7:
        return None
    try:
        return parsedate_to_datetime(f"{words[4]} {words[3]} {words[6]} {words[5]} +0000")
    except (ValueError, IndexError):
        return None
