"""The queue of the gateway's own letters, as the rest of it sees the queue: durable, with retries.

Rows are written in `writes` and read in `reads`; when a letter is tried and when it expires is `gateway.elapse`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.archive import reads, writes
from gateway.archive.access import StoreAccess
from gateway.archive.codec import instant
from gateway.archive.model import Letter, LetterState, QueuedLetter


class LetterQueue(StoreAccess):
    """Letters that wait, were sent, or could not be."""

    async def enqueue(self, letters: Iterable[Letter]) -> None:
        """Put letters into the queue, due at once."""
        queue = tuple(letters)
        await self._write(lambda c: writes.enqueue(c, queue))

    async def due_letters(self, now: datetime, limit: int = 50) -> tuple[QueuedLetter, ...]:
        """Letters to try now, the longest due first. Only the serving gateway sends them."""
        return await self._read(lambda c: reads.due_letters(c, instant(now), limit))

    async def letters_about(self, message_id: str) -> tuple[QueuedLetter, ...]:
        """Every letter that tells about a message."""
        return await self._read(lambda c: reads.letters_about(c, message_id))

    async def letter_sent(self, letter_id: str, code: int) -> None:
        """The next hop has taken the letter."""
        await self._write(lambda c: writes.end_letter(c, letter_id, LetterState.SENT, code=code))

    async def letter_failed(self, letter_id: str, next_try: datetime, code: int | None = None) -> None:
        """The letter could not be sent now; `code` is None if the next hop gave no answer."""
        await self._write(lambda c: writes.postpone_letter(c, letter_id, next_try, code=code))

    async def letter_refused(self, letter_id: str, code: int) -> None:
        """The next hop has refused the letter for good."""
        await self._write(lambda c: writes.end_letter(c, letter_id, LetterState.REFUSED, code=code))

    async def letter_expired(self, letter_id: str) -> None:
        """The letter could not be sent in its time."""
        await self._write(lambda c: writes.end_letter(c, letter_id, LetterState.EXPIRED, code=None))
