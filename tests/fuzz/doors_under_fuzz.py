"""Both doors in a process of their own, with a next hop that keeps nothing, for `test_door_conversations` to talk to.

Prints one line of JSON with the ports; then, for each line on standard input, one with what there is to know: messages
that the flow got and that the next hop took, open sessions, octets in memory, descriptors, resident memory, and what
broke. Nothing of a message is kept, so that memory tells of the doors.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import json
import logging
import os
import sys
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from gateway.doors.milter import MilterDoor
from gateway.doors.milter_settings import MilterDoorSettings
from gateway.doors.smtp import SmtpDoor
from gateway.doors.smtp_onward import Onward
from gateway.doors.smtp_settings import SmtpDoorSettings
from gateway.message.errors import MachineryFailed
from gateway.message.limits import Limits
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from gateway.outbound.relay import NextHop

counts: Counter[str] = Counter()
LIMITS = Limits(max_message_bytes=3000, max_header_fields=50)
SECRET = "ada.okafor@agency.example"


async def handle(submission: Submission, delivery: Delivery) -> Reply:
    """Deliver most messages, amended or not; hold some, return some, and break in two ways at some."""
    counts["submissions"] += 1
    raw = submission.raw
    is_whole = raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n") and b"\0" not in raw
    counts["unclean"] += not is_whole
    match zlib.crc32(raw) % 10:
        case 0:
            raise RuntimeError(SECRET)
        case 1:
            raise MachineryFailed(SECRET, id=submission.id)
        case 2:
            await delivery.abandon()
            return reply("held", ref="REF")
        case 3:
            return reply("policy_return", rule="r", ref="REF", words="no")
        case 4 | 5:
            answer = await delivery.deliver(b"X-Stamp: yes\r\n" + raw + b"\r\nA notice.\r\n")
        case _:
            answer = await delivery.deliver(raw)
    counts["relayed"] += answer.is_positive and isinstance(delivery, Onward)
    return answer


class Hop(asyncio.Protocol):
    """A next hop that takes messages and counts them."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.in_data = False
        self.recipients = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.say("220 sink.example ESMTP")

    def say(self, text: str) -> None:
        self.transport.write(text.encode() + b"\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n.\r\n" if self.in_data else b"\r\n")
            if self.in_data and self.buffer.startswith(b".\r\n"):
                end, length = 0, 3
            else:
                length = 5 if self.in_data else 2
            if end < 0:
                return
            line = bytes(self.buffer[:end])
            del self.buffer[: end + length]
            self.obey(line)

    def obey(self, line: bytes) -> None:
        if self.in_data:
            counts["taken"] += 1
            counts["unclean"] += line.count(b"\n") != line.count(b"\r\n") or b"\0" in line
            self.in_data, self.recipients = False, 0
            self.say("250 2.0.0 Ok: stored")
            return
        verb = line[:4].upper()
        match verb:
            case b"EHLO":
                self.say(
                    "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 3000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN"
                )
                self.say("250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")
            case b"MAIL" | b"RSET":
                self.recipients = 0
                self.say("250 2.1.0 Ok")
            case b"RCPT" if b"no@" in line:
                self.say("550 5.1.1 none")
            case b"RCPT":
                self.recipients += 1
                self.say("250 2.1.5 Ok")
            case b"DATA" if self.recipients:
                self.in_data = True
                self.say("354 go on")
            case b"DATA":
                self.say("554 5.5.1 Error: no valid recipients")
            case b"QUIT":
                self.say("221 2.0.0 Bye")
                self.transport.close()
            case b"VRFY":
                self.say("252 2.0.0 perhaps")
            case b"XFOR" | b"NOOP":
                self.say("250 2.0.0 Ok")
            case _:
                self.say("502 5.5.2 Error: command not recognized")


class Count(logging.Handler):
    """Counts what broke outside of the guard around a message."""

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        counts["broke"] += "broke" in words and "message broke" not in words
        counts["told"] += SECRET in words and "message failed" not in words


async def main() -> None:
    logging.getLogger().addHandler(Count())
    loop = asyncio.get_running_loop()
    hop = await loop.create_server(Hop, "127.0.0.1", 0, backlog=512)
    ids = itertools.count(1)
    shared = {"new_id": lambda: f"m{next(ids)}", "now": lambda: datetime.now(UTC)}
    smtp = SmtpDoor(
        SmtpDoorSettings(
            listen=(("127.0.0.1", 0),),
            next_hop=NextHop(host="127.0.0.1", port=hop.sockets[0].getsockname()[1], ehlo_name="gateway.example"),
            trusted_clients=(ipaddress.ip_network("127.0.0.0/8"),),
            host_name="gateway.example",
            limits=LIMITS,
        ),
        handle,
        **shared,  # type: ignore[arg-type]
    )
    milter = MilterDoor(
        MilterDoorSettings(listen=(("127.0.0.1", 0),), host_name="gateway.example", limits=LIMITS, quarantines=True),
        handle,
        **shared,  # type: ignore[arg-type]
    )
    await smtp.start()
    await milter.start()
    print(json.dumps({"smtp": smtp.addresses[0][1], "milter": milter.addresses[0][1]}), flush=True)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while await commands.readline():
        doors = {
            "sessions": smtp.open_sessions + milter.open_sessions,
            "bytes_in_flight": smtp.bytes_in_flight + milter.bytes_in_flight,
            "under_way": smtp.messages_under_way + milter.messages_under_way,
        }
        print(json.dumps({**counts, **doors, **of_the_process()}), flush=True)


def of_the_process() -> dict[str, int]:
    """Descriptors, and resident memory in octets."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return {"descriptors": descriptors, "resident": pages * os.sysconf("SC_PAGE_SIZE")}


if __name__ == "__main__":
    uvloop.run(main())
