"""Message files to message files with the notice, for `notice apply`, in worker processes when there are many.

No policy is asked and nothing is filed. A message on which the notice can't stand is written as it was.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.amend.notice import append_notice
from gateway.message.parse import parse
from gateway.policy.verdict import Notice, Placement, Wrap

_FEW_FILES = 16
_CHUNK = 8
FAILED = "untouched-failed"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """The notice, and how it is put in."""

    notice: Notice
    placement: Placement = Placement.END
    wrap: Wrap = Wrap.NONE
    is_compulsory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one file: a treatment of `gateway.amend`, FAILED or UNREADABLE, and a word more on it."""

    file: str
    treatment: str
    detail: str = ""

    @property
    def is_fine(self) -> bool:
        """True unless there was a failure, of ours or of the disk."""
        return self.treatment not in {FAILED, UNREADABLE}


def apply_notices(files: Sequence[Path], out: Path, how: How) -> Iterator[Applied]:
    """Write each message to `out`, under its name; the results in the order of the files.

    A file that can't be read is told and not written. Raises OSError if `out` can't be written to.
    """
    work = partial(apply_notice, out=out, how=how)
    workers = min(len(os.sched_getaffinity(0)), len(files) // _FEW_FILES)
    if workers < 2:
        yield from map(work, files)
        return
    done = 0
    while done < len(files):
        try:
            with _pool(workers) as pool:
                for applied in pool.map(work, files[done:], chunksize=_CHUNK):
                    done += 1
                    yield applied
        except BrokenProcessPool:
            suspects = files[done : done + workers * _CHUNK]
            for file in suspects:
                done += 1
                yield _apply_alone(work, file, out)


def apply_notice(file: Path, *, out: Path, how: How) -> Applied:
    """Write one message; what was done. A failure of ours leaves the message as it was, and says so."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        return Applied(file=str(file), treatment=UNREADABLE, detail=error.strerror or "")
    try:
        message = parse(raw, notices=(how.notice.text, how.notice.ascii_text))
        amended = append_notice(
            message, how.notice, placement=how.placement, wrap=how.wrap, is_compulsory=how.is_compulsory
        )
        content, treatment, detail = amended.raw, amended.treatment.value, amended.detail
    except Exception as error:  # noqa: BLE001 - the guard around a message: it is written as it came, and counted
        content, treatment, detail = raw, FAILED, type(error).__name__
    _write(out / file.name, content)
    return Applied(file=str(file), treatment=treatment, detail=detail)


def _apply_alone(work: Callable[[Path], Applied], file: Path, out: Path) -> Applied:
    """The same in a process of its own, after one has died: the message that ends this one too is written as it was."""
    try:
        with _pool(1) as pool:
            return pool.submit(work, file).result()
    except BrokenProcessPool:
        _write(out / file.name, file.read_bytes())
        return Applied(file=str(file), treatment=FAILED, detail="the process died")


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none: half a message must not look like one."""
    try:
        path.write_bytes(content)
    except OSError:
        path.unlink(missing_ok=True)
        raise
