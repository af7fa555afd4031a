"""What judging a corpus costs: time and memory of `check --json` over every message, beside reading and parsing alone.

Run as `python bench/check_corpus.py [FOLDER]`; the default folder is `mime/dev` of the shared data (`PRACTICUM_DATA`).
First the command as an administrator runs it, in processes of its own; then the same judgement in this process message
by message, because only that tells the slowest. The first judgement of all loads the models, so a second pass follows.
The people are made from the corpus itself (`_corpus.py`).
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from _corpus import ROOT, configuration
from _processes import cpu_seconds, memory_mb

from gateway.cli.judging import FileJudge, Given
from gateway.message.parse import parse
from gateway.service.configuration import load_configuration

GOAL_S = 10.0
LOOK_S = 0.2


def command(folder: Path, files: list[Path]) -> None:
    """`check --json` over all files in one call: verdicts, wall and CPU seconds, the most memory at one time."""
    start, peak_mb, cpu_s = time.monotonic(), 0.0, 0.0
    with (folder / "lines").open("w+") as lines:
        words = [sys.executable, "-m", "gateway", "check", "--json", "--config", str(folder), *map(str, files)]
        process = subprocess.Popen(words, cwd=ROOT, stdout=lines, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            peak_mb = max(peak_mb, memory_mb(process.pid)[0])
            cpu_s = max(cpu_s, cpu_seconds(process.pid))
            time.sleep(LOOK_S)
        lines.seek(0)
        found = [json.loads(line) for line in lines]
    print(f"check --json: exit {process.returncode}, {len(found)} lines for {len(files)} messages")
    print(f"  {time.monotonic() - start:.0f} s, {cpu_s:.0f} CPU s, at most {peak_mb:.0f} MB in all its processes")
    for key in ("direction", "verdict"):
        print(f"  {key}: " + ", ".join(f"{value} {count}" for value, count in Counter(x[key] for x in found).items()))


def one_by_one(name: str, work: Callable[[Path], object], files: list[Path]) -> float:
    """CPU and wall of each message in this process; the slowest wall in seconds."""
    cpu_ms, wall_ms = [], []
    for file in files:
        start, cpu = time.perf_counter(), time.process_time()
        work(file)
        cpu_ms.append((time.process_time() - cpu) * 1000)
        wall_ms.append((time.perf_counter() - start) * 1000)
    slowest = files[wall_ms.index(max(wall_ms))]
    print(
        f"{name:<20}{statistics.median(cpu_ms):>10.2f}{statistics.quantiles(cpu_ms, n=100)[98]:>10.1f}"
        f"{max(cpu_ms):>10.0f}{max(wall_ms):>10.0f}{sum(cpu_ms) / 1000:>10.1f}   {slowest.name}"
    )
    return max(wall_ms) / 1000


def main() -> None:
    """Measure and print."""
    data = Path(os.environ.get("PRACTICUM_DATA") or ROOT.parent / "shared" / "data")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else data / "mime" / "dev"
    files = sorted(folder.glob("*.eml"))
    if not files:
        print(f"no messages in {folder}: set PRACTICUM_DATA")
        return
    today = datetime.now().astimezone().date()
    with tempfile.TemporaryDirectory(prefix="practicum-bench-") as work:
        configuration(Path(work), files, today)
        command(Path(work), files)
        judge = FileJudge(load_configuration(Path(work)), Given(), today)
        print(
            f"\n{'one by one, ms':<20}{'median':>10}{'p99':>10}{'max CPU':>10}{'max wall':>10}{'all, s':>10}   slowest"
        )
        one_by_one("read", Path.read_bytes, files)
        one_by_one("read and parse", lambda file: parse(file.read_bytes()), files)
        before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        slowest_s = one_by_one("judge, models cold", judge.judge, files)
        one_by_one("judge, models warm", judge.judge, files)
        after_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"memory of this process: {before_mb:.0f} MB before judging, {after_mb:.0f} MB at its highest")
    print(f"{'kept  ' if slowest_s <= GOAL_S else 'MISSED'} slowest message: {slowest_s:.2f} s, at most {GOAL_S:g}")


if __name__ == "__main__":
    main()
