"""Background jobs under supervision: a job that fails is logged, counted and started again after a pause.

Not a scheduler: each job runs in a loop with a pause, as own mails and the passing of time need. The life cycle starts
the jobs when the doors are open and stops them when it drains.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_log = logging.getLogger(__name__)
_MAX_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do every `interval_s` seconds. `name` is a label of metrics and logs."""

    name: str
    interval_s: float
    run: Callable[[], Awaitable[object]]


class Jobs:
    """The running jobs. `on_failure` is told the name of a job each time that it failed."""

    def __init__(self, jobs: tuple[Job, ...], *, on_failure: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._on_failure = on_failure
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every job; the first run of each is at once."""
        self._tasks = [asyncio.create_task(self._supervise(job), name=f"job {job.name}") for job in self._jobs]

    async def stop(self) -> None:
        """Cancel every job and wait until it ended."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def _supervise(self, job: Job) -> None:
        failures = 0
        while True:
            try:
                await job.run()
                failures = 0
            except Exception:  # noqa: BLE001 - the guard around a job: one failure must not end the job
                failures += 1
                self._on_failure(job.name)
                _log.exception("a job failed", extra={"job": job.name, "failures": failures})
            await asyncio.sleep(pause_s(job.interval_s, failures))


def pause_s(interval_s: float, failures: int) -> float:
    """Seconds until the next run: the interval, doubled for each failure in a row, at most five minutes or it."""
    return min(interval_s * 2.0 ** min(failures, 16), max(_MAX_PAUSE_S, interval_s))
