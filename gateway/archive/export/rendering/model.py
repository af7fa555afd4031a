"""What the rendering process is asked, and what it answers: values, and their form on the wire (JSON, then bytes).

The process takes text that is ours (the cover and the index of a document) and messages of anybody. Nothing here knows
the store.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Look(StrEnum):
    """How a message is shown: as its reader saw it, as text alone, or as a sheet that names it."""

    FULL = "full"
    TEXT = "text"
    NAMED = "named"


FALLBACKS = (Look.FULL, Look.TEXT, Look.NAMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What to render: HTML of ours (`content` is then UTF-8 text), or a message (`content` is its bytes).

    `running` stands at the top of each page. `facts` are (name, value) lines of the archive about the message;
    `hidden` are the words to black out. A message with hidden words is shown as text only.
    """

    look: Look | None
    running: str
    language: str = "en"
    facts: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = field(default=(), repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A PDF, and what is to be told of it.

    `summary` has `from`, `to` and `subject` of a message for the index, redacted as it is. `refused` counts
    pictures and other things from elsewhere that were not fetched, `missing` kinds of characters that no font here has,
    `hidden` how often each redaction was found.
    """

    look: Look | None
    pages: int
    refused: int
    missing: int
    summary: tuple[tuple[str, str], ...] = ()
    hidden: tuple[int, ...] = ()
    pdf: bytes = field(repr=False)


class AnswerInvalid(Exception):
    """The process answered something that is no answer."""


def pack_sheet(sheet: Sheet) -> bytes:
    """The question as one frame's content."""
    values = asdict(sheet)
    content = values.pop("content")
    return _packed(values, content)


def unpack_sheet(frame: bytes) -> Sheet:
    """What `pack_sheet` wrote."""
    values, content = _unpacked(frame)
    return Sheet(
        look=None if values["look"] is None else Look(values["look"]),
        running=values["running"],
        language=values["language"],
        facts=tuple((name, value) for name, value in values["facts"]),
        hidden=tuple(values["hidden"]),
        content=content,
    )


def pack_rendered(rendered: Rendered) -> bytes:
    """The answer as one frame's content."""
    values = asdict(rendered)
    pdf = values.pop("pdf")
    return _packed(values, pdf)


def unpack_rendered(frame: bytes) -> Rendered:
    """What `pack_rendered` wrote. Raises AnswerInvalid for anything else: the process may be in strange hands."""
    try:
        values, pdf = _unpacked(frame)
        return rendered_from(values, pdf)
    except (ValueError, KeyError, TypeError) as error:
        raise AnswerInvalid(type(error).__name__) from None


def report_of(rendered: Rendered) -> dict[str, Any]:
    """All of an answer but the PDF, for a note on disk."""
    values = asdict(rendered)
    del values["pdf"]
    return values


def rendered_from(values: dict[str, Any], pdf: bytes) -> Rendered:
    """The answer of those values. Raises KeyError, TypeError or ValueError for values that are none."""
    return Rendered(
        look=None if values["look"] is None else Look(values["look"]),
        pages=int(values["pages"]),
        refused=int(values["refused"]),
        missing=int(values["missing"]),
        summary=tuple((str(name), str(value)) for name, value in values["summary"]),
        hidden=tuple(int(count) for count in values["hidden"]),
        pdf=pdf,
    )


def _packed(values: dict[str, Any], content: bytes) -> bytes:
    head = json.dumps(values, ensure_ascii=True).encode()
    return len(head).to_bytes(4, "big") + head + content


def _unpacked(frame: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(frame[:4], "big")
    values = json.loads(frame[4 : 4 + length])
    if not isinstance(values, dict):
        raise TypeError("not an object")
    return values, frame[4 + length :]
