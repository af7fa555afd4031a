"""What processes cost, read from /proc: CPU seconds with everything reaped, and memory as proportional set size.

Not a sampler: two readings and their difference. Linux only (proc(5)). Used by the benchmarks that start servers.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_FIRST_FIELD = 3  # of /proc/PID/stat after the name in brackets


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """CPU seconds, user and system, of the process, its living descendants, and those that they have reaped."""
    ticks = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(fields[number - _FIRST_FIELD]) for number in (14, 15, 16, 17))
    return ticks / _TICKS_A_SECOND


def memory_mb(pid: int) -> tuple[float, float]:
    """Memory of the process and its descendants in MB (10^6 bytes): proportional (PSS), and summed up (RSS).

    PSS divides a page by the number of processes that map it, strangers too, so it is a little low beside other Python
    processes; RSS counts a shared page once for each process and is the upper bound.
    """
    kibibytes = {"Pss:": 0, "Rss:": 0}
    for one in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                name, *rest = line.split()
                if name in kibibytes:
                    kibibytes[name] += int(rest[0])
    return kibibytes["Pss:"] * 1024 / 1e6, kibibytes["Rss:"] * 1024 / 1e6
