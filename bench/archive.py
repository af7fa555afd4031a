"""How many records the store makes durable in a second, beside the raw limits of the same disk in the same run.

Run: python bench/archive.py [--records N] [--rounds N] [--size BYTES] [--path FOLDER]. The limits are one writer that
appends and calls fdatasync, and N writers that write one file each (write, fsync, rename, fsync of the folder: what a
mail queue does). Rounds of all are interleaved, because a shared disk has moods: a ratio is taken in each round, and
the median of the ratios is told. A record is filed in two forms (received and delivered), compressed, hashed, sealed,
entered in the ledger and committed with synchronous=FULL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from gateway.archive.model import Record
from gateway.archive.store import Store
from gateway.content.finding import Finding, Matter
from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.people.model import Direction
from gateway.policy.verdict import Action, Reason, Verdict

WRITERS = (1, 8, 32)
WORDS = b"could we meet on thursday at two instead of wednesday and bring the form that we spoke of please ".split()


def mail(number: int, size: int) -> bytes:
    """Text that compresses about as mail does (2 to 3 times)."""
    noise = os.urandom(size // 4).hex().encode()
    lines = [b"From: ada.okafor@agency.example\r\nSubject: %d\r\n\r\n" % number]
    for start in range(0, len(noise), 36):
        words = b" ".join(WORDS[byte % len(WORDS)] for byte in noise[start : start + 6])
        lines.append(words + b" " + noise[start : start + 36] + b"\r\n")
    return b"".join(lines)[:size]


def record(number: int, text: bytes) -> Record:
    finding = Finding(matter=Matter.PERSONAL_CONTACT, where="body", start=1, end=5, text="text")
    reason = Reason(rule="tip.warmth", clause="GEN-1", action=Action.NOTE, finding=finding)
    return Record(
        id=f"bench-{number:08d}",
        received_at=datetime.now(UTC),
        direction=Direction.OUTBOUND,
        client_files=("C-1042",),
        worker_id="s-okafor",
        envelope=Envelope(
            mail_from="ada.okafor@agency.example", recipients=(Recipient(address="jordan.reyes@mail.example"),)
        ),
        session=SessionFacts(client_ip="192.0.2.7", login="aokafor"),
        received=text,
        delivered=text + b"-- \r\nThis message is kept in your file.\r\n",
        verdict=Verdict(action=Action.NOTE, policy="renison-2013@1", digest="0" * 64, reasons=(reason,), recipients=()),
        treatment="appended",
        notice_language="en",
    )


def appended(folder: Path, texts: list[bytes]) -> tuple[float, float]:
    """Records a second of one writer that appends and calls fdatasync for each, and its CPU milliseconds a record."""
    handle = os.open(folder / "append", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    begin, cpu = time.perf_counter(), time.process_time()
    for text in texts:
        os.write(handle, text)
        os.fdatasync(handle)
    elapsed = time.perf_counter() - begin
    os.close(handle)
    return len(texts) / elapsed, (time.process_time() - cpu) / len(texts) * 1000


def one_file_each(folder: Path, texts: list[bytes], writers: int) -> float:
    """Records a second of so many writers that make each a file of its own durable."""
    folder.mkdir(exist_ok=True)

    def write(number: int) -> None:
        partial = folder / f"{number}.partial"
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(handle, texts[number])
        os.fsync(handle)
        os.close(handle)
        partial.rename(folder / str(number))
        names = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(names)
        os.close(names)

    begin = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(len(texts))))
    elapsed = time.perf_counter() - begin
    shutil.rmtree(folder)
    return len(texts) / elapsed


async def filed(store: Store, records: list[Record], writers: int) -> tuple[float, float]:
    """Records a second of so many writers at once, and CPU milliseconds a record (user and system)."""
    waiting = iter(records)

    async def write() -> None:
        for entry in waiting:
            await store.file_sending(entry)

    begin, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(write() for _ in range(writers)))
    elapsed = time.perf_counter() - begin
    return len(records) / elapsed, (time.process_time() - cpu) / len(records) * 1000


async def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=1000, help="records a round and number of writers")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--size", type=int, default=10_000, help="bytes of the received form")
    arguments.add_argument("--path", type=Path, help="a folder on the disk to measure (default: the temporary one)")
    chosen = arguments.parse_args()
    appends: list[float] = []
    disk_cpus: list[float] = []
    files: dict[int, list[float]] = {writers: [] for writers in WRITERS}
    rates: dict[int, list[float]] = {writers: [] for writers in WRITERS}
    cpus: dict[int, list[float]] = {writers: [] for writers in WRITERS}
    number = 0
    with tempfile.TemporaryDirectory(dir=chosen.path) as name:
        folder = Path(name)
        async with await Store.open(folder / "var", is_gateway=True) as store:
            for _ in range(chosen.rounds):
                texts = [mail(index, chosen.size) for index in range(chosen.records)]
                rate, cpu = appended(folder, texts)
                appends.append(rate)
                disk_cpus.append(cpu)
                for writers in WRITERS:
                    files[writers].append(one_file_each(folder / "files", texts, writers))
                    records = [record(number + index, text) for index, text in enumerate(texts)]
                    number += len(records)
                    rate, cpu = await filed(store, records, writers)
                    rates[writers].append(rate)
                    cpus[writers].append(cpu)
            assert len(await store.records()) == number
            begin = time.perf_counter()
            verification = await store.verify()
            assert verification.is_sound
            verified = verification.bodies / (time.perf_counter() - begin)
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores; "
          f"{chosen.size} bytes a record, {chosen.records} records, {chosen.rounds} rounds, medians")  # fmt: skip
    print(
        f"{'append + fdatasync':<22}{statistics.median(appends):>8.0f} records/s"
        f"{statistics.median(disk_cpus):>48.2f} CPU ms a record"
    )
    for writers in WRITERS:
        told = statistics.median(files[writers])
        print(f"{f'one file each, {writers}':<22}{told:>8.0f} records/s")
    for writers in WRITERS:
        of_append = statistics.median(ours / raw for ours, raw in zip(rates[writers], appends, strict=True))
        of_files = statistics.median(ours / raw for ours, raw in zip(rates[writers], files[writers], strict=True))
        print(
            f"{f'store, {writers} writers':<22}{statistics.median(rates[writers]):>8.0f} records/s"
            f"{of_append:>8.2f} x append{of_files:>8.2f} x one file each"
            f"{statistics.median(cpus[writers]):>8.2f} CPU ms a record"
        )
    print(f"{'verify':<22}{verified:>8.0f} bodies/s")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
