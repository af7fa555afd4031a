"""The notice in a text/html part: where a reader sees it, in ASCII, so that the charset stays.

Pure; called by `gateway.amend.notice`. HTML Living Standard section 13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.amend.edit import Edit, newline_of
from gateway.amend.fitting import is_fit_for_ascii
from gateway.amend.html_place import Place, is_seen, places
from gateway.amend.own_notice import history_start
from gateway.amend.wording import html_block
from gateway.message.charsets import codec_of, decode_strictly
from gateway.message.model import Message, Part
from gateway.policy.verdict import Notice, Placement

_OPENING_TAGS = re.compile(r"(?:<(?!/|!--|body\b|html\b|head\b|meta\b|style\b)[^<>]{0,2000}>\s*)+\Z", re.IGNORECASE)
_LOOK_BACK_CHARS = 4000


def html_edits(message: Message, part: Part, octets: bytes, notice: Notice, *, placement: Placement) -> Iterator[Edit]:
    """The ways to write the notice into the decoded `octets` of a part, the best first; nothing if there is none."""
    source = decode_strictly(octets, part.charset)
    if source is None or not is_fit_for_ascii(part.charset):
        return
    newline = newline_of(octets, part.encoding)
    for place in _places(message, part, source, placement):
        words = _inserted(source, place, notice, newline)
        before, after = source[: place.offset], source[place.offset :]
        offset = _octet_offset(source, place.offset, part.charset)
        if offset is not None and is_seen(before + words + after, before, after, is_last=place.is_last):
            yield Edit(offset=offset, octets=words.encode("ascii"))


def _places(message: Message, part: Part, source: str, placement: Placement) -> Iterator[Place]:
    if placement is Placement.ABOVE_HISTORY:
        yield from _above_history(message, part, source)
    yield from places(source)


def _above_history(message: Message, part: Part, source: str) -> list[Place]:
    """In front of the tags that open the quoted history."""
    history = history_start(message, part)
    if history is None:
        return []
    start = max(0, history - _LOOK_BACK_CHARS)
    tags = _OPENING_TAGS.search(source, start, history)
    return [Place(offset=history if tags is None else tags.start(), is_last=False)]


def _inserted(source: str, place: Place, notice: Notice, newline: str) -> str:
    head = "" if not place.offset or source[place.offset - 1] == "\n" else "\n"
    is_at_end = place.offset == len(source)
    tail = "" if is_at_end and head else "\n"
    return f"{head}{place.closers}{html_block(notice)}{tail}".replace("\n", newline)


def _octet_offset(source: str, at: int, label: str | None) -> int | None:
    """Where character `at` begins in the octets, or None if the codec can't say."""
    codec = codec_of(label) if label else "ascii"
    if codec == "latin_1":
        return at
    try:
        return len(source[:at].encode(codec or "ascii"))
    except UnicodeError:
        return None
