"""Connections to the next hop that wait for the next client session, so that not each has to open one.

Only one on which nothing was refused or went wrong is kept, and for a few seconds: a next hop that counts errors or
slows down who makes them (Postfix: smtpd_soft_error_limit) must not let one client pay for another. Nothing of a client
stays on it: we introduce ourselves by our own name, XFORWARD holds for one transaction (Postfix XFORWARD_README), and
one on which a client has logged in is never kept. Owned by the SMTP door, used by `gateway.doors.smtp_onward`.
"""

from __future__ import annotations

import asyncio

from gateway.outbound.session import NextHopSession

_MAX_KEPT = 10


class IdleHops:
    """The kept connections, the youngest used first. `idle_s` 0 keeps none."""

    def __init__(self, idle_s: float = 0.0) -> None:
        self._idle_s = idle_s
        self._kept: list[tuple[NextHopSession, float]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._farewells: set[asyncio.Task[None]] = set()

    def take(self) -> NextHopSession | None:
        """A connection that looks alive, or None."""
        while self._kept:
            session, _ = self._kept.pop()
            if not session.is_stale:
                return session
            session.close()
        return None

    def keep(self, session: NextHopSession) -> bool:
        """True if the connection is kept; else the caller ends it."""
        if self._idle_s <= 0 or session.is_stale or len(self._kept) >= _MAX_KEPT:
            return False
        loop = asyncio.get_running_loop()
        self._kept.append((session, loop.time() + self._idle_s))
        if self._timer is None:
            self._timer = loop.call_later(self._idle_s, self._end_idle)
        return True

    async def close(self) -> None:
        """End all of them."""
        self._idle_s = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        kept, self._kept = self._kept, []
        await asyncio.gather(*(session.quit() for session, _ in kept), *self._farewells)

    def _end_idle(self) -> None:
        """Say QUIT on those that have waited long enough; look again when the next will have."""
        loop = asyncio.get_running_loop()
        now_s = loop.time() + 0.001
        self._timer = None
        over = [session for session, end_s in self._kept if end_s <= now_s]
        self._kept = [(session, end_s) for session, end_s in self._kept if end_s > now_s]
        if self._kept:
            self._timer = loop.call_at(self._kept[0][1], self._end_idle)
        for session in over:
            task = loop.create_task(session.quit())
            self._farewells.add(task)
            task.add_done_callback(self._farewells.discard)
