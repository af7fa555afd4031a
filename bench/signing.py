"""What notice and signature cost: CPU and memory of amend + DKIM (RSA-2048), beside reading and hashing the same bytes.

Run as `python bench/signing.py`. A 10 KB text and a 10 MB message with one attachment, both made here. The baseline is
SHA-256 over the bytes read from a file, in the same process; trust CPU milliseconds and the ratio, not wall clocks.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.amend.amend import amend  # noqa: E402
from gateway.amend.keys import Algorithm, new_key  # noqa: E402 (the checkout need not be installed)
from gateway.amend.notice import append_notice  # noqa: E402
from gateway.amend.signing import Signer  # noqa: E402
from gateway.amend.treatment import Amended, Signing, Treatment  # noqa: E402
from gateway.message.parse import parse  # noqa: E402
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission  # noqa: E402
from gateway.policy.load import load_pack  # noqa: E402
from gateway.policy.verdict import Action, Plan  # noqa: E402

REPEATS = 20
NOW = datetime.now(tz=UTC)
HEAD = (
    b"From: Ada Okafor <ada.okafor@agency.example>\r\nTo: Jordan <jordan.reyes@mail.example>\r\nSubject: Monday\r\n"
    b"Date: Mon, 5 Oct 2026 10:00:00 -0400\r\nMessage-ID: <1@agency.example>\r\nMIME-Version: 1.0\r\n"
)
TEXT_PART = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
LIMITS_MS = {"10 KB text": 3.0, "10 MB attachment": 60.0}
MAX_MEMORY = 2.5


def text_message(size: int) -> bytes:
    line = b"We meet on Monday at ten, in the office on King Street.\r\n"
    return HEAD + TEXT_PART + line * (size // len(line))


def attachment_message(size: int) -> bytes:
    octets = random.Random(7).randbytes(size * 3 // 4 * 76 // 78)
    attached = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return (
        HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' + TEXT_PART + b"The form is attached.\r\n"
        b"--b\r\nContent-Type: application/pdf; name=form.pdf\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=form.pdf\r\n\r\n" + attached + b"--b--\r\n"
    )


def least_cpu_ms(work: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        start = time.process_time_ns()
        work()
        best = min(best, (time.process_time_ns() - start) / 1e6)
    return best


def peak_ratio(work: Callable[[], object], size: int) -> float:
    """The most memory that Python held at one time, in sizes of the message, the message itself included."""
    gc.collect()
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return 1 + peak / size


def submission_of(raw: bytes) -> Submission:
    envelope = Envelope(
        mail_from="ada.okafor@agency.example", recipients=(Recipient(address="jordan.reyes@mail.example"),)
    )
    return Submission(id="bench", received_at=NOW, envelope=envelope, raw=raw, session=SessionFacts())


def main() -> None:
    notice = load_pack("renison-2013").notice("en")
    signer = Signer((new_key("agency.example", "s1", Algorithm.RSA),))
    sign = partial(signer.signature, at=NOW)
    plan = Plan(
        action=Action.DELIVER,
        client_files=("C-1",),
        notice=notice,
        remove_fields=(),
        stamp=None,
        tell_sender=False,
        tell_supervisor=False,
    )
    is_within = True
    with tempfile.TemporaryDirectory() as folder:
        for name, raw in (("10 KB text", text_message(10_000)), ("10 MB attachment", attachment_message(10_000_000))):
            file = Path(folder) / "message.eml"
            file.write_bytes(raw)
            repeats = REPEATS * 20 if len(raw) < 1_000_000 else REPEATS
            message, submission = parse(raw), submission_of(raw)

            def amend_and_sign() -> Amended:
                return amend(submission, message, plan, host_name="gateway.example", sign=sign)  # noqa: B023

            done = amend_and_sign()
            assert (done.treatment, done.signing) == (Treatment.APPENDED, Signing.SIGNED)
            del done
            base = least_cpu_ms(lambda: hashlib.sha256(file.read_bytes()).digest(), repeats)  # noqa: B023
            rows = {
                "read and hash": base,
                "parse": least_cpu_ms(lambda: parse(raw), repeats),  # noqa: B023
                "notice": least_cpu_ms(lambda: append_notice(message, notice), repeats),  # noqa: B023
                "signature": least_cpu_ms(lambda: sign(raw), repeats),  # noqa: B023
                "notice + DKIM": least_cpu_ms(amend_and_sign, repeats),
            }
            print(f"{name}: {len(raw):,} bytes")
            for row, cost in rows.items():
                print(f"  {row:14} {cost:8.2f} ms CPU  {cost / base:7.1f} x read and hash")
            peak = peak_ratio(amend_and_sign, len(raw))
            print(f"  {'memory':14} {peak:8.2f} x the message, which is one of them")
            is_within = is_within and rows["notice + DKIM"] <= LIMITS_MS[name]
            is_within = is_within and (peak <= MAX_MEMORY or len(raw) < 1_000_000)
    print("within the limits" if is_within else "NOT within the limits (3 ms, 60 ms, 2.5 x)")


if __name__ == "__main__":
    main()
