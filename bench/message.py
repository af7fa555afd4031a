"""What reading a message costs: CPU and memory of `parse`, beside reading and hashing the same bytes.

Run as `python bench/message.py [FOLDER]`; the default folder is `mime/dev` of the shared data (`PRACTICUM_DATA`).
The baseline runs in the same process on the same bytes; trust CPU milliseconds and the ratio, not wall clocks.
"""

from __future__ import annotations

import gc
import hashlib
import os
import resource
import statistics
import sys
import time
import tracemalloc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.message.parse import parse  # noqa: E402 (the checkout need not be installed)

REPEATS = 3
MEGABYTE = 1_000_000
HEAD = b"From: a@b.example\r\nTo: c@d.example\r\n"
HOSTILE = {
    "html <": (b"Content-Type: text/html", b"<"),
    "html <div>": (b"Content-Type: text/html", b"<div>"),
    "html <a><b><p>": (b"Content-Type: text/html", b"<a><b><p>"),
    "html <!--": (b"Content-Type: text/html", b"<!--"),
    "plain >": (b"Content-Type: text/plain", b">"),
    "plain From: a": (b"Content-Type: text/plain", b"From: a\r\n"),
    "plain On … wrote:": (b"Content-Type: text/plain", b"On Mon 12:30 wrote:\r\n"),
    "boundaries": (b"Content-Type: multipart/mixed; boundary=b", b"--bx\r\n"),
    "delimiters": (b"Content-Type: multipart/mixed; boundary=b", b"--b\r\n"),
    "To: a:;,": (b"To: ", b"a:;,"),
}


def cpu_ms(work: object, raw: bytes) -> float:
    """The least CPU time in ms of a few runs."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time_ns()
        work(raw)  # type: ignore[operator]
        best = min(best, (time.process_time_ns() - start) / 1e6)
    return best


def corpus(folder: Path) -> None:
    files = sorted(folder.glob("*.eml"))
    if not files:
        print(f"no messages in {folder}: set PRACTICUM_DATA")
        return
    costs, base, sizes, peaks = [], 0.0, 0, []
    for file in files:
        start = time.process_time_ns()
        hashlib.sha256(file.read_bytes()).digest()
        base += (time.process_time_ns() - start) / 1e6
        raw = file.read_bytes()
        sizes += len(raw)
        costs.append(cpu_ms(parse, raw))
    for file in files:
        raw = file.read_bytes()
        gc.collect(0)
        tracemalloc.start()
        parse(raw)
        peaks.append((tracemalloc.get_traced_memory()[1], len(raw)))
        tracemalloc.stop()
    total = sum(costs)
    print(f"{len(files)} messages, {sizes / 1e6:.1f} MB")
    print(f"CPU ms a message: median {statistics.median(costs):.2f}, max {max(costs):.1f}, all {total:.0f}")
    print(f"baseline, read and SHA-256 of the same files: {base:.0f} ms; parse is {total / base:.1f} times that")
    peak, size = max(peaks)
    print(f"peak memory of one parse: {peak / 1e6:.1f} MB, for a message of {size / 1e6:.2f} MB")
    print(f"peak of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def hostile() -> None:
    print("\nhostile, CPU ms at 0.25 MB and 1 MB (linear: 4 times)")
    for name, (field, unit) in HOSTILE.items():
        times = []
        for size in (MEGABYTE // 4, MEGABYTE):
            body = (unit * (size // len(unit) + 1))[:size]
            raw = HEAD + field + (b"" if name.startswith("To") else b"\r\n\r\n") + body
            times.append(cpu_ms(parse, raw))
        print(f"  {name:<20} {times[0]:8.1f} {times[1]:8.1f}   x{times[1] / max(times[0], 0.01):.1f}")


if __name__ == "__main__":
    data = Path(os.environ.get("PRACTICUM_DATA") or ROOT.parent / "shared" / "data")
    corpus(Path(sys.argv[1]) if len(sys.argv) > 1 else data / "mime" / "dev")
    hostile()
