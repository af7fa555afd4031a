"""Which recipients have a message already that its sender will send again, so that they don't get it twice.

By LMTP the next hop may take a message for one recipient and put another one off. The sender hears one answer, a 4xx,
and sends all again. What is remembered is a digest of message, sender and recipient, and until when: no address and no
text. In a file of its own beside the store, which several processes may use, on disk before the sender is answered. A
file that can't be used costs a copy twice and never a message. Asked by `gateway.doors.smtp_onward`; RFC 2033
section 4.2.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

_log = logging.getLogger(__name__)
RETRY_WINDOW = timedelta(days=6)
"""How long mail servers may go on trying: four to five days (RFC 5321 section 4.5.4.1)."""
_WAIT_S = 5.0


def message_key(raw: bytes, mail_from: str) -> bytes:
    """What tells one message of one sender from all others: the same for each attempt."""
    return hashlib.sha256(hashlib.sha256(raw).digest() + mail_from.encode("utf-8")).digest()


class AcceptedMemory(Protocol):
    """Who remembers. `message` is a `message_key`. No method raises."""

    async def recall(self, message: bytes, recipients: Iterable[str]) -> frozenset[str]:
        """Those of the recipients that have the message."""

    async def remember(self, message: bytes, recipients: Iterable[str]) -> None:
        """These have it; the sender is about to be told to try again."""

    async def forget(self, message: bytes, recipients: Iterable[str]) -> None:
        """The sender has its last word: the same message, sent once more, is for these again."""


class AcceptedFile:
    """The memory in an SQLite file, made when there is something to remember. `now` gives an aware time."""

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now

    async def recall(self, message: bytes, recipients: Iterable[str]) -> frozenset[str]:
        """See `AcceptedMemory`."""
        try:
            return await asyncio.to_thread(self._recall, message, tuple(recipients))
        except (sqlite3.Error, OSError) as error:
            _log.warning("accepted recipients can't be read: %s", type(error).__name__)
            return frozenset()

    async def remember(self, message: bytes, recipients: Iterable[str]) -> None:
        """See `AcceptedMemory`."""
        try:
            await asyncio.to_thread(self._remember, message, tuple(recipients))
        except (sqlite3.Error, OSError) as error:
            _log.warning("accepted recipients can't be kept: %s", type(error).__name__)

    async def forget(self, message: bytes, recipients: Iterable[str]) -> None:
        """See `AcceptedMemory`."""
        try:
            await asyncio.to_thread(self._forget, message, tuple(recipients))
        except (sqlite3.Error, OSError) as error:
            _log.warning("accepted recipients can't be forgotten: %s", type(error).__name__)

    def _recall(self, message: bytes, recipients: tuple[str, ...]) -> frozenset[str]:
        if not self._path.exists():
            return frozenset()
        with closing(self._open()) as connection:
            return frozenset(
                recipient
                for recipient in recipients
                if connection.execute(
                    "SELECT 1 FROM accepted WHERE key = ? AND until > ?",
                    (_key(message, recipient), self._now().timestamp()),
                ).fetchone()
            )

    def _remember(self, message: bytes, recipients: tuple[str, ...]) -> None:
        now = self._now()
        until = (now + RETRY_WINDOW).timestamp()
        with closing(self._open()) as connection, connection:
            connection.execute("DELETE FROM accepted WHERE until <= ?", (now.timestamp(),))
            connection.executemany(
                "INSERT OR IGNORE INTO accepted VALUES (?, ?)",
                [(_key(message, recipient), until) for recipient in recipients],
            )

    def _forget(self, message: bytes, recipients: tuple[str, ...]) -> None:
        with closing(self._open()) as connection, connection:
            connection.executemany(
                "DELETE FROM accepted WHERE key = ?", [(_key(message, recipient),) for recipient in recipients]
            )

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_WAIT_S)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS accepted (key BLOB PRIMARY KEY, until REAL NOT NULL)")
        return connection


def _key(message: bytes, recipient: str) -> bytes:
    return hashlib.sha256(message + recipient.encode("utf-8")).digest()
