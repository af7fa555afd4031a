"""A client that costs little: `python bench/_doors_load.py PORT COUNT CONCURRENCY PER_CONNECTION KIND BYTES [OFFSET]`.

Sends COUNT messages of about BYTES, PER_CONNECTION of them over each connection, and prints one JSON object: replies by
code, seconds, and the median and 99th percentile of the milliseconds that a message took, from connect (or from MAIL,
on a connection that is kept) to the final reply. KIND is `internal` (to a colleague) or `client`. One command at a
time, as Postfix's smtpd_proxy_filter speaks. The people are invented.
"""

from __future__ import annotations

import asyncio
import base64
import collections
import json
import os
import sys
import time
from functools import partial
from typing import cast

import uvloop

ADA, LUC, JORDAN = "ada.okafor@agency.example", "luc.tremblay@agency.example", "jordan.reyes@mail.example"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_LINE = b"The second floor printer is repaired, and the paper is in the cupboard beside the door (order %d).\r\n"
_ALTERNATIVE = """\
--seam\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 7bit\r
\r
{text}\r
--seam\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: 7bit\r
\r
<html><head><style>p {{ margin: 0 0 1em 0; font-family: Calibri, sans-serif; font-size: 11pt }}</style></head>\r
<body>\r
{html}\r
</body></html>\r
--seam--\r
"""


def _trace(number: int) -> str:
    """Header fields as a mail server and a mail program write them."""
    return (
        f"Received: from desk-{number % 50}.agency.example (desk-{number % 50}.agency.example [127.0.0.1])\r\n"
        f"\tby mail.agency.example (Postfix) with ESMTPSA id 4{number:010d}\r\n"
        "\tfor <someone@agency.example>; Mon,  2 Nov 2026 10:00:00 -0500 (EST)\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0\r\n"
        "Content-Language: en-CA\r\nMIME-Version: 1.0\r\nDate: Mon, 02 Nov 2026 10:00:00 -0500\r\n"
    )


def _client_mail(number: int, size: int) -> bytes:
    """An appointment in two forms, text and HTML; filled up with header fields that mail servers add."""
    day, hour, room = _DAYS[number % 5], 9 + number % 7, 100 + number % 331
    paragraphs = (
        "Hello Jordan,",
        f"May I move our meeting? Could we meet on {day} at {hour}:30 in room {room}?",
        f"The office is open until {hour + 2}, and you can come in by door {number % 17}.",
        f"Please let me know before {_DAYS[number % 3]} if that works for you.",
        "Ada",
    )
    body = _ALTERNATIVE.format(
        text="\r\n\r\n".join(paragraphs), html="\r\n".join(f"<p>{words}</p>" for words in paragraphs)
    )
    head = _trace(number) + 'Content-Type: multipart/alternative; boundary="seam"\r\n'
    missing = max(0, size - len(head) - len(body) - 200)
    filler = "".join(f"X-Trace-{at}: {'0123456789abcdef' * 4}\r\n" for at in range(missing // 80))
    return (filler + head + "\r\n" + body).encode("ascii")


def _internal_mail(number: int, size: int) -> bytes:
    """Text up to 64 kB, above it with an attachment."""
    head = _trace(number).encode()
    if size <= 65_536:
        lines = (size - len(head) - 200) // len(_LINE)
        body = b"".join(_LINE % (number + at) for at in range(max(lines, 1)))
        return head + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body
    row = base64.b64encode(os.urandom(57)) + b"\r\n"
    attached = row * ((size - 1200) // len(row))
    return b"".join(
        (
            head,
            b'Content-Type: multipart/mixed; boundary="seam"\r\n\r\n',
            b"--seam\r\nContent-Type: text/plain\r\n\r\nPlease see.",
            b"\r\n--seam\r\nContent-Type: application/octet-stream; name=plan.bin\r\n",
            b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=plan.bin\r\n\r\n",
            attached,
            b"--seam--\r\n",
        )
    )


class Client(asyncio.Protocol):
    """One connection: so many messages, then QUIT. `done` is set with its end."""

    def __init__(self, load: Load, count: int) -> None:
        self.load, self.left = load, count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting = b""
        self.began = time.perf_counter()
        self.step = "greeting"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.step != "bye":
            self.load.codes["lost"] += 1
        self.done.set_result(None)

    def data_received(self, octets: bytes) -> None:
        self.waiting += octets
        while (end := self.waiting.find(b"\n")) >= 0:
            line, self.waiting = self.waiting[: end + 1], self.waiting[end + 1 :]
            if line[3:4] != b"-":
                self.go_on(line[:3].decode())

    def go_on(self, code: str) -> None:
        """The answer to the last step has come: take the next."""
        match self.step:
            case "greeting":
                self.say("hello", b"EHLO load.example\r\n")
            case "hello":
                self.say("mail", b"MAIL FROM:<%b>\r\n" % self.load.sender)
            case "mail":
                self.say("rcpt", b"RCPT TO:<%b>\r\n" % self.load.recipient)
            case "rcpt" if code == "250":
                self.say("data", b"DATA\r\n")
            case "data" if code == "354":
                self.say("content", self.load.content())
            case "bye":
                self.transport.close()
            case _:
                self.answered(code)

    def answered(self, code: str) -> None:
        """A message has its final reply."""
        self.load.codes[code] += 1
        self.load.waits.append((time.perf_counter() - self.began) * 1000)
        self.left -= 1
        if self.left and code == "250":
            self.began = time.perf_counter()
            self.say("mail", b"MAIL FROM:<%b>\r\n" % self.load.sender)
        else:
            self.say("bye", b"QUIT\r\n")

    def say(self, step: str, octets: bytes) -> None:
        self.step = step
        self.transport.write(octets)


class Load:
    """What is sent and what came of it."""

    def __init__(self, port: int, kind: str, size: int, offset: int) -> None:
        self.port, self.kind, self.size, self.number = port, kind, size, offset
        self.sender, self.recipient = ADA.encode(), (JORDAN if kind == "client" else LUC).encode()
        self.codes: collections.Counter[str] = collections.Counter()
        self.waits: list[float] = []
        make = _client_mail if kind == "client" else _internal_mail
        variants = 64 if size <= 65_536 else 1
        self.bodies = [make(offset + at, size) + b".\r\n" for at in range(variants)]

    def content(self) -> bytes:
        """The next message, with a name of its own."""
        self.number += 1
        head = b"From: Ada Okafor <%b>\r\nTo: %b\r\nSubject: Schedule %d\r\nMessage-ID: <d%d.%d@agency.example>\r\n"
        name = head % (self.sender, self.recipient, self.number, self.number, time.time_ns())
        return name + self.bodies[self.number % len(self.bodies)]

    async def run(self, count: int, concurrency: int, per_connection: int) -> dict[str, object]:
        """Send them all."""
        loop = asyncio.get_running_loop()
        left = count

        async def one_after_the_other() -> None:
            nonlocal left
            while left > 0:
                client = Client(self, min(per_connection, left))
                left -= client.left
                await loop.create_connection(partial(lambda one: one, client), "127.0.0.1", self.port)
                await client.done

        start = time.perf_counter()
        await asyncio.gather(*(one_after_the_other() for _ in range(concurrency)))
        seconds = time.perf_counter() - start
        waits = sorted(self.waits) or [float("nan")]
        return {
            "codes": self.codes,
            "seconds": seconds,
            "p50_ms": waits[len(waits) // 2],
            "p99_ms": waits[min(len(waits) - 1, len(waits) * 99 // 100)],
        }


if __name__ == "__main__":
    _port, _count, _concurrency, _per = (int(word) for word in sys.argv[1:5])
    _load = Load(_port, sys.argv[5], int(sys.argv[6]), int(sys.argv[7]) if len(sys.argv) > 7 else 0)
    print(json.dumps(uvloop.run(_load.run(_count, _concurrency, _per))))
