"""What every part of the store's outside is made of: an open home, the committer, and the two ways in.

A write returns after COMMIT; a read sees one moment of the store. `LetterQueue` and `Store` stand on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from gateway.archive import ledger
from gateway.archive.committer import Committer
from gateway.archive.database import Connection
from gateway.archive.homes import Home

Answer = TypeVar("Answer")


class StoreAccess:
    """An open home with its committer; closes both."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._database = home.database
        self._place = home.place
        self._committer = Committer(home.database, low_bytes=2 * home.reserve_bytes, before_commit=ledger.close_group)
        self._committer.start()

    async def close(self) -> None:
        """Commit what waits and close the files."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def transact(self, work: Callable[[Connection], Answer]) -> Answer:
        """What a transaction gives, after COMMIT: the steps in the life of a file (`gateway.archive.life`)."""
        return await self._write(work)

    async def ask(self, query: Callable[[Connection], Answer]) -> Answer:
        """What a query of the same gives, in one moment of the store."""
        return await self._read(query)

    async def _write(self, work: Callable[[Connection], Answer]) -> Answer:
        return await self._committer.write(work)

    async def _read(self, query: Callable[[Connection], Answer]) -> Answer:
        return await asyncio.to_thread(self._database.read, query)

    def _close(self) -> None:
        self._committer.close()
        self._home.close()
