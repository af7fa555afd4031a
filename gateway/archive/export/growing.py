"""One file that grows message by message, and goes on after an interruption where it was last known to be whole.

Every 100 messages it is synced, and its length noted; going on means to cut it there. Called by `mbox` and `fhir`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO, Self

from gateway.archive.bodies import write_durably

_EVERY = 100


class GrowingFile:
    """A file on the way, with the count of messages that it has. Not thread-safe; blocking."""

    def __init__(self, path: Path, notes: Path) -> None:
        """Open `path` or make it; `notes` is where its length is noted."""
        self._path, self._notes = path, notes
        self.count, length = self._noted()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(handle, "r+b")
        self._file.truncate(length)
        self._file.seek(length)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, content: bytes) -> None:
        """Add one message."""
        self._file.write(content)
        self.count += 1
        if self.count % _EVERY == 0:
            self._sync()
            self._notes.unlink(missing_ok=True)
            write_durably(self._notes, json.dumps([self.count, self._file.tell()]).encode())

    def finish(self, content: bytes = b"") -> None:
        """Add what stands after the last message, and sync."""
        self._file.write(content)
        self._sync()

    def sha256(self) -> str:
        """The SHA-256 of the whole file in hex; after `finish`."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def _noted(self) -> tuple[int, int]:
        try:
            count, length = json.loads(self._notes.read_bytes())
            if self._path.stat().st_size >= length:
                return int(count), int(length)
        except (OSError, ValueError, TypeError):
            pass
        return 0, 0
