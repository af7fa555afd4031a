"""One process a piece of work: a nursery that loads libraries once and forks, and the side that asks it. Two halves.

For work on what strangers wrote: each piece has a child of its own, which shuts itself in, answers one question and
ends, so that nothing of one is left for the next. The nursery sees none of it. Commands on its control socket, one
packet each: `F` with a socket (fork a child for it), `K <pid>` (kill that child). A child greets with its process id
and whether its call filter stands. A nursery ends when its control socket closes, and its children with it. Used for
attachments (`gateway.content.documents`) and for printing (`gateway.archive.export.rendering`); the workers of the
analysis, which live on, have a protocol of their own (`gateway.content.worker`). Linux.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import encodings
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LENGTH_BYTES = 4
_PIECE_BYTES = 1 << 20
_END_S = 5.0
_ROOT = Path(__file__).parents[2]


class AnswerTooLong(Exception):
    """A child said that its answer would be longer than it may be."""


# In the nursery and its children.


def ignore_signals() -> None:
    """INT, HUP and TERM may reach the whole group; a nursery ends with its control socket alone."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def load_codecs() -> None:
    """Import every codec: a child that may open no file can't import one."""
    for module in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(LookupError):
            codecs.lookup(module.name)


def tend(control: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    """Carry out commands until the control socket closes. `serve` is what a child does with its connection."""
    children: set[int] = set()
    while True:
        line, fds, _, _ = socket.recv_fds(control, 64, 1)
        if not line:
            return
        reap(children)
        if line.startswith(b"F") and fds:
            children.add(_fork(control, fds[0], serve))
        elif line.startswith(b"K") and int(line[1:]) in children:
            os.kill(int(line[1:]), signal.SIGKILL)


def reap(children: set[int]) -> None:
    """Take the children that have ended out of the set, and out of the kernel's table."""
    for pid in list(children):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                children.discard(pid)


def die_with(parent: int) -> bool:
    """Have the kernel kill this process when its parent ends; False if it has ended already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def greet(connection: socket.socket, *, is_filtered: bool) -> None:
    """A child's first words, once it has shut itself in."""
    send(connection, f"{os.getpid()} {int(is_filtered)}".encode())


def framed(body: bytes) -> bytes:
    """A body behind its length."""
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def send(connection: socket.socket, body: bytes) -> None:
    """Send a body behind its length."""
    connection.sendall(framed(body))


def received(connection: socket.socket) -> bytearray:
    """A body that came behind its length, in one piece of memory. Raises EOFError."""
    return exactly(connection, int.from_bytes(exactly(connection, _LENGTH_BYTES), "big"))


def exactly(connection: socket.socket, count: int) -> bytearray:
    """That many octets, however long they take. Raises EOFError."""
    buffer = bytearray(count)
    view, filled = memoryview(buffer), 0
    while filled < count:
        octets = connection.recv_into(view[filled:])
        if octets == 0:
            raise EOFError
        filled += octets
    view.release()
    return buffer


def _fork(control: socket.socket, fd: int, serve: Callable[[socket.socket], None]) -> int:
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        os.close(fd)
        return pid
    status = 1
    try:
        control.close()
        if die_with(nursery):
            with socket.socket(fileno=fd) as connection:
                serve(connection)
            status = 0
    finally:
        os._exit(status)


# In the process that asks.


class Forked:
    """One process for one piece of work."""

    def __init__(self, pid: int, connection: socket.socket, nursery: ForkServer, *, is_filtered: bool) -> None:
        self.pid = pid
        self.is_filtered = is_filtered
        self._connection = connection
        self._nursery = nursery

    def ask(self, question: bytes, ends_at: float, max_bytes: int) -> bytes:
        """The answer, by `time.monotonic`. Raises TimeoutError, AnswerTooLong; EOFError or OSError if it is gone."""
        self._connection.settimeout(max(ends_at - time.monotonic(), 0.001))
        self._connection.sendall(question)
        return _answer(self._connection, ends_at, max_bytes)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        self._nursery.kill(self.pid)


class ForkServer:
    """A nursery, seen from outside: a module of ours that is run with the number of its control socket."""

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with nothing of this process's environment but what is named. Raises OSError."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", module, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONPATH": path, "PATH": os.defpath, **(environment or {})},
        )
        theirs.close()

    def greeting(self, seconds: float) -> bytes:
        """What it says when it has loaded its libraries, if it says something; empty if it has ended."""
        self._control.settimeout(seconds)
        try:
            return self._control.recv(64)
        finally:
            self._control.settimeout(None)

    def fork(self, seconds: float) -> Forked:
        """A child that is shut in and waits. Raises OSError, EOFError, AnswerTooLong or ValueError if none came."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [b"F"], [theirs.fileno()])
            pid, is_filtered = _answer(ours, time.monotonic() + seconds, 64).split()
        except BaseException:
            ours.close()
            raise
        return Forked(int(pid), ours, self, is_filtered=is_filtered == b"1")

    def kill(self, pid: int) -> None:
        """Kill a child that may still run; only its parent can do so without hitting a stranger."""
        with contextlib.suppress(OSError):
            self._control.send(f"K{pid}".encode())

    def close(self) -> None:
        """End it and wait until it is gone."""
        self._control.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _answer(connection: socket.socket, ends_at: float, max_bytes: int) -> bytes:
    length = int.from_bytes(_in_time(connection, _LENGTH_BYTES, ends_at), "big")
    if length > max_bytes:
        raise AnswerTooLong
    return _in_time(connection, length, ends_at)


def _in_time(connection: socket.socket, count: int, ends_at: float) -> bytes:
    pieces: list[bytes] = []
    while count:
        connection.settimeout(max(ends_at - time.monotonic(), 0.001))
        piece = connection.recv(min(count, _PIECE_BYTES))
        if not piece:
            raise EOFError
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
