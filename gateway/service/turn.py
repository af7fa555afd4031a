"""Which of several workers runs the jobs: the one that has the lock `jobs.lock` beside the store.

The kernel takes the lock back when a process ends, however it ends, so there is no lease to run out and no clock to
trust. A gateway with one process needs none. Called by `gateway.service.life`. flock(2).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

_LOOK_S = 1.0


class Turn:
    """The turn to run the jobs: `wait` returns when it is ours, `end` gives it to another."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "jobs.lock"
        self._held: int | None = None

    @property
    def is_ours(self) -> bool:
        """True between `wait` and `end`."""
        return self._held is not None

    async def wait(self) -> None:
        """Return when no other process has the turn; looks every second."""
        while not self.try_now():  # noqa: ASYNC110 - a lock of another process tells nobody that it is free
            await asyncio.sleep(_LOOK_S)

    def try_now(self) -> bool:
        """True if the turn is ours now; False if another has it, or the disk gives no file for the moment."""
        if self._held is None:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                return False
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return False
            self._held = handle
        return True

    def end(self) -> None:
        """Give the turn back; harmless if it is not ours."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
