"""What goes to the process that opens documents, and what comes back. Values, and their form on the wire.

The answer is JSON and not a pickle: the process has read hostile bytes, and nothing that it says may run code in the
gateway. Used on both sides, by `reader` and `process`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


class AnswerInvalid(ValueError):
    """Bytes that are no answer of a document process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An attachment as it stands in the message: `body` is still under its transfer encoding.

    `name` is its file name, empty if it has none; `is_read` tells a message/rfc822 part, whose texts the message room
    has read already, so that only its own attachments are opened. `where` and `part` are those of its findings.
    """

    name: str
    content_type: str
    encoding: str
    body: bytes
    where: str
    part: tuple[int, ...]
    is_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that may be a photograph: `score` 0 to 1, `reason` a key of the pack's words.

    `size` is its pixels or its kind, `digest` the SHA-256 of its bytes in hex: both may be shown to whoever reads the
    message. `taken` says when and where, as the picture itself says: it is matter of the message, like its text.
    """

    score: float
    reason: str
    size: str
    digest: str
    taken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What was found in one document: its text, its pictures, and the reasons why some of it was not looked at."""

    text: str = ""
    pictures: tuple[Picture, ...] = ()
    troubles: tuple[str, ...] = ()


def pack_question(document: Document, known_pictures: frozenset[str]) -> bytes:
    """The document as two lengths of four bytes, a head in JSON, and the body."""
    head = json.dumps(
        [document.name, document.content_type, document.encoding, document.is_read, sorted(known_pictures)]
    ).encode()
    return len(head).to_bytes(4, "big") + len(document.body).to_bytes(4, "big") + head + document.body


def unpack_question(head: bytes, body: bytes) -> tuple[Document, frozenset[str]]:
    """The document of a question, without its place, and the hashes of known pictures."""
    name, content_type, encoding, is_read, known = json.loads(head)
    document = Document(
        name=name, content_type=content_type, encoding=encoding, body=body, where="", part=(), is_read=is_read
    )
    return document, frozenset(known)


def pack_answer(opened: Opened) -> bytes:
    """The answer in JSON."""
    pictures = [[entry.score, entry.reason, entry.size, entry.digest, entry.taken] for entry in opened.pictures]
    return json.dumps([opened.text, pictures, list(opened.troubles)]).encode()


def unpack_answer(body: bytes) -> Opened:
    """The answer in those bytes. Raises AnswerInvalid for anything else."""
    try:
        text, pictures, troubles = json.loads(body)
        return Opened(
            text=_text(text),
            pictures=tuple(_picture(row) for row in pictures),
            troubles=tuple(_text(trouble) for trouble in troubles),
        )
    except (ValueError, TypeError) as problem:
        raise AnswerInvalid("not an answer of a document process") from problem


def _picture(row: list[Any]) -> Picture:
    score, reason, size, digest, taken = row
    return Picture(
        score=min(max(float(score), 0.0), 1.0),
        reason=_text(reason),
        size=_text(size),
        digest=_text(digest),
        taken=_text(taken),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
