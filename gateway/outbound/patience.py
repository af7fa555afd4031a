"""How long a connection waits for what comes next: one timer for all its waits, which come one after the other.

A wait that ends in time costs two assignments: the timer is set seldom, and looks when it fires whether somebody still
waits. `asyncio.timeout` sets and takes back a timer for each wait, which was a tenth of the cost of a message.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

_LEAST_S = 0.001  # uvloop calls at once, and gives no timer, for less


class Patience:
    """`begin` a wait, `end` it; `on_late` is called if its seconds pass between the two."""

    __slots__ = ("_deadline_s", "_loop", "_on_late", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_late: Callable[[], None]) -> None:
        self._loop = loop
        self._on_late = on_late
        self._deadline_s = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> None:
        """Somebody waits from now on, so many seconds."""
        deadline_s = self._deadline_s = self._loop.time() + max(seconds, _LEAST_S)
        if self._timer is None or self._timer.when() > deadline_s:
            self._set(deadline_s)

    def end(self) -> None:
        """Nobody waits any more."""
        self._deadline_s = math.inf

    @property
    def is_waited_for(self) -> bool:
        """True between `begin` and `end`."""
        return self._deadline_s != math.inf

    def hurry(self) -> None:
        """Whoever waits is late now."""
        if self._deadline_s != math.inf:
            self._deadline_s = math.inf
            self._on_late()

    def close(self) -> None:
        """Forget everything; the connection has ended."""
        self._deadline_s = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, deadline_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline_s == math.inf:
            return
        if self._loop.time() + 0.001 >= self._deadline_s:
            self.hurry()
        else:
            self._set(self._deadline_s)
