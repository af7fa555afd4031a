"""The one thread that writes: it takes everything that waited while the last COMMIT ran, and commits it together.

One fsync then serves many messages. A write returns only after its COMMIT. Each write stands in a savepoint, so that
one that is refused (a hold decided already) does not take its neighbours with it; an error of the disk takes the whole
group, and each of the callers gets it. Knows no table. Made by `Store.open`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.archive.database import Connection, Database, DatabaseError, is_conflict
from gateway.message.errors import GatewayError, MachineryFailed

MAX_GROUP = 256
Written = TypeVar("Written")


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    future: Future[Any]


@dataclass(slots=True)
class _Done:
    job: _Job
    result: Any = None
    error: GatewayError | None = None


class Committer:
    """A queue of writes and the thread that commits them in groups.

    With less than `low_bytes` free on the disk the log is folded into the file after every group: it would otherwise
    grow by several pages a write and eat the room that is kept for marks and decisions.
    """

    def __init__(self, database: Database, low_bytes: int = 0) -> None:
        self._database = database
        self._low_bytes = low_bytes
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="store-committer", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True while writes are taken."""
        return self._thread.is_alive() and not self._is_closed

    @property
    def waiting(self) -> int:
        """About how many writes wait."""
        return self._queue.qsize()

    def submit(self, work: Callable[[Connection], Written]) -> Future[Written]:
        """Queue a write. The future has its result after COMMIT, or the GatewayError that stopped it.

        `work` runs in the committer's thread inside a transaction; it may raise a GatewayError to undo itself alone.
        """
        future: Future[Written] = Future()
        with self._closing:
            if self._is_closed:
                future.set_exception(MachineryFailed("store closed"))
            else:
                self._queue.put(_Job(work, future))
        return future

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        with self._closing:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._next_group()
            live = [job for job in group if job.future.set_running_or_notify_cancel()]
            if live:
                self._commit(live)

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            group.append(job)
            if len(group) >= MAX_GROUP:
                return group, False
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Job]) -> None:
        try:
            with self._database.writing() as connection:
                results = [_perform(job, connection) for job in group]
        except DatabaseError as error:
            self._database.reset_writer()
            for job in group:
                job.future.set_exception(self._database.storage_error(error))
            return
        except Exception as error:  # noqa: BLE001  the guard: a thread that ends would leave every sender waiting
            self._database.reset_writer()
            for job in group:
                job.future.set_exception(_machinery(error))
            return
        for done in results:
            if done.error is not None:
                done.job.future.set_exception(done.error)
            else:
                done.job.future.set_result(done.result)
        if self._database.has_less_than(self._low_bytes):
            self._database.fold_log()


def _perform(job: _Job, connection: Connection) -> _Done:
    savepoint = connection.begin_nested()
    try:
        result = job.work(connection)
    except GatewayError as error:
        savepoint.rollback()
        return _Done(job, error=error)
    except DatabaseError as error:
        if not is_conflict(error):
            raise
        savepoint.rollback()
        return _Done(job, error=MachineryFailed("already in the store"))
    except Exception as error:  # noqa: BLE001  the guard around one write: a fault in it must not stop its neighbours
        savepoint.rollback()
        return _Done(job, error=_machinery(error))
    savepoint.commit()
    return _Done(job, result=result)


def _machinery(error: Exception) -> MachineryFailed:
    """The fault by the name of its type alone: its text may hold what was to be written."""
    return MachineryFailed("write failed", fault=type(error).__name__)
