"""The hostile cases of the shared data: how each is sent, and which outcomes are safe for it."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, replace

from tests.integration.servers import SinkServer, Speaker
from tests.shared_data import data_dir

TO_WORKER = "luc.tremblay@agency.example"
TO_CLIENT = "jordan.reyes@mail.example"
HOST_NAME = "gateway.agency.example"  # the gateway's own, which a forged Authentication-Results must bear to be one
_NAME_IN_DATA = b"mx.ourgateway.example"
AUTHOR = "ada.okafor@agency.example"
_STAMPED_VERDICT = re.compile(rb"(?m)^X-Practicum-Gateway: [^\r]*verdict=([a-z]+)")
_ENVELOPE = re.compile(r"\[MAIL FROM:<(.*?)> HELO ([^\s\]]+)")


@dataclass(frozen=True)
class HostileCase:
    """One case. `sender` is the reverse-path that belongs to it; a stream is content followed by a hidden
    transaction."""

    id: str
    what: str
    expect: str
    is_stream: bool
    sender: str
    helo: str
    octets: bytes


@dataclass(frozen=True)
class Outcome:
    """What became of a case: the reply that ended it, the stage, and what arrived behind the door."""

    reply: str
    stage: str
    arrived: tuple[bytes, ...]

    @property
    def is_refused(self) -> bool:
        return self.reply[:1] == "5"

    @property
    def is_held(self) -> bool:
        return "held for review" in self.reply

    @property
    def words(self) -> str:
        """For the table: what happened."""
        if self.is_held:
            return "held for review"
        if self.is_refused:
            return f"refused at {self.stage}: {' '.join(self.reply.split()[:2])}"
        if not self.arrived:
            return f"{self.reply[:3]} without delivery"
        stamp = _STAMPED_VERDICT.search(self.arrived[0])
        verdict = f", verdict {stamp[1].decode()}" if stamp and stamp[1] != b"deliver" else ""
        return f"passed on{verdict}"


def hostile_cases() -> list[HostileCase]:
    """All cases, in the order of the data."""
    folder = data_dir("hostile")
    cases = []
    for entry in json.loads((folder / "cases.json").read_text(encoding="utf-8")):
        match = _ENVELOPE.search(entry["what"])
        cases.append(
            HostileCase(
                id=entry["id"],
                what=entry["what"].partition(" [MAIL FROM")[0],
                expect=entry["expect"],
                is_stream=entry["kind"] == "stream",
                sender=match[1] if match else "a@example.com",
                helo=match[2] if match else "client.example",
                octets=(folder / f"{entry['id']}.eml").read_bytes().replace(_NAME_IN_DATA, HOST_NAME.encode()),
            )
        )
    return cases


def written_by_worker(case: HostileCase) -> HostileCase | None:
    """The same fault in a message of a worker of ours; None for cases whose fault is the sender itself."""
    plain = b"From: a@example.com\r\n"
    if plain not in case.octets or case.sender != "a@example.com":
        return None
    own = case.octets.replace(plain, b"From: " + AUTHOR.encode() + b"\r\n", 1)
    return replace(case, sender=AUTHOR, octets=own)


def send_case(case: HostileCase, recipient: str, *, port: int, sink: SinkServer) -> Outcome:
    """Send it as its kind demands: a stream as it stands, a message with leading dots doubled; the outcome."""
    before = len(sink.messages)
    with Speaker(port) as client:
        client.ask(f"EHLO {case.helo}")
        for stage, line in (
            ("MAIL", f"MAIL FROM:<{case.sender}>"),
            ("RCPT", f"RCPT TO:<{recipient}>"),
            ("DATA", "DATA"),
        ):
            answer = client.ask(line)
            if answer[:1] not in "23":
                return Outcome(reply=answer, stage=stage, arrived=_arrived(sink, before))
        octets = case.octets
        if not case.is_stream:
            octets = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]
        client.send(octets + (b"" if octets.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        answer = client.read()
        with contextlib.suppress(OSError):  # the door closes after a disguised end of data
            client.send(b"QUIT\r\n")
            while client.read():
                pass
    return Outcome(reply=answer, stage="end of data", arrived=_arrived(sink, before))


def _arrived(sink: SinkServer, before: int) -> tuple[bytes, ...]:
    """What has come since then, but for letters about held mail, which come when they come."""
    return tuple(
        message.content
        for message in sink.messages[before:]
        if message.mail_from or b"\r\nAuto-Submitted: " not in message.content
    )
