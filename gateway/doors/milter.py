"""The milter door: listens for a mail server on TCP or Unix sockets, makes sessions, counts them, drains and closes.

Not the conversation (`gateway.doors.milter_session`). Beside the SMTP door, for mail servers that keep the message and
ask us what to do with it. Opened by `gateway.service.wiring`. Postfix MILTER_README; DESIGN section 5.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from gateway.doors.crowd import Crowd
from gateway.doors.milter_session import MilterSession
from gateway.doors.milter_settings import MilterAddress, MilterDoorSettings, MilterState
from gateway.doors.smtp_settings import ByteBudget, Handle

_log = logging.getLogger(__name__)
_BACKLOG = 128
_STREAM_BYTES = 262_144
_SOCKET_MODE = 0o660


class MilterDoor:
    """One door on one or more addresses. `start`, then `stop_accepting`, `drain` and `close`, in this order.

    `handle` answers each message; it is not cancelled when the mail server goes away, only by `close`. `new_id` gives a
    submission's id, `now` an aware time in UTC.
    """

    def __init__(
        self,
        settings: MilterDoorSettings,
        handle: Handle,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self._state = MilterState(
            settings=settings,
            handle=handle,
            new_id=new_id,
            now=now,
            budget=ByteBudget(settings.max_bytes_in_flight),
        )
        self._servers: list[asyncio.Server] = []
        self._paths: list[Path] = []
        self._crowd: Crowd[MilterSession] = Crowd(
            settings.max_connections, now=time.monotonic, patience_s=settings.timeouts.patience_s
        )
        self._sessions: dict[MilterSession, asyncio.Task[None]] = {}

    @property
    def addresses(self) -> tuple[MilterAddress, ...]:
        """Each listening socket: host and port (what port 0 became), or path."""
        names = [each.getsockname() for server in self._servers for each in server.sockets]
        return tuple(name[:2] if isinstance(name, tuple) else Path(os.fsdecode(name)) for name in names)

    @property
    def open_sessions(self) -> int:
        """How many connections are open."""
        return len(self._sessions)

    @property
    def messages_under_way(self) -> int:
        """How many messages are between their end and their answer."""
        return self._state.messages_under_way

    @property
    def bytes_in_flight(self) -> int:
        """How many octets of messages are reserved in memory."""
        return self._state.budget.used_bytes

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Listen, on these sockets instead of the configured addresses if there are any.

        Raises OSError if an address can't be had; then nothing listens.
        A Unix socket is made for its owner and group (mode 0660); a stale one in its place is taken away.
        """
        for each in sockets:
            start = asyncio.start_unix_server if each.family == socket.AF_UNIX else asyncio.start_server
            self._servers.append(await start(self._converse, sock=each, limit=_STREAM_BYTES))
        if sockets:
            return
        try:
            for address in self._state.settings.listen:
                await self._listen(address)
        except OSError:
            self.stop_accepting()
            raise

    def stop_accepting(self) -> None:
        """Close the listening sockets; sessions go on."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._paths.clear()

    async def drain(self, timeout_s: float) -> bool:
        """Let messages under way finish and end all other conversations; True if every one ended in time."""
        self._state.is_draining = True
        for session in tuple(self._sessions):
            session.hurry()
        if not self._sessions:
            return True
        _, late = await asyncio.wait(tuple(self._sessions.values()), timeout=timeout_s)
        return not late

    async def close(self) -> None:
        """End everything at once: a message under way is not answered, and the mail server says 451 to its client."""
        self.stop_accepting()
        self._state.is_draining = True
        tasks = tuple(self._sessions.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, address: MilterAddress) -> None:
        if isinstance(address, Path):
            self._servers.append(
                await asyncio.start_unix_server(self._converse, address, backlog=_BACKLOG, limit=_STREAM_BYTES)
            )
            self._paths.append(address)
            address.chmod(_SOCKET_MODE)
            return
        host, port = address
        self._servers.append(
            await asyncio.start_server(self._converse, host, port, backlog=_BACKLOG, limit=_STREAM_BYTES)
        )

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = MilterSession(self._state, reader, writer, self._crowd)
        if self._state.is_draining or not self._crowd.enter(session):
            _log.warning("milter: connection refused, %s open", len(self._sessions))
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._sessions[session] = task
        try:
            with contextlib.suppress(asyncio.CancelledError):  # `close` ends it; nobody waits for an exception here
                await session.run()
        finally:
            del self._sessions[session]
            self._crowd.leave(session)
