"""The store under kill -9, on a full disk, and with several processes at once.

What was acknowledged is there afterwards and proves sound. Real processes, and a real small file system, which needs
root to mount.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.archive import bodies, bucket
from gateway.archive.model import AuditEntry, Stage
from gateway.archive.store import Store
from gateway.holding.states import HoldState
from gateway.message.errors import MachineryFailed, StoreFull
from tests.integration import store_writer
from tests.unit.archive.records import NOON, a_hold, a_record, later

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("PRACTICUM_KILLS", "8"))  # `make torture-store` takes 200
SEED = int(os.environ.get("PRACTICUM_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
WRITERS = 32


@pytest.mark.timeout(3600)
def test_every_acknowledged_record_outlives_kill_9_at_random_moments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"PRACTICUM_SEED={SEED}")
    moments = random.Random(SEED)
    home, key = tmp_path / "var", tmp_path / "archive.key"
    writers = store_writer.Writers(home, key, WRITERS)
    for _ in range(KILLS):
        writers.start()
        time.sleep(moments.uniform(0.0, 0.25))
        writers.kill()
    writers.close()
    said = writers.said
    monkeypatch.setattr(bucket, "STRAY_AGE", timedelta(seconds=-5))  # nobody writes any more: what is left is a stray
    count = asyncio.run(store_writer.prove(home, key, said))
    print(f"{KILLS} kills, {WRITERS} writers: {len(said)} records acknowledged, {count} in the store, 0 missing")
    assert len(said) > KILLS
    with sqlite3.connect(home / "store.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        named = {row[0] for row in connection.execute("SELECT file FROM bodies WHERE file IS NOT NULL")}
    connection.close()
    assert {path.name for path in (home / "large").iterdir()} == named  # no row without bytes, no bytes without a row


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
            assert (await store.verify()).is_sound
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
    writers = store_writer.Writers(tmp_path, tmp_path.parent / "archive.key", 8)
    writers.start()
    try:
        asyncio.run(shell(tmp_path, refs))
        writers.wait_for_more()
    finally:
        writers.close()

    async def check() -> None:
        async with await Store.open(tmp_path) as store:
            assert [(await store.held(ref)).state for ref in refs] == [HoldState.RELEASED] * 20
            assert (await store.verify()).is_sound

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
