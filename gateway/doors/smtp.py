"""The SMTP door: listens, makes sessions, counts them, drains and closes.

Not the conversation (`gateway.doors.smtp_session`). Before-queue filter of an MTA: a message is answered only when
the next hop has answered it, or the flow has it on disk. Opened by `gateway.service.wiring`. RFC 5321, Postfix
SMTPD_PROXY_README.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from gateway.doors.smtp_keywords import KeywordMemory
from gateway.doors.smtp_session import SmtpSession
from gateway.doors.smtp_settings import ByteBudget, DoorState, Handle, SmtpDoorSettings
from gateway.message.errors import GatewayError

_BACKLOG = 512


class SmtpDoor:
    """One door on one or more addresses. `start`, then `stop_accepting`, `drain` and `close`, in this order.

    `handle` answers each message; it is not cancelled when its client goes away, only by `close`. `new_id` gives a
    submission's id, `now` an aware time in UTC. `on_failure` is told what a command ran into before there
    was a message, as a next hop that is down.
    """

    def __init__(
        self,
        settings: SmtpDoorSettings,
        handle: Handle,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        on_failure: Callable[[GatewayError], None] = lambda _error: None,
    ) -> None:
        self._state = DoorState(
            settings=settings,
            handle=handle,
            new_id=new_id,
            now=now,
            memory=KeywordMemory(),
            budget=ByteBudget(settings.max_bytes_in_flight),
            on_failure=on_failure,
        )
        self._servers: list[asyncio.Server] = []
        self._sessions: set[SmtpSession] = set()
        self._emptied = asyncio.Event()

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each listening socket; what port 0 became."""
        return tuple(socket.getsockname()[:2] for server in self._servers for socket in server.sockets)

    @property
    def open_sessions(self) -> int:
        """How many connections are open."""
        return len(self._sessions)

    @property
    def messages_under_way(self) -> int:
        """How many messages are between DATA and their answer."""
        return self._state.messages_under_way

    @property
    def bytes_in_flight(self) -> int:
        """How many octets of messages are reserved in memory."""
        return self._state.budget.used_bytes

    async def start(self) -> None:
        """Listen. Raises OSError if an address can't be had; then nothing listens."""
        _mute_aiosmtpd()
        loop = asyncio.get_running_loop()
        try:
            for host, port in self._state.settings.listen:
                self._servers.append(await loop.create_server(self._new_session, host, port, backlog=_BACKLOG))
        except OSError:
            self.stop_accepting()
            raise

    def stop_accepting(self) -> None:
        """Close the listening sockets; sessions go on."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def drain(self, timeout_s: float) -> bool:
        """Let messages under way finish and tell all others 421; True if every session ended in time."""
        self._state.is_draining = True
        for session in tuple(self._sessions):
            session.hurry()
        if not self._sessions:
            return True
        self._emptied.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._emptied.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End everything at once: a message under way is not answered, and its sender tries again."""
        self.stop_accepting()
        self._state.is_draining = True
        await asyncio.gather(*(session.end() for session in tuple(self._sessions)))

    def enter(self, session: asyncio.Protocol) -> bool:
        """A connection begins; False if there are as many as may be."""
        if len(self._sessions) >= self._state.settings.max_connections:
            return False
        assert isinstance(session, SmtpSession)
        self._sessions.add(session)
        return True

    def leave(self, session: asyncio.Protocol) -> None:
        """A connection that had entered has ended."""
        assert isinstance(session, SmtpSession)
        self._sessions.discard(session)
        if not self._sessions:
            self._emptied.set()

    def _new_session(self) -> SmtpSession:
        return SmtpSession(self._state, self)


def _mute_aiosmtpd() -> None:
    """The logger of aiosmtpd writes peers and addresses."""
    logger = logging.getLogger("mail.log")
    logger.disabled = True
    logger.propagate = False
