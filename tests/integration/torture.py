"""What a gateway may meet while mail comes in: kill -9, a next hop that goes, a disk that is full or turns read-only.

`Disk` is a file system of its own for the store, `Torturer` does one thing after another to a gateway until it is told
to stop. Nothing is judged here: `test_torture_doors` counts the messages.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tests.integration.gateway_process import GatewayProcess
from tests.integration.servers import SinkServer, wait_until

_LONGEST_PAUSE_S = 120.0


@dataclass
class Disk:
    """A small ext4 on a loop device, or a tmpfs where there are no loop devices; `path` is where it is mounted.

    On ext4 `turn_read_only` is what Linux does after an error of the device, with every file open; only
    `repair`, with nobody using it, makes it writable again. A tmpfs can't be turned while files are open: there
    `turn_read_only` does nothing, and `repair` calls `meanwhile` with the file system read-only.
    """

    path: Path
    image: Path | None

    def fill(self) -> None:
        """Take every block that is left."""
        with (self.path / "ballast").open("wb") as file:
            size, step = 0, 16 << 20
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step //= 2

    def free(self) -> None:
        """Give the blocks back."""
        (self.path / "ballast").unlink(missing_ok=True)

    def turn_read_only(self) -> None:
        """From now on nothing can be written, though files are open."""
        if self.image is not None:
            device = _run("findmnt", "-n", "-o", "SOURCE", str(self.path)).stdout.strip()
            Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("test\n")

    def repair(self, meanwhile: Callable[[], None]) -> None:
        """Make it writable again, with nobody using it."""
        if self.image is None:
            _run("mount", "-o", "remount,ro", str(self.path))
            meanwhile()
            _run("mount", "-o", "remount,rw", str(self.path))
            return
        wait_until(lambda: _is_done("umount", str(self.path)), 30, "an unmounted disk")
        code = subprocess.run(["e2fsck", "-fy", str(self.image)], capture_output=True, check=False).returncode
        assert code in {0, 1, 2}, "the file system could not be repaired"
        _run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.path))


@contextlib.contextmanager
def small_disk(folder: Path, *, mebibytes: int) -> Iterator[Disk]:
    """A mounted disk in that folder. Skips the test (fails in CI) where root may mount nothing."""
    path, image = folder / "disk", folder / "disk.img"
    path.mkdir()
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    disk = Disk(path=path, image=image)
    if not (
        _is_done("mkfs.ext4", "-q", "-m", "0", str(image))
        and _is_done("mount", "-o", "loop,errors=remount-ro", str(image), str(path))
    ):
        disk.image = None
        if not _is_done("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(path)):
            (pytest.fail if os.environ.get("CI") else pytest.skip)("a disk for the test can only be mounted by root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True)


def _is_done(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@dataclass
class Torturer:
    """Does one thing after another to a gateway, in turn, in a thread of its own. `done` counts what it did.

    `pause_s` is the range of seconds between two deeds, and `messages` have to be answered in between (`answered`
    counts), so that mail gets through on a busy machine too; after `most` deeds (0: never) it rests at the end of a
    turn.
    """

    gateway: GatewayProcess
    sink: SinkServer
    disk: Disk
    chance: random.Random
    pause_s: tuple[float, float]
    answered: Callable[[], int]
    messages: int = 0
    most: int = 0
    done: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        assert self._thread is not None
        self._thread.join(120)

    @property
    def deeds(self) -> int:
        """How many things were done so far."""
        return sum(self.done.values())

    @property
    def turn(self) -> tuple[Callable[[], None], ...]:
        """The things, in their order."""
        return (
            self.kill_a_child,
            self.kill_the_gateway,
            self.kill_a_child,
            self.restart_the_next_hop,
            self.kill_a_child,
            self.fill_the_disk,
            self.kill_a_child,
            self.turn_the_disk_read_only,
        )

    def _run(self) -> None:
        try:
            while not self._is_over.is_set() and self.deeds < (self.most or math.inf):
                for deed in self.turn:
                    self._pause()
                    if self._is_over.is_set():
                        return
                    deed()
                    self.done[deed.__name__] += 1
        except BaseException as error:
            self.failure = error

    def _pause(self) -> None:
        wanted, end = self.answered() + self.messages, time.monotonic() + _LONGEST_PAUSE_S
        time.sleep(self.chance.uniform(*self.pause_s))
        while self.answered() < wanted and time.monotonic() < end and not self._is_over.is_set():
            time.sleep(0.1)

    def _start(self) -> None:
        """Start the gateway, again if it ends at once: a machine that is busy enough has no worker ready in time."""
        for attempt in range(5):
            try:
                self.gateway.start()
            except AssertionError:
                if attempt == 4:
                    raise
                self.gateway.kill()
            else:
                return

    def kill_the_gateway(self) -> None:
        """kill -9 of the process that serves, and start it anew."""
        self.gateway.kill()
        self._start()

    def kill_a_child(self) -> None:
        """kill -9 of one of its processes for texts or attachments; it has to look after itself."""
        children = self.gateway.process_ids()[1:]
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.chance.choice(children), signal.SIGKILL)

    def restart_the_next_hop(self) -> None:
        """Cut every connection of the next hop, and take none for a while."""
        self.sink.stop()
        time.sleep(self.chance.uniform(*self.pause_s))
        self.sink.start()

    def fill_the_disk(self) -> None:
        """No room for a while; now and then the gateway is killed in that time."""
        self.disk.fill()
        time.sleep(self.chance.uniform(*self.pause_s))
        if self.chance.random() < 0.5:
            self.gateway.kill()
            self.disk.free()
            self._start()
        self.disk.free()

    def turn_the_disk_read_only(self) -> None:
        """Nothing can be written for a while; then somebody comes, mends the disk and starts the gateway."""
        self.disk.turn_read_only()
        time.sleep(self.chance.uniform(*self.pause_s))
        self.gateway.kill()
        self.disk.repair(lambda: time.sleep(self.chance.uniform(*self.pause_s)))
        self._start()
