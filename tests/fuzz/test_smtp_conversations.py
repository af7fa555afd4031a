"""Random SMTP conversations against the real door: every answer from the table or from the next hop, nothing breaks.

The seeds are fixed, so that a failure comes back; PRACTICUM_FUZZ=n plays n conversations.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re

import pytest

from gateway.message.limits import Limits
from gateway.message.reply import REPLIES
from tests.integration.doors import Recorder, running_door
from tests.integration.servers import SinkServer, Speaker, wait_until

pytestmark = pytest.mark.integration

PIECES = (
    b"EHLO client.example\r\n", b"HELO x\r\n", b"MAIL FROM:<ada@agency.example>\r\n", b"MAIL FROM:<>\r\n",
    b"mail from:<a@b.example> SIZE=12 BODY=8BITMIME SMTPUTF8\r\n", b"RCPT TO:<jo@mail.example>\r\n",
    b"RCPT TO:<no@mail.example>\r\n", b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"VRFY x\r\n", b"QUIT\r\n",
    b"STARTTLS\r\n", b"XCLIENT LOGIN=aokafor ADDR=192.0.2.1\r\n", b"XFORWARD NAME=a+0Ab\r\n",
    b"XFORWARD ADDR=192.0.2.1 HELO=x\r\n", b"BDAT 5 LAST\r\nMAIL ", b"AUTH PLAIN AGEAYg==\r\n",
    b"Subject: x\r\n\r\nbody\r\n.\r\n", b"x\n.\nMAIL FROM:<evil@x.example>\r\n", b".\r\n", b"\r\n.\r\n",
    b"\n.\r\n", b"\r.\r", b"..\r\n", b"\r\n", b"\n", b"\r", b"\x00", b"\xff\xfe", b"<", b">", b'"', b"x" * 5000,
)  # fmt: skip
SINK_REPLIES = re.compile(
    r"250 2\.(1\.0 Ok|1\.5 Ok|0\.0 Ok: stored)|550 5\.1\.1 none|252 2\.0\.0 .*|554 5\.5\.1 Error: no valid recipients"
)


def is_known(line: str) -> bool:
    """True for a line of the table, of an EHLO answer, or of the sink."""
    own = {f"{entry.code} {text}" for entry in REPLIES.values() for text in entry.lines}
    own |= {"220 gateway.example ESMTP Practicum Gateway", "250 gateway.example"}
    return line in own or line.startswith("250-") or bool(SINK_REPLIES.fullmatch(line)) or line in EHLO_ENDS


EHLO_ENDS = {"250 ENHANCEDSTATUSCODES", "250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"}


def play(port: int, chance: random.Random) -> list[str]:
    """One conversation, sent in pieces; all lines of the answers."""
    conversation = b"".join(chance.choices(PIECES, k=chance.randint(1, 30)))
    if chance.random() < 0.7:
        conversation = b"".join((PIECES[0], PIECES[2], PIECES[5], PIECES[7])) + conversation
    lines = []
    with Speaker(port, greet=False) as client, contextlib.suppress(OSError):
        start = 0
        while start < len(conversation):
            step = chance.choice((1, 7, 100, 10_000))
            client.send(conversation[start : start + step])
            start += step
        client.socket.shutdown(1)
        while line := client.file.readline():
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
    return lines


def test_random_conversations_get_known_answers_and_lose_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="gateway")
    refuse = {"no@mail.example": "550 5.1.1 none"}.get
    recorder = Recorder()
    stored = 0
    with (
        SinkServer(refuse=refuse) as sink,
        running_door(recorder, next_hop_port=sink.port, limits=Limits(max_message_bytes=3000)) as door,
    ):
        for seed in range(int(os.environ.get("PRACTICUM_FUZZ", "300"))):
            lines = play(door.port, random.Random(seed))
            unknown = [line for line in lines if not is_known(line)]
            assert unknown == [], (seed, unknown)
            stored += lines.count("250 2.0.0 Ok: stored")
        wait_until(lambda: door.door.open_sessions == 0, 20, "the end of all sessions")
        assert door.door.bytes_in_flight == 0
        assert door.door.messages_under_way == 0
    assert stored <= len(sink.messages) == len(recorder.submissions)
    assert stored > 10
    assert "broke" not in caplog.text
    for message in sink.messages:
        assert message.content.count(b"\n") == message.content.count(b"\r") == message.content.count(b"\r\n")
        assert b"\x00" not in message.content
