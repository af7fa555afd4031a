"""The one thread that writes: it takes everything that waited while the last COMMIT ran, and commits it together.

One fsync then serves many messages. A write returns only after its COMMIT. A group runs without savepoints; if one of
its writes is refused (a hold decided already) the transaction is undone and run again with a savepoint for each, so
that the one does not take its neighbours with it. An error of the disk takes the whole group, and each of the callers
gets it. Knows no table. Made by `Store.open`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.archive.database import Connection, Database, DatabaseError, is_conflict
from gateway.archive.statements import change
from gateway.message.errors import GatewayError, MachineryFailed

MAX_GROUP = 256
Written = TypeVar("Written")


@dataclass(slots=True)
class _Job:
    """A write and who waits for it: a thread, or a task of the event loop `loop`."""

    work: Callable[[Connection], Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None

    def begins(self) -> bool:
        """False if nobody waits any more."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


@dataclass(slots=True)
class _Done:
    job: _Job
    result: Any = None
    error: GatewayError | None = None


class _Refused(Exception):
    """One of a group's writes was refused: the group is to run again, each write by itself."""


class Committer:
    """A queue of writes and the thread that commits them in groups.

    `before_commit` is called at the end of each group, inside its transaction. With less than `low_bytes` free on the
    disk the log is folded into the file after every group: it would otherwise grow by several pages a write and eat
    the room that is kept for marks and decisions.
    """

    def __init__(
        self, database: Database, low_bytes: int = 0, before_commit: Callable[[Connection], None] | None = None
    ) -> None:
        self._database = database
        self._before_commit = before_commit
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
        It may run twice: what it did the first time is then undone.
        """
        future: Future[Written] = Future()
        if not self._put(_Job(work, future)):
            future.set_exception(MachineryFailed("store closed"))
        return future

    async def write(self, work: Callable[[Connection], Written]) -> Written:
        """The result of `submit`, for a task: the tasks of a group are woken together."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Written] = loop.create_future()
        if not self._put(_Job(work, future, loop)):
            raise MachineryFailed("store closed")
        return await future

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        with self._closing:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _put(self, job: _Job) -> bool:
        with self._closing:
            if not self._is_closed:
                self._queue.put(job)
            return not self._is_closed

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._next_group()
            live = [job for job in group if job.begins()]
            if live:
                _tell(self._committed(live))
                if self._database.has_less_than(self._low_bytes):
                    self._database.fold_log()

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

    def _committed(self, group: list[_Job]) -> list[_Done]:
        try:
            try:
                return self._transaction(group, _together)
            except _Refused:
                return self._transaction(group, _apart)
        except DatabaseError as error:
            self._database.reset_writer()
            return [_Done(job, error=self._database.storage_error(error)) for job in group]
        except Exception as error:  # noqa: BLE001  the guard: a thread that ends would leave every sender waiting
            self._database.reset_writer()
            return [_Done(job, error=_machinery(error)) for job in group]

    def _transaction(self, group: list[_Job], perform: Callable[[list[_Job], Connection], list[_Done]]) -> list[_Done]:
        with self._database.writing() as connection:
            results = perform(group, connection)
            if self._before_commit is not None:
                self._before_commit(connection)
        return results


def _together(group: list[_Job], connection: Connection) -> list[_Done]:
    results = []
    for job in group:
        try:
            results.append(_Done(job, job.work(connection)))
        except DatabaseError as error:
            if not is_conflict(error):
                raise
            raise _Refused from error
        except Exception as error:
            raise _Refused from error
    return results


def _apart(group: list[_Job], connection: Connection) -> list[_Done]:
    pending = connection.info["pending"]
    results = []
    for job in group:
        noted = len(pending)
        change(connection, "SAVEPOINT one_write")
        done = _result(job, connection)
        if done.error is not None:
            change(connection, "ROLLBACK TO SAVEPOINT one_write")
            del pending[noted:]  # what is undone does not enter the ledger
        change(connection, "RELEASE SAVEPOINT one_write")
        results.append(done)
    return results


def _result(job: _Job, connection: Connection) -> _Done:
    try:
        return _Done(job, job.work(connection))
    except GatewayError as error:
        return _Done(job, error=error)
    except DatabaseError as error:
        if not is_conflict(error):
            raise
        return _Done(job, error=MachineryFailed("already in the store"))
    except Exception as error:  # noqa: BLE001  the guard around one write: a fault in it must not stop its neighbours
        return _Done(job, error=_machinery(error))


def _tell(results: list[_Done]) -> None:
    """Wake who waits: threads one by one, the tasks of an event loop with one call."""
    of_loop: dict[asyncio.AbstractEventLoop, list[_Done]] = {}
    for done in results:
        if done.job.loop is None:
            _settle([done])
        else:
            of_loop.setdefault(done.job.loop, []).append(done)
    for loop, done_there in of_loop.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(_settle, done_there)


def _settle(results: list[_Done]) -> None:
    for done in results:
        future = done.job.future
        if future.cancelled():
            continue
        if done.error is not None:
            future.set_exception(done.error)
        else:
            future.set_result(done.result)


def _machinery(error: Exception) -> MachineryFailed:
    """The fault by the name of its type alone: its text may hold what was to be written."""
    return MachineryFailed("write failed", fault=type(error).__name__)
