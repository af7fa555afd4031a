"""How many records the store makes durable in a second, beside the bare append and fdatasync of the same disk.

Run: python bench/archive.py [--records N] [--size BYTES] [--path FOLDER]. Rounds of both are interleaved, because a
shared disk has moods; compare the medians of the rounds and their ratio. A record is filed in two forms (received and
delivered), compressed, hashed and committed with synchronous=FULL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
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


def appended(folder: Path, texts: list[bytes]) -> float:
    """Records a second of one writer that appends and calls fdatasync for each."""
    handle = os.open(folder / "append", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    begin = time.perf_counter()
    for text in texts:
        os.write(handle, text)
        os.fdatasync(handle)
    elapsed = time.perf_counter() - begin
    os.close(handle)
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
    rates: dict[str, list[float]] = {"append": []} | {str(writers): [] for writers in WRITERS}
    cpus: dict[int, list[float]] = {writers: [] for writers in WRITERS}
    number = 0
    with tempfile.TemporaryDirectory(dir=chosen.path) as name:
        folder = Path(name)
        async with await Store.open(folder / "var", is_gateway=True) as store:
            for _ in range(chosen.rounds):
                texts = [mail(index, chosen.size) for index in range(chosen.records)]
                rates["append"].append(appended(folder, texts))
                for writers in WRITERS:
                    records = [record(number + index, text) for index, text in enumerate(texts)]
                    number += len(records)
                    rate, cpu = await filed(store, records, writers)
                    rates[str(writers)].append(rate)
                    cpus[writers].append(cpu)
            assert len(await store.records()) == number
            begin = time.perf_counter()
            verification = await store.verify()
            assert not verification.damages
            verified = verification.bodies / (time.perf_counter() - begin)
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores; "
          f"{chosen.size} bytes a record, {chosen.records} records, {chosen.rounds} rounds, medians")  # fmt: skip
    base = statistics.median(rates["append"])
    print(f"{'append + fdatasync':<22}{base:>8.0f} records/s")
    for writers in WRITERS:
        rate = statistics.median(rates[str(writers)])
        cpu = statistics.median(cpus[writers])
        print(
            f"{f'store, {writers} writers':<22}{rate:>8.0f} records/s{rate / base:>8.2f} x{cpu:>8.2f} CPU ms a record"
        )
    print(f"{'verify':<22}{verified:>8.0f} bodies/s")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
