"""The SMTP door: listens, makes sessions, counts them, drains and closes.

Not the conversation (`gateway.doors.smtp_session`). Before-queue filter of an MTA: a message is answered only when
the next hop has answered it, or the flow has it on disk. Opened by `gateway.service.wiring`. RFC 5321, Postfix
SMTPD_PROXY_README.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.doors.crowd import Crowd
from gateway.doors.smtp_keywords import KeywordMemory
from gateway.doors.smtp_session import SmtpSession
from gateway.doors.smtp_settings import ByteBudget, DoorState, Handle, SmtpDoorSettings
from gateway.message.errors import GatewayError
from gateway.outbound.accepted import AcceptedMemory
from gateway.outbound.idle import IdleHops

_BACKLOG = 512


class SmtpDoor:
    """One door on one or more addresses. `start`, then `stop_accepting`, `drain` and `close`, in this order.

    `handle` answers each message; it is not cancelled when its client goes away, only by `close`. `new_id` gives a
    submission's id, `now` an aware time in UTC. `accepted` remembers who has a message that is sent again (LMTP).
    `on_failure` is told what a command ran into before there was a message, as a next hop that is down.
    """

    def __init__(
        self,
        settings: SmtpDoorSettings,
        handle: Handle,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        accepted: AcceptedMemory | None = None,
        on_failure: Callable[[GatewayError], None] = lambda _error: None,
    ) -> None:
        self._state = DoorState(
            settings=settings,
            handle=handle,
            new_id=new_id,
            now=now,
            memory=KeywordMemory(),
            idle_hops=IdleHops(settings.next_hop_idle_s),
            budget=ByteBudget(settings.max_bytes_in_flight),
            accepted=accepted,
            on_failure=on_failure,
        )
        self._servers: list[asyncio.Server] = []
        self._sessions: Crowd[SmtpSession] = Crowd(
            settings.max_connections,
            now=time.monotonic,
            patience_s=settings.timeouts.patience_s,
            most_of_a_host=settings.max_connections_of_a_host,
        )
        self._emptied = asyncio.Event()

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each listening socket; what port 0 became."""
        return tuple(each.getsockname()[:2] for server in self._servers for each in server.sockets)

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

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Listen, on these sockets instead of the configured addresses if there are any.

        Raises OSError if an address can't be had; then nothing listens.
        """
        loop = asyncio.get_running_loop()
        if sockets:
            self._servers = [
                await loop.create_server(self._new_session, sock=each, backlog=_BACKLOG) for each in sockets
            ]
            return
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
        for session in self._sessions.all():
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
        await asyncio.gather(*(session.end() for session in self._sessions.all()))
        await self._state.idle_hops.close()

    def enter(self, session: asyncio.Protocol) -> bool:
        """A connection begins; False if there are as many as may be and nobody gives way."""
        assert isinstance(session, SmtpSession)
        return self._sessions.enter(session)

    def is_one_too_many_of(self, session: asyncio.Protocol, host: str) -> bool:
        """True if that host, which nobody trusts, has too many connections with this one."""
        assert isinstance(session, SmtpSession)
        return self._sessions.is_one_too_many_of(session, host)

    def wait(self, session: asyncio.Protocol) -> None:
        """The session waits for its client."""
        assert isinstance(session, SmtpSession)
        self._sessions.wait(session)

    def work(self, session: asyncio.Protocol) -> None:
        """The session has something to do."""
        assert isinstance(session, SmtpSession)
        self._sessions.work(session)

    def leave(self, session: asyncio.Protocol) -> None:
        """A connection that had entered has ended."""
        assert isinstance(session, SmtpSession)
        self._sessions.leave(session)
        if not self._sessions:
            self._emptied.set()

    def _new_session(self) -> SmtpSession:
        return SmtpSession(self._state, self)
