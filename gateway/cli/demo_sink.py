"""The demo's receiving mail server: takes what the gateway passes on, and keeps it in memory.

Not a mail server for any other use: it believes everyone and stores nothing on disk. RFC 5321, the least of it.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One message as it arrived: its envelope, and its bytes with dot-stuffing undone."""

    mail_from: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class _Transaction:
    mail_from: str | None = None
    recipients: list[str] = field(default_factory=list)


class Sink:
    """An SMTP server on a free loopback port, in a thread of its own. Use it as a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-sink", daemon=True)
        self._ready = threading.Event()
        self._mail: list[Delivered] = []
        self.port = 0

    def __enter__(self) -> Self:
        """Start listening; `port` is known when this returns."""
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def mail(self) -> tuple[Delivered, ...]:
        """Everything that arrived so far, in order."""
        return tuple(self._mail)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transaction = _Transaction()
        writer.write(b"220 receiver.example ESMTP\r\n")
        while line := await reader.readline():
            command = line.decode("utf-8", "replace").strip()
            match command[:4].upper():
                case "EHLO":
                    writer.write(b"250-receiver.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n")
                case "MAIL":
                    transaction = _Transaction(mail_from=_path(command))
                    writer.write(b"250 2.1.0 OK\r\n")
                case "RCPT":
                    transaction.recipients.append(_path(command))
                    writer.write(b"250 2.1.5 OK\r\n")
                case "DATA":
                    writer.write(b"354 Go on\r\n")
                    self._keep(transaction, await reader.readuntil(b"\r\n.\r\n"))
                    transaction = _Transaction()
                    writer.write(b"250 2.0.0 Received\r\n")
                case "QUIT":
                    writer.write(b"221 2.0.0 Bye\r\n")
                    break
                case _:
                    writer.write(b"250 2.0.0 OK\r\n")
            await writer.drain()
        writer.close()

    def _keep(self, transaction: _Transaction, data: bytes) -> None:
        content = data[:-3].replace(b"\r\n..", b"\r\n.")
        self._mail.append(
            Delivered(mail_from=transaction.mail_from or "", recipients=tuple(transaction.recipients), content=content)
        )


def _path(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
