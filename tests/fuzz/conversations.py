"""Random conversations with both doors, made from a number alone: the same number, the same octets.

Each begins as one of the seeds (tests/fuzz/seeds/smtp and milter: conversations of mail servers, octets with escapes as
in Python, a line a command or packet) and is then spoilt: lines left out, doubled, swapped, cut, foreign ones put in,
octets changed; and it is sent in pieces of any size. Some are made of pieces at random.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
SMTP_PIECES = (
    b"EHLO client.example\r\n", b"HELO x\r\n", b"MAIL FROM:<ada@agency.example>\r\n", b"MAIL FROM:<>\r\n",
    b"mail from:<a@b.example> SIZE=12 BODY=8BITMIME SMTPUTF8\r\n", b"RCPT TO:<jo@mail.example>\r\n",
    b"RCPT TO:<no@mail.example>\r\n", b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"VRFY x\r\n", b"QUIT\r\n",
    b"STARTTLS\r\n", b"XCLIENT LOGIN=aokafor ADDR=192.0.2.1\r\n", b"XFORWARD NAME=a+0Ab\r\n",
    b"XFORWARD ADDR=192.0.2.1 HELO=x\r\n", b"BDAT 5 LAST\r\nMAIL ", b"AUTH PLAIN AGEAYg==\r\n",
    b"Subject: x\r\n\r\nbody\r\n.\r\n", b"x\n.\nMAIL FROM:<evil@x.example>\r\n", b".\r\n", b"\r\n.\r\n",
    b"\n.\r\n", b"\r.\r", b"..\r\n", b"\r\n", b"\n", b"\r", b"\x00", b"\xff\xfe", b"<", b">", b'"', b"x" * 5000,
)  # fmt: skip
_LETTERS = b"ABCDEHKLMNOQRTUzyq\0\xff"


def seeds(kind: str) -> list[list[bytes]]:
    """The conversations of that folder, each a list of lines or packets."""
    return [
        [line.encode("latin-1").decode("unicode_escape").encode("latin-1") for line in text.splitlines() if line]
        for text in (path.read_text(encoding="ascii") for path in sorted((SEEDS / kind).glob("*.txt")))
    ]


SMTP_SEEDS, MILTER_SEEDS = seeds("smtp"), seeds("milter")


def smtp_conversation(number: int) -> list[bytes]:
    """Pieces to send, one after the other."""
    chance = random.Random(number)
    if chance.random() < 0.3:
        lines = [
            *chance.choice(SMTP_SEEDS)[: chance.randint(0, 4)],
            *chance.choices(SMTP_PIECES, k=chance.randint(1, 30)),
        ]
    else:
        lines = spoilt(chance.choice(SMTP_SEEDS), chance, lambda: chance.choice(SMTP_PIECES))
    return in_pieces(b"".join(lines), chance)


def milter_conversation(number: int) -> list[bytes]:
    """Pieces to send: packets with their lengths, right or wrong."""
    chance = random.Random(number)
    seed = chance.choice(MILTER_SEEDS)
    packets = seed if chance.random() < 0.1 else spoilt(seed, chance, lambda: _foreign_packet(chance))
    framed = []
    for packet in packets:
        length = len(packet) if chance.random() < 0.98 else chance.choice((0, 3, 70_000, 0xFFFFFFFF, len(packet) + 1))
        framed.append(struct.pack(">I", length) + packet)
    return in_pieces(b"".join(framed), chance)


def _foreign_packet(chance: random.Random) -> bytes:
    arguments = chance.choice(
        (
            chance.randbytes(chance.randrange(40)),
            struct.pack(">III", chance.choice((1, 2, 3, 6, 9)), chance.getrandbits(32), chance.getrandbits(32)),
            b"<a@b.example>\0",
            b"Subject\0 x\0",
            b"\0" * chance.randrange(20),
            b"M{auth_authen}\0" + chance.randbytes(5) + b"\0",
            b"x" * 4000,
        )
    )
    return bytes([chance.choice(_LETTERS)]) + arguments


def spoilt(lines: list[bytes], chance: random.Random, foreign: Callable[[], bytes]) -> list[bytes]:
    """The lines with a few things wrong."""
    lines = list(lines)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 2:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case 4:
                lines.insert(at, foreign())
            case 5:
                octets = bytearray(lines[at])
                if octets:
                    octets[chance.randrange(len(octets))] = chance.choice((0, 10, 13, 32, 46, 60, 128, 255))
                lines[at] = bytes(octets)
            case _:
                lines[at] *= chance.choice((2, 3, 20))
    return lines


def in_pieces(octets: bytes, chance: random.Random) -> list[bytes]:
    """The octets, cut as a network may cut them."""
    steps, pieces, start = chance.choice(((10_000,), (10_000, 100), (7, 100, 10_000), (1, 7))), [], 0
    while start < len(octets):
        step = chance.choice(steps)
        pieces.append(octets[start : start + step])
        start += step
    return pieces
