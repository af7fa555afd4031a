"""Message files to message files with the notice, for `notice apply`, in worker processes when there are many.

No policy is asked and nothing is filed. A message on which the notice can't stand is written as it was.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from gateway.amend.notice import append_notice
from gateway.message.parse import parse
from gateway.policy.verdict import Notice

_FEW_FILES = 16
FAILED = "untouched_failed"


def apply_notices(files: Sequence[Path], out: Path, notice: Notice) -> Iterator[tuple[str, str]]:
    """Write each message to `out` with the notice; (file, treatment) in the order of the files."""
    work = partial(apply_notice, out=out, notice=notice)
    workers = min(len(os.sched_getaffinity(0)), len(files) // _FEW_FILES)
    if workers < 2:
        yield from map(work, files)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        yield from pool.map(work, files, chunksize=8)


def apply_notice(file: Path, *, out: Path, notice: Notice) -> tuple[str, str]:
    """Write one message; the file and what was done. A failure of ours leaves the message as it was, and says so."""
    raw = file.read_bytes()
    try:
        amended = append_notice(parse(raw, notices=(notice.text, notice.ascii_text)), notice)
        content, treatment = amended.raw, amended.treatment.value
    except Exception:  # noqa: BLE001 - the guard around a message: it is written as it came, and counted
        content, treatment = raw, FAILED
    (out / file.name).write_bytes(content)
    return str(file), treatment
