"""Milter conversations as text, played against the real door.

A transcript is a line a packet: `C:` the mail server sends it, `S:` the door answers it; the command letter, then the
arguments with escapes as in Python. `C*` sends these octets as they are, `C-` closes, `S-` the door closes, `S+ p a` it
answers p once or more and then a. `%` sets something for the whole transcript (handle, and numbers of the door's
settings), `#` is a remark, `@session` stands for the usual beginning, `@message` for a whole message up to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.amend.headers import received_field
from gateway.doors.milter_settings import MilterTimeouts
from gateway.doors.smtp_settings import Handle
from gateway.message.errors import MachineryFailed
from gateway.message.limits import Limits
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from tests.integration.milter_doors import MtaSide, running_milter
from tests.integration.servers import wait_until

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
SESSION = r"""
C: O \0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff
S: O \0\0\0\x06\0\0\0\x13\0\x1f\x33\x80
C: C client.example\x004\x04\x01192.0.2.7\0
C: H client.example\0
"""
MESSAGE = r"""
C: M <ada@agency.example>\0
S: c
C: R <jo@mail.example>\0
S: c
C: L Subject\0 Hi\0
C: N
C: B Hello.\r\n
C: E
"""


async def deliver(submission: Submission, delivery: Delivery) -> Reply:
    return await delivery.deliver(submission.raw)


async def amend(submission: Submission, delivery: Delivery) -> Reply:
    on_top = b"X-Stamp: one\r\n two\r\n" + received_field(submission, "gateway.example")
    return await delivery.deliver(on_top + submission.raw + b"-- \r\nA notice.\r\n")


async def hold(submission: Submission, delivery: Delivery) -> Reply:
    await delivery.abandon()
    return reply("held", ref=submission.id)


async def forget(submission: Submission, delivery: Delivery) -> Reply:
    return reply("policy_return", rule="r", ref=submission.id, words="100% no.")


async def break_down(submission: Submission, delivery: Delivery) -> Reply:
    raise RuntimeError("ada@agency.example")


async def fail(submission: Submission, delivery: Delivery) -> Reply:
    await delivery.deliver(submission.raw + b"more\r\n")
    raise MachineryFailed("a worker died", id=submission.id)


async def tell_facts(submission: Submission, delivery: Delivery) -> Reply:
    facts, envelope = submission.session, submission.envelope
    words = f"{facts.client_ip} {facts.client_name} {facts.helo} {facts.login} {facts.protocol} {facts.is_tls}"
    path = f"{envelope.mail_from} {envelope.mail_parameters} {[(r.address, r.parameters) for r in envelope.recipients]}"
    return Reply(code=450, lines=(words, path, repr(submission.raw)))


async def be_slow(submission: Submission, delivery: Delivery) -> Reply:
    await asyncio.sleep(0.6)
    return await delivery.deliver(submission.raw)


HANDLES: dict[str, Handle] = {
    "deliver": deliver,
    "amend": amend,
    "hold": hold,
    "forget": forget,
    "break": break_down,
    "fail": fail,
    "facts": tell_facts,
    "slow": be_slow,
}


def octets_of(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def steps_of(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line in {"@session", "@message"}:
            for _, kind, rest in steps_of(SESSION if line == "@session" else MESSAGE):
                yield number, kind, rest
        elif line and line[0] not in "#%":
            yield number, line[:2], line[3:]


def play(mta: MtaSide, kind: str, rest: str) -> None:
    letter, octets = rest[:1].encode(), octets_of(rest[2:])
    match kind:
        case "C:":
            mta.send(letter, octets)
        case "C*":
            mta.socket.sendall(octets_of(rest))
        case "C-":
            mta.socket.close()
            mta.file.close()
        case "S:":
            assert mta.read() == (letter, octets)
        case "S+":
            first, last = (word.encode() for word in rest.split())
            said = [mta.read()]
            while said[-1] == (first, b""):
                said.append(mta.read())
            assert len(said) > 1
            assert said[-1] == (last, b"")
        case "S-":
            assert mta.read() is None
        case _:
            raise AssertionError(f"no such step: {kind}")


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
def test_the_door_speaks_as_the_transcript_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    chosen = dict(line[2:].split(None, 1) for line in text.splitlines() if line.startswith("% "))
    with running_milter(HANDLES[chosen.get("handle", "deliver")], **door_settings(chosen)) as door:
        with MtaSide(door.address) as mta:
            for number, kind, rest in steps_of(text):
                try:
                    play(mta, kind, rest)
                except (AssertionError, OSError) as error:
                    raise AssertionError(f"{path.name}, line {number}: {kind} {rest}: {error}") from error
        with MtaSide(door.address) as another:
            another.negotiate()
        wait_until(lambda: door.door.bytes_in_flight == 0, 10, "the octets of all messages given back")


def door_settings(chosen: dict[str, str]) -> dict[str, object]:
    return {
        "limits": Limits(max_message_bytes=1_000, max_header_fields=50),
        "asks_for_macros": "asks_for_macros" in chosen,
        "quarantines": "quarantines" in chosen,
        "max_recipients": int(chosen.get("max_recipients", "3")),
        "max_bytes_in_flight": int(chosen.get("max_bytes_in_flight", "100000")),
        "timeouts": MilterTimeouts(
            idle_s=float(chosen.get("idle_s", "10")),
            message_s=float(chosen.get("message_s", "10")),
            progress_s=float(chosen.get("progress_s", "10")),
        ),
    }


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) > 20
