"""Where the bodies lie that the database does not hold: in a folder of files here, or as objects elsewhere (`bucket`).

A body is put before the row that names it, and is durable when `put` returns; one that no row names is a stray. It is
put whole or not at all, and never over another. Knows no SQL. Made by `homes`, called by `store`, `reads` and `moving`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.archive import bucket
from gateway.archive.bodies import LARGE_BYTES, SUFFIX, Loose, disk_error, write_durably


class Place(Protocol):
    """Where loose bodies lie."""

    @property
    def inline_bytes(self) -> int:
        """Bodies up to this many bytes, compressed and sealed, belong into the database; -1 if none does."""
        ...

    async def put(self, bodies: Sequence[Loose]) -> None:
        """Make the bodies durable. Raises StoreFull or MachineryFailed; what was put by then may be left as a stray."""
        ...

    def get(self, name: str) -> bytes | None:
        """The body of that name; None if there is none. Raises OSError if it can't be read, MachineryFailed."""
        ...

    def discard(self, names: Iterable[str]) -> int:
        """Take bodies away whose row was not written; the count of those that are gone. Raises nothing."""
        ...

    def strays(self) -> Iterator[list[str]]:
        """Pages of names that are strays unless a row has them. Raises MachineryFailed."""
        ...

    def claim(self, owner: str) -> None:
        """Make it that store's own. Raises MachineryFailed if it is another's."""
        ...

    def is_down(self) -> bool:
        """True if it does not answer now."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine, for one serving gateway. Only large bodies: each costs an fsync of its own."""

    path: Path

    @property
    def inline_bytes(self) -> int:
        """Above it a body would block the group commit and swell the write-ahead log."""
        return LARGE_BYTES

    async def put(self, bodies: Sequence[Loose]) -> None:
        """Write each as a file, durably; none of them is left after an error."""
        await asyncio.to_thread(self._put, bodies)

    def get(self, name: str) -> bytes | None:
        """The file's bytes."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def discard(self, names: Iterable[str]) -> int:
        """Take the files away."""
        gone = 0
        for name in names:
            with suppress(OSError):
                (self.path / name).unlink()
                gone += 1
        return gone

    def strays(self) -> Iterator[list[str]]:
        """Names of files that are older than STRAY_AGE by this machine's clock, unfinished ones too.

        What an older release wrote unsealed is a stray at any age: nobody writes such files any more.
        """
        before = time.time() - bucket.STRAY_AGE.total_seconds()
        yield [path.name for path in self.path.iterdir() if _modified(path) < before or not _is_of_now(path.name)]

    def claim(self, owner: str) -> None:
        """Nothing: the folder lies inside the store's."""

    def is_down(self) -> bool:
        """True if the folder is gone."""
        return not self.path.is_dir()

    def _put(self, bodies: Sequence[Loose]) -> None:
        written: list[str] = []
        try:
            for body in bodies:
                write_durably(self.path / body.name, body.content)
                written.append(body.name)
        except OSError as error:
            self.discard(written)
            raise disk_error(error) from error


def _is_of_now(name: str) -> bool:
    return name.endswith((SUFFIX, SUFFIX + ".partial"))


def _modified(path: Path) -> float:
    """When the file was last written, in seconds since the epoch; infinity if it is gone, as after a rename."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return math.inf
