"""A real milter door in a thread with a loop of its own, and a mail server's side of the protocol, for the tests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from gateway.doors.milter import MilterDoor
from gateway.doors.milter_settings import MilterAddress, MilterDoorSettings
from gateway.doors.smtp_settings import Handle

OFFER = struct.pack(">III", 6, 0x1FF, 0x1FFFFF)


@dataclass
class RunningMilter:
    """The door, where it listens, and its loop, which runs in another thread."""

    door: MilterDoor
    address: MilterAddress
    loop: asyncio.AbstractEventLoop

    def call(self, coroutine: object, timeout_s: float = 30.0) -> object:
        """The result of a coroutine in the door's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_s)  # type: ignore[arg-type]


@contextlib.contextmanager
def running_milter(
    handle: Handle,
    *,
    path: Path | None = None,
    new_loop: type[asyncio.AbstractEventLoop] | None = None,
    **settings: object,
) -> Iterator[RunningMilter]:
    """A door on a free port of loopback, or on a Unix socket."""
    chosen: dict[str, object] = {"listen": (path or ("127.0.0.1", 0),), "host_name": "gateway.example"} | settings
    ids = itertools.count(1)
    loop = new_loop() if new_loop else asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    door = MilterDoor(
        MilterDoorSettings(**chosen),  # type: ignore[arg-type]
        handle,
        new_id=lambda: f"m{next(ids)}",
        now=lambda: datetime(2026, 11, 2, 15, 0, tzinfo=UTC),
    )
    asyncio.run_coroutine_threadsafe(door.start(), loop).result(10)
    running = RunningMilter(door=door, address=door.addresses[0], loop=loop)
    try:
        yield running
    finally:
        running.call(door.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class MtaSide:
    """A mail server that sends the packets that it is told to, and reads answers."""

    def __init__(self, address: MilterAddress, timeout_s: float = 20.0) -> None:
        if isinstance(address, Path):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout_s)
            self.socket.connect(str(address))
        else:
            self.socket = socket.create_connection(address, timeout=timeout_s)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, command: bytes, octets: bytes = b"") -> None:
        """Send one packet."""
        self.socket.sendall(struct.pack(">I", len(octets) + 1) + command + octets)

    def read(self) -> tuple[bytes, bytes] | None:
        """The next answer, its command and its arguments; None if the connection has ended."""
        with contextlib.suppress(ConnectionResetError):
            head = self.file.read(4)
            if len(head) == 4:
                octets = self.file.read(struct.unpack(">I", head)[0])
                return octets[:1], octets[1:]
        return None

    def read_answer(self) -> list[tuple[bytes, bytes]]:
        """All packets up to the one that ends the waiting."""
        found = []
        while True:
            one = self.read()
            assert one is not None, "the door closed the connection"
            found.append(one)
            if one[0] not in b"hibmp":
                return found

    def negotiate(self) -> None:
        """Negotiate as Postfix does."""
        self.send(b"O", OFFER)
        answer = self.read()
        assert answer is not None
        assert answer[0] == b"O"

    def begin(self, sender: bytes, *recipients: bytes) -> None:
        """MAIL and RCPT, each accepted."""
        for command, address in ((b"M", sender), *((b"R", each) for each in recipients)):
            self.send(command, b"<" + address + b">\0")
            assert self.read() == (b"c", b"")

    def message(self, sender: bytes, recipients: tuple[bytes, ...], content: bytes) -> list[tuple[bytes, bytes]]:
        """One message with CRLF line ends; all packets of the answer."""
        self.begin(sender, *recipients)
        head, _, body = content.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            self.send(b"L", name + b"\0" + value + b"\0")
        self.send(b"N")
        for start in range(0, len(body), 65_535):
            self.send(b"B", body[start : start + 65_535])
        self.send(b"E")
        return self.read_answer()
