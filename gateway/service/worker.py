"""One of several serving processes: the life of a gateway on sockets of its parent's, told and asked over a line.

Run by the parent as `python -m gateway.service.worker DIR COUNT LINE SMTP MILTER` (descriptors, those of the sockets
separated by commas). SIGTERM drains and ends it; a parent that is gone does the same. A worker that was renewed is
asked to `leave`: it accepts nobody any more, and those whom it has accepted go on as if nothing were. SIGINT, SIGHUP
and SIGUSR2 are the parent's alone: they may reach the whole group. Not who starts it (`gateway.service.parent`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvloop

from gateway.message.errors import ConfigInvalid, GatewayError
from gateway.service.activation import Sockets
from gateway.service.channel import Line, Words
from gateway.service.configuration import Configuration, load_configuration
from gateway.service.jobs import Job, Jobs
from gateway.service.life import Closable, Life
from gateway.service.logs import set_up_logs
from gateway.service.turn import Turn
from gateway.service.wiring import Rooms, now, open_rooms

_log = logging.getLogger("gateway.service.worker")  # not `__main__`, which the log would take for a library
_SWEEP_INTERVAL_S = 600.0
_LEAVE_LOOK_S = 0.1
_PARENTS_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
EXIT_CONFIGURATION, EXIT_START = 78, 1


class Worker(Life):
    """A life without health pages of its own, whose jobs run when no other worker runs them."""

    def __init__(self, configuration: Configuration, sockets: Sockets, end: socket.socket) -> None:
        super().__init__(configuration, sockets)
        self._end = end
        self._line: Line | None = None
        self._turn = Turn(configuration.store_path)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_leaving = False
        self._reloading = asyncio.Lock()

    def _obey_signals(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop)
        for number in _PARENTS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    async def _open_health(self) -> Closable:
        self._line = line = await Line.connect(self._end)
        self._tasks.append(asyncio.create_task(self._listen(line), name="line"))
        return line

    async def _open_rooms(self) -> Rooms:
        return await open_rooms(self._configuration, self._metrics, is_worker=True)

    async def _let_leave(self, rooms: Rooms) -> None:
        """While leaving: wait until every session has ended by itself, for the time of a drain at most."""
        quiet = 0
        for _ in range(int(self._configuration.settings.drain_s / _LEAVE_LOOK_S) if self._is_leaving else 0):
            quiet = 0 if any(door.open_sessions for door in rooms.doors) else quiet + 1
            if quiet > 1:  # twice: a connection that was just accepted becomes a session a moment later
                return
            await asyncio.sleep(_LEAVE_LOOK_S)

    async def _start_jobs(self, jobs: Jobs) -> None:
        self._tasks.append(asyncio.create_task(self._start_in_turn(jobs), name="turn"))

    async def _stop_jobs(self, jobs: Jobs) -> None:
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        await jobs.stop()
        self._turn.end()
        if self._line is not None:
            self._line.tell({"told": "ended", "metrics": (await self._metrics_page()).body.decode()})

    async def _start_in_turn(self, jobs: Jobs) -> None:
        if self._rooms is None or not self._rooms.store.is_shared:  # a shared store elects who works, for each piece
            await self._turn.wait()
        jobs.start()
        _log.info("runs the jobs", extra={"pid": os.getpid()})

    def _jobs(self, rooms: Rooms) -> tuple[Job, ...]:
        async def sweep() -> None:
            await rooms.store.end_sendings(now())

        return (*super()._jobs(rooms), Job(name="sendings", interval_s=_SWEEP_INTERVAL_S, run=sweep))

    async def _listen(self, line: Line) -> None:
        await line.serve(lambda _: None, self._answer)
        self.stop()

    async def _answer(self, question: str) -> Words:
        match question:
            case "state":
                page = await self._readyz()
                metrics = (await self._metrics_page()).body.decode()
                return {"is_ready": page.status == 200, "why": page.body.decode(), "metrics": metrics}
            case "leave":
                self._is_leaving = True
                self.stop()
                return {}
            case "reload":
                async with self._reloading:  # questions do not wait for one another, and reloads must
                    return {"is_done": self._rooms is not None and await self._reload()}
            case _:
                return {}

    def _set_ready(self, is_ready: bool) -> None:
        self._ready = is_ready
        self._metrics.set_ready(is_ready)
        if is_ready and self._line is not None:
            self._line.tell({"told": "ready"})


def shared_out(configuration: Configuration, count: int) -> Configuration:
    """The configuration of one of `count` workers: its share of the analysis processes, one at least."""
    settings = configuration.settings
    share = settings.analysis.model_copy(update={"workers": max(1, -(-settings.analysis.workers // count))})
    return Configuration(
        path=configuration.path,
        settings=settings.model_copy(update={"analysis": share}),
        directory=configuration.directory,
        pack=configuration.pack,
    )


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM; the exit code."""
    path, count, line, *doors = arguments
    smtp, milter = ([int(word) for word in words.split(",") if word] for words in doors)
    try:
        configuration = shared_out(load_configuration(Path(path)), int(count))
        set_up_logs(configuration.settings.log.level, configuration.settings.log.format)
        end = socket.socket(fileno=int(line))
        uvloop.run(Worker(configuration, Sockets.of_descriptors(smtp, milter), end).run())
    except ConfigInvalid as error:
        places = [f"{Path(problem.path).name}:{problem.line}" for problem in error.problems[:20]]
        _log.error("worker can't serve: the configuration is wrong", extra={"places": places})
        return EXIT_CONFIGURATION
    except GatewayError as error:
        _log.error("worker can't serve", extra={"reason": error.cause})
        return EXIT_START
    except OSError as error:
        _log.error("worker can't serve", extra={"reason": error.strerror})
        return EXIT_START
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
