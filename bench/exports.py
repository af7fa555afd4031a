"""What an export costs: CPU and wall time, memory and bytes for growing files, beside copying the messages out.

Run: python bench/exports.py [COUNT…]   (100 and 500 if none is given; 5000 takes about twenty minutes on two cores)

The messages are those of the shared data, spread evenly (over and over beyond their number). Baseline in the same run:
the same file as .eml. Linear growth shows in the column of milliseconds a message, which should not rise.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.archive.export.eml import export_eml  # noqa: E402
from gateway.archive.export.printed import export_pdf  # noqa: E402
from gateway.archive.store import Store  # noqa: E402
from tests.shared_data import data_dir  # noqa: E402
from tests.unit.archive.records import a_record  # noqa: E402

_START = datetime(2026, 1, 1, tzinfo=UTC)


def cpu_s() -> float:
    """CPU seconds of this process and of those that it has ended."""
    ours, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


async def fill(store: Store, count: int) -> None:
    paths = sorted(data_dir("mime/dev").glob("*.eml"))
    records = []
    for number in range(count):
        content = paths[int(number * max(len(paths) / count, 1)) % len(paths)].read_bytes()
        record = a_record(f"m-{number:06d}", received=content, delivered=content)
        records.append(replace(record, received_at=_START + timedelta(minutes=number)))
    for start in range(0, count, 100):
        await asyncio.gather(*(store.file_sending(record) for record in records[start : start + 100]))
        marks = [store.mark_sent(record.id, 250, record.received_at) for record in records[start : start + 100]]
        await asyncio.gather(*marks)


async def measure(count: int, form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        async with await Store.open(base / "var", reserve_bytes=0) as store:
            await fill(store, count)
            make = export_pdf if form == "pdf" else export_eml
            started, before = time.monotonic(), cpu_s()
            done = await make(store, "C-1042", base / "out", by="bench", purpose="measure", at=_START)
            wall, cpu = time.monotonic() - started, cpu_s() - before
        size = sum(path.stat().st_size for path in ([base / "out"] if form == "pdf" else (base / "out").iterdir()))
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        f"{form:>4} {count:>6} messages  {cpu:8.1f} CPU s  {wall:8.1f} s  {1000 * cpu / count:7.1f} CPU ms a message  "
        f"{peaks[0]:6.0f} MB here  {peaks[1]:6.0f} MB largest printer  {size / 1e6:8.1f} MB made"
    )
    for note in done.notes:
        print(f"     {note}")


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [100, 500]
    for count in counts:
        for form in ("eml", "pdf"):
            child = os.fork()  # a process of its own, or the peak of one would be that of the next
            if child == 0:
                asyncio.run(measure(count, form))
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                sys.exit("a measurement failed")


if __name__ == "__main__":
    main()
