"""What is left on the disk of what was destroyed: found, and taken away. Knows SQLite's file, its log, large forms.

A destroyed value is overwritten where it lay (`secure_delete`), but its older copies may lie in the write-ahead log, or
in the empty part of a page from a time before. So the log is emptied, the file is searched for the first bytes of every
sealed value (each begins with a random nonce: 13 bytes tell it from any other), and written anew if one is found.
What the file system keeps in blocks that it has given back is beyond this: docs/retention.md. Called by `Store.erase`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from gateway.archive.database import BUSY_TIMEOUT_S
from gateway.archive.life_model import Traces

PREFIX_BYTES = 13  # the format byte and the nonce of a sealed value
_MARK = b"\x01"
_CHUNK_BYTES = 4 * 1024 * 1024
_TRIES = 20
_PAUSE_S = 0.25


def erase(file: Path, large: Path, sealed: frozenset[bytes], objects: Iterable[str]) -> Traces:
    """Empty the log, make sure that none of the sealed values is left, and overwrite and delete large forms.

    The log first, for it has the keys; a large form that can't be overwritten is counted. `file` is the database's
    file. Connections of its own, for those of the store may be busy.
    """
    is_log_empty = _empty_log(file)
    places = _places(file, sealed)
    was_rewritten = False
    if places:
        was_rewritten = _told(file, "VACUUM") is not None
        is_log_empty = _empty_log(file)
        places = _places(file, sealed)
    objects_left = sum(not _overwrite(large / name) for name in objects)
    return Traces(places=places, is_log_empty=is_log_empty, was_rewritten=was_rewritten, objects_left=objects_left)


def prefixes(sealed: Iterable[bytes | None]) -> frozenset[bytes]:
    """The first bytes of sealed values, by which `erase` looks for them."""
    return frozenset(value[:PREFIX_BYTES] for value in sealed if value)


def overwrite_file(path: Path) -> None:
    """Overwrite a file with random bytes, durably, and take it away. Raises OSError."""
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(os.urandom(min(left, _CHUNK_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _overwrite(path: Path) -> bool:
    """True if the file is gone."""
    try:
        overwrite_file(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _empty_log(file: Path) -> bool:
    """True if the log was folded into the file and cut to nothing; readers may keep it for a moment."""
    for _ in range(_TRIES):
        row = _told(file, "PRAGMA wal_checkpoint(TRUNCATE)")
        if row is not None and row[0] == 0:
            return True
        time.sleep(_PAUSE_S)
    return False


def _told(file: Path, statement: str) -> tuple[int, ...] | None:
    """What SQLite answers to a statement about the whole file, () for nothing; None if others keep it from that."""
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            found: tuple[int, ...] | None = connection.execute(statement).fetchone()
    except sqlite3.Error:
        return None
    return found or ()


def _places(file: Path, sealed: frozenset[bytes]) -> int:
    """How many of the sealed values begin somewhere in the database's file or its log."""
    if not sealed:
        return 0
    found: set[bytes] = set()
    for path in (file, file.with_name(file.name + "-wal")):
        if path.exists():
            found |= _in_file(path, sealed)
    return len(found)


def _in_file(path: Path, sealed: frozenset[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(_CHUNK_BYTES):
            text = kept + chunk
            at = text.find(_MARK)
            while at >= 0:
                piece = text[at : at + PREFIX_BYTES]
                if piece in sealed:
                    found.add(piece)
                at = text.find(_MARK, at + 1)
            kept = text[-(PREFIX_BYTES - 1) :]
    return found
