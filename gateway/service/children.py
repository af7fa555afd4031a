"""One worker process as its parent sees it: started, asked, ended.

Not who decides when (`gateway.service.parent`), not what the worker does (`gateway.service.worker`). Each worker is a
new interpreter and no fork: the parent has an event loop and threads, and a renewed worker runs the code that is
installed now.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.service.activation import Sockets
from gateway.service.channel import Line, LineLost, Words

_STATE_S = 5.0
_RELOAD_S = 120.0
_KILL_AFTER_S = 10.0  # beyond the draining: closing analysis and store


@dataclass(frozen=True, slots=True, kw_only=True)
class Nest:
    """What every worker of a parent is started with. `place` is the lock of the serving gateway."""

    path: Path
    count: int
    sockets: Sockets
    place: int | None
    drain_s: float


class Child:
    """A worker. Made by `start`; `ended` is its exit code once it has ended."""

    def __init__(self, process: asyncio.subprocess.Process, line: Line, drain_s: float) -> None:
        self._process = process
        self._line = line
        self._drain_s = drain_s
        self._ready = asyncio.Event()
        self._has_ended = asyncio.Event()
        self.page = b""
        """Its metrics when they were told last."""
        self._tasks = [asyncio.create_task(line.serve(self._hear, None)), asyncio.create_task(self._watch())]

    @classmethod
    async def start(cls, nest: Nest) -> Child:
        """A new worker, not ready yet. Raises OSError if the system gives no process."""
        ours, theirs = socket.socketpair()
        sockets = (nest.sockets.smtp, nest.sockets.milter)
        doors = [[each.fileno() for each in of_door] for of_door in sockets]
        passed = [theirs.fileno(), *doors[0], *doors[1], *(() if nest.place is None else (nest.place,))]
        words = [",".join(map(str, door)) for door in doors]
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}
        }
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.service.worker",
                str(nest.path), str(nest.count), str(theirs.fileno()), *words,
                pass_fds=passed, stdin=asyncio.subprocess.DEVNULL, env=environment,
            )  # fmt: skip
        return cls(process, await Line.connect(ours), nest.drain_s)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """True from when it takes mail until it has ended."""
        return self._ready.is_set() and not self._has_ended.is_set()

    @property
    def code(self) -> int:
        """Its exit code, once it has ended; minus the signal if one killed it."""
        return self._process.returncode or 0

    async def until_ready(self, timeout_s: float) -> bool:
        """True when it takes mail; False if it has ended, or the time has."""
        waits = [asyncio.create_task(event.wait()) for event in (self._ready, self._has_ended)]
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self.is_ready

    async def until_ended(self) -> None:
        """Return when it has ended."""
        await self._has_ended.wait()

    async def state(self) -> Words:
        """Whether it is ready, why not, and its metrics; `is_ready` False if it gives no answer."""
        try:
            words = await self._line.ask("state", _STATE_S)
        except LineLost:
            return {"is_ready": False, "why": "no answer"}
        self._hear(words)
        return words

    async def reload(self) -> bool:
        """True if it has put the present configuration in force."""
        try:
            return bool((await self._line.ask("reload", _RELOAD_S)).get("is_done"))
        except LineLost:
            return False

    async def leave(self) -> None:
        """Let it end when those whom it serves have gone, or have had the time of a drain, and then that of another."""
        with contextlib.suppress(LineLost):
            await self._line.ask("leave", _STATE_S)
        await self._end_within(2 * self._drain_s)

    async def retire(self) -> None:
        """Let it drain and end; it is killed if it does not."""
        self._signal(signal.SIGTERM)
        await self._end_within(self._drain_s)

    async def _end_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds + _KILL_AFTER_S):
                await self._has_ended.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it now."""
        self._signal(signal.SIGKILL)
        await self._has_ended.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _hear(self, words: Words) -> None:
        if words.get("told") == "ready":
            self._ready.set()
        if isinstance(page := words.get("metrics"), str):
            self.page = page.encode()

    async def _watch(self) -> None:
        await self._process.wait()
        await self._tasks[0]  # what it said last
        self._has_ended.set()
        await self._line.close()
