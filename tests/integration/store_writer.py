"""Processes that file records from many tasks as fast as they can, and what is left to prove after they were killed.

A nursery has everything imported and forks a writer for each run, so that what is killed is at work and not at its
start. The id and the word of each write that was acknowledged come through one pipe, a line in one write each. With
servers under it that are killed, a write that fails is tried no more and the next begins.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from gateway.archive.homes import Scaled
from gateway.archive.master import KeyFromFile
from gateway.archive.model import Stage
from gateway.archive.states import MessageState
from gateway.archive.store import Store
from gateway.message.errors import GatewayError
from tests.unit.archive.records import NOON, a_hold, a_record

ROOT = Path(__file__).resolve().parents[2]


def text_of(home: Path | Scaled) -> str:
    return str(home) if isinstance(home, Path) else json.dumps(asdict(home))


async def open_home(home: str, key: Path, *, is_gateway: bool = True) -> Store:
    if not home.startswith("{"):
        return await Store.open(Path(home), is_gateway=is_gateway, master=KeyFromFile(path=key))
    scaled = Scaled(**json.loads(home))
    return await Store.open_scaled(scaled, master=KeyFromFile(path=key), is_gateway=is_gateway)


class Writers:
    """A nursery, the writer that it has forked last, and all that was acknowledged."""

    def __init__(self, home: Path | Scaled, key: Path, tasks: int = 32) -> None:
        command = [sys.executable, "-m", "tests.integration.store_writer", text_of(home), str(key), str(tasks)]
        self._nursery = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.said: dict[str, str] = {}
        self.pid = 0
        self._heard = threading.Condition()
        self._runs = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self) -> None:
        """Fork a writer, and wait until it has filed something."""
        assert self._nursery.stdin is not None
        self.pid = 0
        self._runs += 1
        self._nursery.stdin.write(f"r{self._runs}\n".encode())
        self._nursery.stdin.flush()
        self.wait_for_more()

    def wait_for_more(self, timeout_s: float = 120) -> None:
        """Wait until one more write is acknowledged."""
        with self._heard:
            before = len(self.said)
            assert self._heard.wait_for(lambda: len(self.said) > before, timeout_s), "no write was acknowledged"

    def kill(self) -> None:
        """kill -9 to the writer; all that it said is heard when this returns."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            with self._heard:
                assert self._heard.wait_for(lambda: self.pid == 0, 60)

    def close(self) -> None:
        """Kill the writer, and end the nursery."""
        self.kill()
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait()

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            name, word = line.decode().split()
            with self._heard:
                if name == "ready":
                    self.pid = int(word)
                elif name == "ended":
                    self.pid = 0
                else:
                    self.said[name] = word
                self._heard.notify_all()


async def _write(store: Store, run: str, task: int) -> None:
    for number in range(100_000):
        record_id = f"{run}-{task}-{number}"
        size = 300_000 if task == 0 else 5_000  # the first task's are loose in a folder, too
        record = a_record(record_id, received=f"{record_id}\r\n".encode() + os.urandom(size))
        try:
            if task == 1:
                await store.hold(record, a_hold(record))
                _say(record_id, "held")
                continue
            await store.file_sending(record)
            _say(record_id, "sending")
            if number % 2:
                await store.mark_sent(record_id, 250, datetime.now(tz=UTC))
                _say(record_id, "sent")
        except GatewayError:
            await asyncio.sleep(0.05)


def _say(record_id: str, word: str) -> None:
    os.write(1, f"{record_id} {word}\n".encode())


async def _run(home: str, key: str, run: str, tasks: int) -> None:
    async with await open_home(home, Path(key)) as store:
        await store.recover(NOON)
        _say("ready", str(os.getpid()))
        await asyncio.gather(*(_write(store, run, task) for task in range(tasks)))


def main(home: str, key: str, tasks: str) -> None:
    """The nursery: a writer for each line that it reads, until there are no more."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                asyncio.run(_run(home, key, line.strip(), int(tasks)))
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        _say("ended", str(pid))


async def prove(home: Path | Scaled, key: Path, said: dict[str, str]) -> int:
    """Every acknowledged record is there, reads as it was filed and verifies; how many records there are."""
    async with await open_home(text_of(home), key, is_gateway=True) as store:
        await store.recover(NOON)
        await store.sweep()
        stored = {record.id: record.state for record in await store.records()}
        proof = await store.verify()
        assert proof.is_sound, (proof.damages[:5], proof.breaks[:5])
        missing = set(said) - set(stored)
        assert not missing, f"{len(missing)} of {len(said)} acknowledged records are missing"
        if not store.is_shared:
            assert MessageState.SENDING not in stored.values()
        wrong = [name for name, word in said.items() if word != "sending" and stored[name].value != word]
        assert wrong == []
        assert len(await store.holds()) == sum(state is MessageState.HELD for state in stored.values())
        for name in sorted(said)[-3:]:
            assert (await store.body(name, Stage.RECEIVED)).startswith(f"{name}\r\n".encode())
        return len(stored)


if __name__ == "__main__":
    main(*sys.argv[1:])
