"""A light SMTP client in a process of its own: `python bench/_load.py PORT COUNT CONCURRENCY KIND[,KIND…]`.

One connection a message, as `smtpd_proxy_filter` makes them. Prints one JSON object: replies by code, seconds, and
milliseconds from connect to the final reply. The mails are ordinary office mail; the people are invented.
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import json
import statistics
import sys
import time

ADA, LUC, JORDAN = "ada.okafor@agency.example", "luc.tremblay@agency.example", "jordan.reyes@mail.example"
_OFFICE = (
    "The second floor printer is repaired, and the paper is in the cupboard beside the door.",
    "Please send the figures of last month to the front desk before the end of the week.",
    "The meeting room is free from two to four; the projector has to be back by five.",
    "We ordered twelve chairs, two tables and a whiteboard, and expect them in the first days of the month.",
    "The parking lot is closed on the weekend because the lines are painted anew.",
    "Could you look through the draft of the schedule and tell me which dates do not work?",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def _office_mail(number: int) -> str:
    """Close to 5 kB; no two alike."""
    first = number % len(_OFFICE)
    lines = itertools.islice(itertools.cycle(_OFFICE), first, first + 46)
    numbered = (f"{line[:-1]} (order {number + place})." for place, line in enumerate(lines))
    return "Hello,\r\n\r\n" + "\r\n".join(numbered) + "\r\n\r\nAda\r\n"


def _appointment(number: int) -> str:
    day, hour, room = _DAYS[number % 5], 9 + number % 7, 100 + number % 331
    return (
        f"Hello Jordan,\r\n\r\nMay I move our meeting? Could we meet on {day} at {hour}:30 in room {room}?\r\n"
        f"The office is open until {hour + 2}, and you can come in by door {number % 17}.\r\n"
        f"Please let me know before {_DAYS[number % 3]} if that works for you.\r\n\r\nAda\r\n"
    )


def _answer(number: int) -> str:
    day, hour, room = _DAYS[number % 5], 9 + number % 7, 100 + number % 331
    return f"Hi Ada,\r\n\r\n{day} at {hour}:30 works for me. See you in room {room}.\r\n\r\nJordan\r\n"


KINDS = {
    "internal": (ADA, LUC, _office_mail),
    "third": (ADA, "desk@library.example", _office_mail),
    "client": (ADA, JORDAN, _appointment),
    "inbound": (JORDAN, ADA, _answer),
}


def wire(kind: str, number: int) -> tuple[str, str, bytes]:
    """Sender, recipient and content in wire form with the final dot."""
    sender, recipient, body_of = KINDS[kind]
    body = body_of(number)
    head = (
        f"From: {sender}\r\nTo: {recipient}\r\nSubject: Schedule {number}\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:00 -0500\r\nMessage-ID: <b{number}.{time.time_ns()}@agency.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    )
    return sender, recipient, (head + body).encode("ascii") + b".\r\n"


async def send(port: int, kind: str, number: int) -> str:
    """The final reply's code."""
    sender, recipient, content = wire(kind, number)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await _reply(reader)
        for command in ("EHLO load.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            writer.write(command.encode() + b"\r\n")
            code = await _reply(reader)
            if code[0] not in "23":
                return code
        writer.write(content)
        code = await _reply(reader)
        writer.write(b"QUIT\r\n")
        await _reply(reader)
        return code
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> str:
    while True:
        line = await reader.readline()
        if line[3:4] != b"-":
            return line[:3].decode() or "end"


async def load(port: int, count: int, concurrency: int, kinds: list[str]) -> dict[str, object]:
    """Send `count` messages, the kinds in turn, at most `concurrency` at a time."""
    numbers = iter(range(count))
    codes: collections.Counter[str] = collections.Counter()
    waits: list[float] = []

    async def one_after_the_other() -> None:
        for number in numbers:
            began = time.perf_counter()
            try:
                codes[await send(port, kinds[number % len(kinds)], number)] += 1
            except OSError as error:
                codes[type(error).__name__] += 1
            waits.append((time.perf_counter() - began) * 1000)

    start = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(concurrency)))
    return {"codes": codes, "seconds": time.perf_counter() - start, "p50_ms": statistics.median(waits)}


if __name__ == "__main__":
    _port, _count, _concurrency = (int(word) for word in sys.argv[1:4])
    print(json.dumps(asyncio.run(load(_port, _count, _concurrency, sys.argv[4].split(",")))))
