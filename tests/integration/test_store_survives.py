"""The store under kill -9, on a full disk, and with several processes at once.

What was acknowledged is there afterwards and proves sound. Real processes, and a real small file system, which needs
root to mount.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.archive import bodies
from gateway.archive.model import AuditEntry, Stage
from gateway.archive.states import MessageState
from gateway.archive.store import Store
from gateway.holding.states import HoldState
from gateway.message.errors import MachineryFailed, StoreFull
from tests.unit.archive.records import NOON, a_hold, a_record, later

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
KILLS = 25

# Files records from eight tasks as fast as it can and prints the id of each one that is acknowledged.
WRITER = """
import asyncio, os, random, sys
from pathlib import Path
from gateway.archive.store import Store
from tests.unit.archive.records import NOON, a_hold, a_record

async def write(store, task, run):
    for number in range(100_000):
        record_id = f"{run}-{task}-{number}"
        size = 700_000 if task == 0 else 5_000
        record = a_record(record_id, received=record_id.encode() + os.urandom(size))
        if task == 1:
            await store.hold(record, a_hold(record))
            word = "held"
        else:
            await store.file_sending(record)
            word = "sending"
            if number % 2:
                await store.mark_sent(record_id, 250, NOON)
                word = "sent"
        os.write(1, f"{record_id} {word}\\n".encode())

async def main(path, run):
    async with await Store.open(Path(path), is_gateway=True) as store:
        await store.recover(NOON)
        os.write(1, b"ready\\n")
        await asyncio.gather(*(write(store, task, run) for task in range(8)))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def writer(store: Path, run: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(store), run]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_every_acknowledged_record_outlives_kill_9_at_random_moments(tmp_path: Path) -> None:
    seed = int(os.environ.get("PRACTICUM_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"PRACTICUM_SEED={seed}")
    moments = random.Random(seed)
    acknowledged: dict[str, str] = {}
    for run in range(KILLS):
        process = writer(tmp_path, f"r{run}")
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + moments.uniform(0.0, 0.3)
        while time.monotonic() < deadline:
            line = process.stdout.readline()
            acknowledged |= dict([line.decode().split()])
        process.send_signal(signal.SIGKILL)
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith(b"\n"):
                acknowledged |= dict([line.decode().split()])
        process.wait()

    async def check() -> None:
        async with await Store.open(tmp_path, is_gateway=True) as store:
            await store.recover(NOON)
            stored = {record.id: record.state for record in await store.records()}
            assert (await store.verify()).damages == ()
            missing = set(acknowledged) - set(stored)
            assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged records are missing"
            assert MessageState.SENDING not in stored.values()
            wrong = [i for i, word in acknowledged.items() if word != "sending" and stored[i].value != word]
            assert wrong == []
            assert len(await store.holds()) == sum(state is MessageState.HELD for state in stored.values())
            last = max(acknowledged)
            assert (await store.body(last, Stage.RECEIVED)).startswith(last.encode())

    asyncio.run(check())
    assert len(acknowledged) > KILLS
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mounted)], check=False, capture_output=True, text=True
    )
    if mount.returncode != 0:
        pytest.skip("this system does not let root mount a tmpfs")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", str(mounted)], check=False)


@pytest.mark.parametrize("reserve_bytes", [0, None], ids=["no reserve", "default reserve"])
def test_on_a_full_disk_what_was_acknowledged_stays_and_the_rest_is_told_452(
    small_disk: Path, reserve_bytes: int | None
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    contents = {f"m-{number}": os.urandom(10_000) for number in range(400)}

    async def file(store: Store, record_id: str) -> int:
        try:
            await store.file_sending(a_record(record_id, received=contents[record_id]))
        except StoreFull as error:
            return error.reply.code
        return 250

    async def fill() -> list[str]:
        async with await Store.open(small_disk / "var", is_gateway=True, reserve_bytes=reserve_bytes) as store:
            taken = []
            for start in range(0, 400, 8):
                ids = [f"m-{number}" for number in range(start, start + 8)]
                results = await asyncio.gather(*(file(store, record_id) for record_id in ids))
                assert set(results) <= {250, 452}
                taken += [record_id for record_id, code in zip(ids, results, strict=True) if code == 250]
            assert 8 <= len(taken) < 400
            if reserve_bytes is None:  # the reserve keeps room for what must follow a filing
                for record_id in taken:
                    await store.mark_sent(record_id, 250, NOON)
                for number in range(200):
                    await store.write_audit(AuditEntry(at=NOON, who="r-lee", what="viewed", why=f"look {number}"))
            with pytest.raises(StoreFull):
                await store.file_sending(a_record("m-big", received=os.urandom(bodies.LARGE_BYTES * 12)))
            assert list((small_disk / "var" / "large").iterdir()) == []
            ballast.unlink()
            await store.file_sending(a_record("m-after", received=b"there is room again"))
            return [*taken, "m-after"]

    async def check(acknowledged: list[str]) -> None:
        async with await Store.open(small_disk / "var", is_gateway=True, reserve_bytes=0) as store:
            assert sorted(record.id for record in await store.records()) == sorted(acknowledged)
            assert (await store.verify()).damages == ()
            for record_id in acknowledged[:-1]:
                assert await store.body(record_id, Stage.RECEIVED) == contents[record_id]

    asyncio.run(check(asyncio.run(fill())))


def test_a_store_that_can_not_be_made_on_a_full_disk_says_so(small_disk: Path) -> None:
    with pytest.raises(OSError, match="space"):
        (small_disk / "ballast").write_bytes(b"x" * 5_000_000)
    with pytest.raises(StoreFull):
        asyncio.run(Store.open(small_disk / "var"))
    (small_disk / "ballast").unlink()

    async def check() -> None:
        async with await Store.open(small_disk / "var", reserve_bytes=0) as store:
            await store.file_sending(a_record())

    asyncio.run(check())


def test_a_disk_that_turns_read_only_is_451_and_works_again_afterwards(small_disk: Path) -> None:
    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(small_disk)], check=True)

    async def file(record_id: str) -> int:
        async with await Store.open(small_disk / "var", reserve_bytes=0) as store:
            await store.file_sending(a_record(record_id))
            return len(await store.records())

    assert asyncio.run(file("m-1")) == 1
    remount("ro")
    try:
        with pytest.raises(MachineryFailed):
            asyncio.run(file("m-2"))
    finally:
        remount("rw")
    assert asyncio.run(file("m-3")) == 2


def test_a_shell_decides_while_a_gateway_files(tmp_path: Path) -> None:
    async def shell(path: Path, refs: list[str]) -> None:
        async with await Store.open(path) as store:
            for ref in refs:
                await store.begin_release(ref, by="w-tremblay", why="fine", at=later(1))
                await store.finish_release(ref, at=later(2))

    async def prepare() -> list[str]:
        async with await Store.open(tmp_path) as store:
            drafts = [a_record(f"draft-{number}") for number in range(20)]
            for draft in drafts:
                await store.hold(draft, a_hold(draft))
            return [a_hold(draft).ref for draft in drafts]

    refs = asyncio.run(prepare())
    process = writer(tmp_path, "serving")
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        asyncio.run(shell(tmp_path, refs))
        assert process.stdout.readline()
    finally:
        process.kill()
        process.stdout.read()
        process.wait()

    async def check() -> None:
        async with await Store.open(tmp_path) as store:
            assert [(await store.held(ref)).state for ref in refs] == [HoldState.RELEASED] * 20
            assert (await store.verify()).damages == ()

    asyncio.run(check())


def test_two_processes_that_open_a_new_store_at_once_both_get_it(tmp_path: Path) -> None:
    opens = (
        "import asyncio, sys; from pathlib import Path; from gateway.archive.store import Store\n"
        "async def main():\n"
        "    async with await Store.open(Path(sys.argv[1])) as store: await store.records()\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", opens, str(tmp_path / "var")]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
