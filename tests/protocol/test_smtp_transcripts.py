"""SMTP conversations as text, played against the real door with a scripted next hop on the other side.

A transcript is a line a step: `C:` the client sends this line, `C*` it sends these octets (escapes as in Python, no
line end added), `C-` it closes; `S:` the door answers this line, `S-` the door closes; `H+` the door opens a
connection to the next hop, `H<` the next hop gets this line, `H>` it answers this line, `H-` it closes. `%` sets
something for the whole transcript (handle, trusted, nexthop, and numbers of the door's settings), `#` is a remark,
`@session` stands for the usual beginning. `H*` is as `C*`, from the next hop.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.doors.smtp_settings import DoorTimeouts, Handle
from gateway.message.errors import MachineryFailed
from gateway.message.limits import Limits
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.accepted import AcceptedFile
from gateway.outbound.delivery import Delivery
from gateway.outbound.relay import RelayTimeouts
from tests.integration.doors import LOOPBACK, running_door

FOLDER = Path(__file__).parent / "transcripts"
SESSION = """\
S: 220 gateway.example ESMTP Practicum Gateway
C: EHLO client.example
H+
H> 220 hop.example ESMTP
H< EHLO gateway.example
H> 250-hop.example
H> 250-PIPELINING
H> 250-SIZE 10240000
H> 250-8BITMIME
H> 250-SMTPUTF8
H> 250-XFORWARD NAME ADDR PROTO HELO
H> 250 DSN
S: 250-gateway.example
S: 250-PIPELINING
S: 250-SIZE 100000
S: 250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE
S: 250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250 DSN
"""
QUICK = RelayTimeouts(
    connect_s=2, greeting_s=2, command_s=2, data_start_s=2, data_block_s=2, data_end_s=2, farewell_s=0.5
)
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))


async def deliver(submission: Submission, delivery: Delivery) -> Reply:
    return await delivery.deliver(submission.raw)


async def hold(submission: Submission, delivery: Delivery) -> Reply:
    await delivery.abandon()
    return reply("held", ref=submission.id)


async def forget(submission: Submission, delivery: Delivery) -> Reply:
    return reply("policy_return", rule="r", ref=submission.id, words="No.")


async def break_down(submission: Submission, delivery: Delivery) -> Reply:
    raise RuntimeError("ada@agency.example")


async def fail(submission: Submission, delivery: Delivery) -> Reply:
    raise MachineryFailed("a worker died", id=submission.id)


async def tell_facts(submission: Submission, delivery: Delivery) -> Reply:
    facts = submission.session
    words = f"{facts.client_ip} {facts.client_name} {facts.helo} {facts.login} {facts.protocol}"
    return Reply(code=250, lines=(words, f"size {len(submission.raw)}"))


TRUSTED = {"no": (), "loopback": LOOPBACK, "192.0.2.7": (ipaddress.ip_network("192.0.2.7"),)}
HANDLES: dict[str, Handle] = {
    "deliver": deliver,
    "hold": hold,
    "forget": forget,
    "break": break_down,
    "fail": fail,
    "facts": tell_facts,
}


class Play:
    """The two ends of the door, and the steps that move them."""

    def __init__(self, door_port: int, listener: socket.socket) -> None:
        self.listener = listener
        self.client = socket.create_connection(("127.0.0.1", door_port), timeout=10)
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each step goes out before the next
        self.from_door = self.client.makefile("rb")
        self.hop: socket.socket | None = None

    def step(self, kind: str, text: str) -> None:
        match kind:
            case "C:":
                self.client.sendall(text.encode() + b"\r\n")
            case "C*":
                self.client.sendall(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))
            case "C-":
                self.client.close()
                self.from_door.close()
            case "S:":
                assert self.from_door.readline().decode() == text + "\r\n"
            case "S-":
                assert self.from_door.readline() == b""
            case "H+":
                self.hop, _ = self.listener.accept()
                self.hop.settimeout(10)
                self.from_gateway = self.hop.makefile("rb")
            case "H<":
                assert self.from_gateway.readline().decode() == text + "\r\n"
            case "H>":
                assert self.hop is not None
                self.hop.sendall(text.encode() + b"\r\n")
            case "H-":
                assert self.hop is not None
                self.from_gateway.close()
                self.hop.close()
            case _:
                raise AssertionError(f"no such step: {kind}")

    def close(self) -> None:
        for end in (self.client, self.hop):
            if end is not None:
                end.close()


def steps_of(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line == "@session":
            yield from ((number, kind, rest) for _, kind, rest in steps_of(SESSION))
        elif line and line[0] not in "#%":
            yield number, line[:2], line[3:]


def settings_of(text: str) -> dict[str, str]:
    return dict(line[2:].split(None, 1) for line in text.splitlines() if line.startswith("% "))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
def test_the_door_speaks_as_the_transcript_says(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    chosen = settings_of(text)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]
        if chosen.get("nexthop") == "closed":
            listener.close()
        with running_door(
            HANDLES[chosen.get("handle", "deliver")],
            next_hop_port=port,
            relay_timeouts=QUICK,
            is_lmtp=chosen.get("lmtp") == "yes",
            accepted=AcceptedFile(tmp_path / "accepted.sqlite", now=lambda: datetime.now(UTC)),
            **door_settings(chosen),
        ) as door:
            play = Play(door.port, listener)
            try:
                for number, kind, rest in steps_of(text):
                    try:
                        play.step(kind, rest)
                    except (AssertionError, OSError) as error:
                        raise AssertionError(f"{path.name}, line {number}: {kind} {rest}: {error}") from error
            finally:
                play.close()


def door_settings(chosen: dict[str, str]) -> dict[str, object]:
    return {
        "trusted_clients": TRUSTED[chosen.get("trusted", "loopback")],
        "limits": Limits(max_message_bytes=100_000),
        "max_errors": int(chosen.get("max_errors", "5")),
        "max_idle_commands": int(chosen.get("max_idle_commands", "5")),
        "max_recipients": int(chosen.get("max_recipients", "3")),
        "max_connections": int(chosen.get("max_connections", "10")),
        "max_bytes_in_flight": int(chosen.get("max_bytes_in_flight", "1000000")),
        "passes_auth": chosen.get("passes_auth") == "yes",
        "is_tls_required": chosen.get("tls_required") == "yes",
        "proxies": LOOPBACK if chosen.get("proxies") == "yes" else (),
        "tls": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if chosen.get("tls") == "yes" else None,
        "timeouts": DoorTimeouts(command_s=float(chosen.get("command_s", "10")), data_block_s=1.0),
    }
