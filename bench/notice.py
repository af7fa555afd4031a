"""What the notice costs, as ratios to reading and hashing the same bytes, and the judge's score.

Run as `python bench/notice.py`. The judge runs where the shared data lies (PRACTICUM_DATA or `../shared/data`).
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.amend.notice import append_notice
from gateway.message.parse import parse
from gateway.policy.verdict import Notice, Wrap
from tests.unit.amend.notices import ENGLISH, ENGLISH_PHRASE, FRENCH, FRENCH_PHRASE

_HEAD = (
    b"From: Ada <ada@agency.example>\r\nTo: c@mail.example\r\nSubject: Monday\r\n"
    b"Date: Mon, 1 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@agency.example>\r\nMIME-Version: 1.0\r\n"
)


def plain_message(size: int) -> bytes:
    line = b"Can we meet on Monday at ten, in the same room as the last time?\r\n"
    return _HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + line * (size // len(line))


def alternative_message(size: int) -> bytes:
    line = b"Can we meet on Monday at ten, in the same room as the last time?"
    count = max(1, size // (2 * len(line) + 20))
    return (
        _HEAD
        + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        + b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + (line + b"\r\n") * count
        + b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n"
        + (b"<p>" + line + b"</p>\r\n") * count
        + b"</body></html>\r\n--b--\r\n"
    )


def attachment_message(size: int) -> bytes:
    attachment = base64.encodebytes(os.urandom(size * 3 // 4)).replace(b"\n", b"\r\n")
    return (
        _HEAD
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\n"
        + b'Content-Type: application/pdf; name="f.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        + b'Content-Disposition: attachment; filename="f.pdf"\r\n\r\n'
        + attachment
        + b"--b--\r\n"
    )


def cpu_ms(work: Callable[[], object], seconds: float = 0.7) -> float:
    """The least CPU milliseconds of one call, over as many calls as fit."""
    best, end = float("inf"), time.process_time() + seconds
    while time.process_time() < end:
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best * 1000


def read_and_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def peak_ratio(raw: bytes) -> float:
    """Peak memory while the message is parsed and amended, the message itself included, in message sizes."""
    tracemalloc.start()
    append_notice(parse(raw), FRENCH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak + len(raw)) / len(raw)


def costs(folder: Path) -> None:
    print("message                bytes   read+hash ms  parse ms  notice ms  notice/base  peak MB  peak/message")
    samples = {
        "plain 10 KB": plain_message(10_000),
        "alternative 10 KB": alternative_message(10_000),
        "plain 1 MB": plain_message(1_000_000),
        "attachment 10 MB": attachment_message(10_000_000),
        "attachment 50 MB": attachment_message(50_000_000),
    }
    for name, raw in samples.items():
        path = folder / "m.eml"
        path.write_bytes(raw)
        message = parse(raw)
        base, read = cpu_ms(lambda path=path: read_and_hash(path)), cpu_ms(lambda raw=raw: parse(raw))
        notice = cpu_ms(lambda message=message: append_notice(message, FRENCH))
        peak = peak_ratio(raw)
        print(
            f"{name:18} {len(raw):9} {base:14.3f} {read:9.2f} {notice:10.2f} {notice / base:12.1f}"
            f" {peak * len(raw) / 1e6:8.1f} {peak:13.2f}"
        )


def judge(folder: Path, data: Path, notice: Notice, phrase: str, wrap: Wrap = Wrap.NONE) -> None:
    originals = data / "mime" / "dev"
    out = folder / f"{notice.language}-{wrap}"
    out.mkdir()
    start = time.process_time()
    for path in sorted(originals.glob("*.eml")):
        (out / path.name).write_bytes(append_notice(parse(path.read_bytes()), notice, wrap=wrap).raw)
    seconds = time.process_time() - start
    command = [sys.executable, data.parent / "tools" / "judge_notices.py", originals, out, phrase]
    command += ["--manifest", data / "mime" / "manifest.jsonl", "--list"]
    answer = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    failed = [line for line in answer.stdout.splitlines() if ".eml " in line]
    title = f"\n{notice.language}, wrap: {wrap}: {seconds:.1f} s CPU for all"
    print("\n".join([title, *(failed if wrap is Wrap.NONE else ()), *answer.stdout.splitlines()[-3:]]))


def main() -> None:
    data = Path(os.environ.get("PRACTICUM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    with tempfile.TemporaryDirectory() as name:
        costs(Path(name))
        if (data.parent / "tools" / "judge_notices.py").exists():
            judge(Path(name), data, ENGLISH, ENGLISH_PHRASE)
            judge(Path(name), data, FRENCH, FRENCH_PHRASE)
            # A wrapped attachment takes its Content-Disposition inside (ADR 0010): the judge calls that a field lost.
            judge(Path(name), data, FRENCH, FRENCH_PHRASE, Wrap.BOTH)
        else:
            print("the judge did not run: shared data is absent")


if __name__ == "__main__":
    main()
