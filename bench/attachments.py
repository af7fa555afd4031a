"""CPU, wall-clock time and memory of opening each kind of attachment, in a process as the gateway's own.

    .venv/bin/python -m bench.attachments [NAME …]

The samples are those of the tests (LibreOffice, qpdf and zip make them). Beside each: the size, the characters and what
was found. The baseline of the same run is a text of one line, which is what a process costs by itself. Exit 1 if a
sample needs more than 10 s or 512 MB.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.content.documents import process
from gateway.content.documents.limits import DEFAULT
from gateway.content.documents.model import AnswerInvalid, Document, Opened, pack_question, unpack_answer
from tests.documents.corpus import hostile_files, office_files, packed_files

GOAL_S, GOAL_MB = 10.0, 512.0
TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one opening took: the least CPU and wall-clock of some runs, the largest memory."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    opened: Opened | None


def main() -> int:
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        office = office_files(Path(folder))
        packed = packed_files(Path(folder), office)
        hostile = hostile_files(office, packed)
    process.load_everything(DEFAULT)
    base = cost(b"hello")
    print(f"{'attachment':20} {'bytes':>9} {'CPU ms':>8} {'wall ms':>8} {'MB':>5} {'chars':>7}  found")
    show("(one line of text)", 5, base)
    worst = [base]
    for title, samples in (("made by programs", {**office, **packed}), ("hostile", hostile)):
        print(f"-- {title}")
        for name, content in samples.items():
            if wanted and name not in wanted:
                continue
            worst.append(cost(content))
            show(name, len(content), worst[-1])
    slowest, largest = max(entry.wall_s for entry in worst), max(entry.peak_mb for entry in worst)
    print(f"slowest {slowest:.1f} s (goal {GOAL_S:.0f}), largest {largest:.0f} MB (goal {GOAL_MB:.0f})")
    return int(slowest > GOAL_S or largest > GOAL_MB)


def show(name: str, size: int, entry: Cost) -> None:
    if entry.opened is None:
        chars, found = 0, "the process was ended: unscannable"
    else:
        chars = len(entry.opened.text)
        found = ", ".join([*entry.opened.troubles, *(picture.reason for picture in entry.opened.pictures)])
    cpu_ms, wall_ms = 1000 * entry.cpu_s, 1000 * entry.wall_s
    print(f"{name:20} {size:9} {cpu_ms:8.1f} {wall_ms:8.1f} {entry.peak_mb:5.0f} {chars:7}  {found}")


def cost(content: bytes) -> Cost:
    runs: list[Cost] = []
    while len(runs) < TIMES and sum(run.wall_s for run in runs) < 1.0:
        runs.append(_once(content))
    return Cost(
        cpu_s=min(run.cpu_s for run in runs),
        wall_s=min(run.wall_s for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
        opened=runs[-1].opened,
    )


def _once(content: bytes) -> Cost:
    ours, theirs = socket.socketpair()
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            process.serve(theirs, DEFAULT)
        finally:
            os._exit(0)
    theirs.close()
    document = Document(name="a", content_type="", encoding="binary", body=content, where="", part=())
    answer = b""
    with ours:
        try:
            ours.sendall(pack_question(document, frozenset()))
            answer = b"".join(iter(lambda: ours.recv(1 << 20), b""))
        except OSError:
            answer = b""
    used = os.wait4(pid, 0)[2]
    greeting = 4 + int.from_bytes(answer[:4], "big")
    try:
        opened = unpack_answer(answer[greeting + 4 :]) if len(answer) > greeting else None
    except AnswerInvalid:
        opened = None
    return Cost(
        cpu_s=used.ru_utime + used.ru_stime,
        wall_s=time.perf_counter() - started,
        peak_mb=used.ru_maxrss / 1024,
        opened=opened,
    )


if __name__ == "__main__":
    sys.exit(main())
