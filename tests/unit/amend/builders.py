"""Small messages in wire form to put notices into."""

from __future__ import annotations

from gateway.amend.notice import append_notice
from gateway.amend.treatment import Amended
from gateway.message.charsets import decode_strictly
from gateway.message.model import Message, Part
from gateway.message.parse import parse
from gateway.message.transfer import decode_transfer
from gateway.policy.verdict import Notice

HEAD = (
    b"From: Ada Okafor <ada.okafor@agency.example>\r\nTo: Jordan <jordan.reyes@mail.example>\r\nSubject: Monday\r\n"
    b"Date: Mon, 5 Oct 2026 10:00:00 -0400\r\nMessage-ID: <1@agency.example>\r\nMIME-Version: 1.0\r\n"
)
PNG = b"Content-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <i@x>\r\n\r\naGVsbG8="
ATTACHED = (
    b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n"
    b"This text is attached to the mail."
)


def leaf(body: bytes, content_type: str = "text/plain; charset=utf-8", encoding: str | None = None) -> bytes:
    """A MIME entity."""
    fields = f"Content-Type: {content_type}\r\n".encode()
    if encoding:
        fields += f"Content-Transfer-Encoding: {encoding}\r\n".encode()
    return fields + b"\r\n" + body


def multipart(kind: str, *entities: bytes, boundary: str = "b", more: str = "") -> bytes:
    """A multipart entity with a preamble and an epilogue."""
    mark = boundary.encode()
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}\r\n\r\n'.encode()
    parts = b"".join(b"--" + mark + b"\r\n" + entity + b"\r\n" for entity in entities)
    return head + b"preamble\r\n" + parts + b"--" + mark + b"--\r\nepilogue\r\n"


def message(entity: bytes) -> bytes:
    """A message with that entity as its body."""
    return HEAD + entity


def plain(text: str, **kind: str) -> bytes:
    """A message of one UTF-8 text/plain part."""
    return message(leaf(text.replace("\n", "\r\n").encode(), **kind))


def amended(raw: bytes, notice: Notice, **how: object) -> Amended:
    """The message with the notice."""
    return append_notice(parse(raw), notice, **how)  # type: ignore[arg-type]


def part_at(parsed: Message, *path: int) -> Part:
    """The part with that path."""
    return next(part for part in parsed.root.walk() if part.path == path)


def text_at(raw: bytes, *path: int) -> str:
    """The decoded source of the part with that path, with simple line ends."""
    parsed = parse(raw)
    part = part_at(parsed, *path)
    octets, is_clean = decode_transfer(raw[part.body_start_byte : part.body_end_byte], part.encoding)
    assert is_clean
    text = decode_strictly(octets, part.charset)
    assert text is not None
    return text.replace("\r\n", "\n")


def told(raw: bytes, phrase: str) -> int:
    """How often a reader of some part of the message finds the phrase, white space aside."""
    return sum(" ".join(text.text.split()).count(phrase) for text in parse(raw).texts)
