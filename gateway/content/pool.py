"""The pool of analysis workers: bounded, with a deadline for each message, and never a silent pass.

Not the recognizers, and no policy. `inspect` gives the findings, or one UNSCANNABLE finding where the worker was late
or died: the message is then held for a person. Where no worker takes the message in time, it raises
`MachineryFailed`: 451, and the sender's MTA comes again. A worker that was late, crashed, or whose caller went away
is killed and replaced. `reload` brings up workers with the new directory first, then swaps; a request that is running
ends with the old one. Called by `gateway.arrive`; made by `gateway.service`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from gateway.content.finding import Finding
from gateway.content.inspector import InspectionRequest, clients_of, not_inspected, with_text
from gateway.content.names import NameIndex
from gateway.content.nursery import AnalysisWorker, Nursery, WorkerGone
from gateway.content.watch import Watch
from gateway.content.wire import pack_request
from gateway.message.errors import MachineryFailed
from gateway.message.model import ReadableText
from gateway.people.directory import Directory

log = logging.getLogger(__name__)

_RETRY_S = 1.0
# How many messages may wait for each worker, and for how long, in deadlines, before the sender is asked to come again.
_WAITING_A_WORKER = 100
_WAITING_DEADLINES = 4


class InspectionPool:
    """Owns the nursery and its workers. `start`, `inspect`, `reload`, `close` are called on one running event loop."""

    def __init__(self, directory: Directory, workers: int = 2, deadline_s: float = 10.0) -> None:
        """No process yet. `workers` at least 1; `deadline_s` seconds for one message once a worker has it."""
        self._count = workers
        self._deadline_s = deadline_s
        self._names = NameIndex.of(clients_of(directory))
        self._watch = Watch(self._names)
        self._nursery: Nursery | None = None
        self._idle: asyncio.Queue[AnalysisWorker] = asyncio.Queue()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_ready(self) -> bool:
        """True while at least one worker of the current directory lives."""
        return self._nursery is not None and bool(self._nursery.worker_ids)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The nursery's process id, then those of the workers that live; () before `start` and after `close`."""
        return () if self._nursery is None else (self._nursery.pid, *sorted(self._nursery.worker_ids))

    def concerns(self, texts: Iterable[ReadableText]) -> bool:
        """True if mail to an outsider with these texts is to be looked into; in-process and cheap."""
        return self._watch.concerns(texts)

    def start(self) -> None:
        """Start the processes; returns at once. Requests wait until the first worker is there."""
        self._nursery = Nursery(self._names)
        for _ in range(self._count):
            self._spawn(self._add_worker(self._nursery))

    async def inspect(self, request: InspectionRequest) -> tuple[Finding, ...]:
        """The findings; one UNSCANNABLE if the worker was late or died. Raises MachineryFailed if none was free."""
        worker = await self._free_worker()
        is_done = False
        try:
            async with asyncio.timeout(self._deadline_s):
                findings = await worker.ask(pack_request(request))
            is_done = True
        except TimeoutError:
            log.warning("analysis was late: worker %d is replaced", worker.pid)
            return (not_inspected("unscannable.late", "Looking into the message took too long."),)
        except WorkerGone:
            log.error("analysis worker %d died: replaced", worker.pid)  # noqa: TRY400  # a trace says no more
            return (not_inspected("unscannable.crashed", "Looking into the message failed."),)
        finally:
            if is_done:
                self._give_back(worker)
            else:
                self._replace(worker)
        return tuple(with_text(finding, request.texts) for finding in findings)

    def reload(self, directory: Directory) -> asyncio.Task[None]:
        """Bring up workers for the new directory, then swap. The task ends with the swap; await it or not."""
        return self._spawn(self._swap(directory))

    async def close(self) -> None:
        """End all processes; what is running is cut off."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._nursery is not None:
            await self._nursery.close()
            self._nursery = None

    async def _free_worker(self) -> AnalysisWorker:
        if self._waiting >= self._count * _WAITING_A_WORKER:
            raise MachineryFailed("too many messages wait for analysis", waiting=self._waiting)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._deadline_s * _WAITING_DEADLINES):
                while (worker := await self._idle.get()).is_gone:
                    self._replace(worker)
                return worker
        except TimeoutError as problem:
            raise MachineryFailed("no analysis worker was free", waiting=self._waiting) from problem
        finally:
            self._waiting -= 1

    def _give_back(self, worker: AnalysisWorker) -> None:
        if worker.nursery is self._nursery and not self._is_closed:
            self._idle.put_nowait(worker)
        else:
            worker.close()
            self._end_if_empty(worker.nursery)

    def _replace(self, worker: AnalysisWorker) -> None:
        worker.kill()
        self._end_if_empty(worker.nursery)
        if worker.nursery is self._nursery and not self._is_closed:
            self._spawn(self._add_worker(worker.nursery))

    def _end_if_empty(self, nursery: Nursery) -> None:
        """An old nursery ends with its last worker."""
        if nursery is not self._nursery and not nursery.worker_ids and not self._is_closed:
            self._spawn(nursery.close())

    async def _add_worker(self, nursery: Nursery) -> None:
        """Fork a worker; where the nursery itself has died, start another. Gives up only when the pool closes."""
        while nursery is self._nursery:
            try:
                worker = await nursery.fork()
            except WorkerGone:
                log.error("analysis nursery %d is silent: replaced", nursery.pid)  # noqa: TRY400  # as above
                await asyncio.sleep(_RETRY_S)
                if nursery is self._nursery:
                    self._nursery = Nursery(self._names)
                    for _ in range(self._count):
                        self._spawn(self._add_worker(self._nursery))
                await nursery.close()
            else:
                self._give_back(worker)
                return

    async def _swap(self, directory: Directory) -> None:
        names = await asyncio.to_thread(NameIndex.of, clients_of(directory))
        nursery = Nursery(names)
        try:
            workers = [await nursery.fork() for _ in range(self._count)]
        except BaseException:
            await nursery.close()
            raise
        old, self._nursery, self._names, self._watch = self._nursery, nursery, names, Watch(names)
        idle = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        for worker in [*idle, *workers]:
            self._give_back(worker)
        if old is not None and not old.worker_ids:
            await old.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
