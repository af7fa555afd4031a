"""The gateway's side of a nursery and its workers: start, fork, ask, kill.

One nursery serves one version of the directory. Not the pool: it knows nothing of queues and deadlines. Called by
`gateway.content.pool`; the other side is `gateway.content.worker`. Everything here runs on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from gateway.content.finding import Finding
from gateway.content.names import NameIndex
from gateway.content.wire import LENGTH_BYTES, MAX_ANSWER_BYTES, WireError, unpack_findings

_START_TIMEOUT_S = 180.0  # of a live one; to give up one that still loads makes a busy machine busier
_END_TIMEOUT_S = 5.0


class WorkerGone(Exception):
    """The worker, or its nursery, ended or spoke nonsense."""


class AnalysisWorker:
    """One worker process, one request at a time."""

    __slots__ = ("_reader", "_writer", "nursery", "pid")

    def __init__(self, pid: int, nursery: Nursery, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid, self.nursery, self._reader, self._writer = pid, nursery, reader, writer

    @property
    def is_gone(self) -> bool:
        """True if the worker's end is known to be closed: it died while it was idle."""
        return self._reader.at_eof()

    async def ask(self, request: bytes) -> tuple[Finding, ...]:
        """The worker's findings for a packed request. Raises WorkerGone; after that, or a cancellation, kill it."""
        try:
            self._writer.write(request)
            await self._writer.drain()
            return unpack_findings(await _read_frame(self._reader))
        except (OSError, asyncio.IncompleteReadError, WireError) as problem:
            raise WorkerGone from problem

    def close(self) -> None:
        """Let an idle worker end by itself."""
        self.nursery.worker_ids.discard(self.pid)
        self._writer.close()

    def kill(self) -> None:
        """End the worker now, whatever it does."""
        self.nursery.worker_ids.discard(self.pid)
        self.nursery.kill(self.pid)
        self._writer.close()


class Nursery:
    """A process that has Presidio and an index of names loaded, and forks workers; `worker_ids` are those in use."""

    def __init__(self, names: NameIndex) -> None:
        """Start the process; it is ready when the first worker greets."""
        self._control, theirs = socket.socketpair()
        index_fd = os.memfd_create("names")
        with os.fdopen(index_fd, "wb", closefd=False) as file:
            file.write(names.packed())
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *_python_path()])}
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", "gateway.content.worker", str(theirs.fileno()), str(index_fd)],
            pass_fds=(theirs.fileno(), index_fd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        theirs.close()
        os.close(index_fd)
        self.worker_ids: set[int] = set()

    @property
    def pid(self) -> int:
        """The process id of the nursery."""
        return self._process.pid

    async def fork(self) -> AnalysisWorker:
        """A new worker, greeted and idle. Raises WorkerGone if none came in its time."""
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [b"F\n"], [theirs.fileno()])
            theirs.close()
            ours.setblocking(False)  # positional in the standard library
            async with asyncio.timeout(_START_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(sock=ours)
                pid = int(await _read_frame(reader))
        except (OSError, asyncio.IncompleteReadError, WireError, ValueError) as problem:
            ours.close()
            raise WorkerGone from problem
        finally:
            theirs.close()
        self.worker_ids.add(pid)
        return AnalysisWorker(pid, self, reader, writer)

    def kill(self, pid: int) -> None:
        """Kill one worker; only its parent can do so without hitting a stranger that has got its number."""
        with contextlib.suppress(OSError):
            self._control.send(f"K{pid}\n".encode())

    async def close(self) -> None:
        """End the nursery and with it all its workers; wait until it is gone."""
        self._control.close()
        try:
            await asyncio.to_thread(self._process.wait, _END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


def _python_path() -> list[str]:
    """The entries of PYTHONPATH, if it is set: ours goes before them."""
    return [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
    if length > MAX_ANSWER_BYTES:
        raise WireError("answer too long")
    return await reader.readexactly(length)
