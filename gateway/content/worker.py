"""The processes that look into text: a nursery, which loads Presidio once, and the workers that it forks.

Not the pool (that is `gateway.content.pool`, in the gateway's process). Why a nursery and not `multiprocessing`: its
forkserver runs the main module again in each child (here the whole command line) and can't be given the directory;
plain workers cost 100 MB and a second of CPU each, and again after every kill. Forked from the nursery a worker is
there in milliseconds and shares its memory. The gateway itself never forks: it runs an event loop and has threads.

The nursery reads commands from its control socket: `F` with a socket (fork a worker that serves it), `K <pid>` (kill
that worker). A worker greets with its process id, then answers one request after another. Nobody outlives the
gateway: the nursery ends when the control socket closes, a worker when its own socket closes or, busy, when the
nursery dies (prctl PR_SET_PDEATHSIG). INT, HUP and TERM are ignored: they may reach the whole group, and the gateway
drains with the workers' help.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import TracebackType

from gateway.content.finding import Matter
from gateway.content.forking import die_with, ignore_signals, reap
from gateway.content.inspector import InspectionRequest, Inspector
from gateway.content.names import NameIndex
from gateway.content.wire import LENGTH_BYTES, frame, pack_findings, unpack_request
from gateway.message.model import ReadableText, Zone, ZoneKind
from gateway.people.model import Direction

_WARM_UP = "Bonjour, your appointment is on Tuesday at 2 p.m. Call 555-0100. À bientôt, my mother says hello."


def main(control_fd: int, index_fd: int) -> None:
    """Run the nursery until its control socket closes. `index_fd` is a file with `NameIndex.packed`."""
    ignore_signals()
    sys.excepthook = _report_without_content
    with os.fdopen(index_fd, "rb") as file:
        file.seek(0)
        inspector = Inspector(names=NameIndex.unpacked(file.read()))
    inspector.inspect(_warm_up())
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control_fd) as control:
        _tend(control, inspector)


def _tend(control: socket.socket, inspector: Inspector) -> None:
    """Carry out commands. Children that died by themselves are reaped with the next command."""
    children: set[int] = set()
    while True:
        line, fds, _, _ = socket.recv_fds(control, 64, 1)
        if not line:
            return
        for command in line.decode("ascii").split():
            if command == "F" and fds:
                children.add(_fork(control, fds.pop(), inspector))
            elif command.startswith("K") and int(command[1:]) in children:
                os.kill(int(command[1:]), signal.SIGKILL)
        reap(children)


def _fork(control: socket.socket, fd: int, inspector: Inspector) -> int:
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        os.close(fd)
        return pid
    status = 1
    try:
        control.close()
        if not die_with(nursery):
            os._exit(0)
        with socket.socket(fileno=fd) as connection:
            serve(connection, inspector)
        status = 0
    except OSError:
        status = 2
    except BaseException:
        _report_without_content(*sys.exc_info())
        raise
    finally:
        os._exit(status)


def serve(connection: socket.socket, inspector: Inspector) -> None:
    """Greet, then answer requests until the other end closes."""
    connection.sendall(frame(str(os.getpid()).encode()))
    with connection.makefile("rb") as requests:
        while len(head := requests.read(LENGTH_BYTES)) == LENGTH_BYTES:
            body = requests.read(int.from_bytes(head, "big"))
            connection.sendall(pack_findings(inspector.inspect(unpack_request(body))))


def _report_without_content(
    kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
) -> None:
    """Write what failed and where, never the exception's words: they may hold text of a message."""
    del problem
    frames = traceback.extract_tb(trace)[-3:]
    places = " ".join(f"{Path(place.filename).name}:{place.lineno}" for place in frames)
    sys.stderr.write(f"analysis worker failed: {kind.__name__ if kind else 'unknown'} at {places}\n")


def _warm_up() -> InspectionRequest:
    """A request that touches every recognizer, so that caches are filled before the fork and shared after it."""
    zone = Zone(kind=ZoneKind.NEW, start=0, end=len(_WARM_UP))
    text = ReadableText(where="body", part=(), text=_WARM_UP, zones=(zone,), source_offsets=())
    return InspectionRequest(texts=(text,), matters=frozenset(Matter), direction=Direction.OUTBOUND)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
