"""The notice in a text/plain part: at the end, or above a history that would swallow it.

Pure; called by `gateway.amend.notice`. RFC 3676 (flowed text), RFC 2046 section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.amend.edit import Edit, newline_of
from gateway.amend.fitting import fits
from gateway.amend.own_notice import history_start, is_flowed, own_notice
from gateway.amend.wording import before_plain, behind_plain, plain_lines, simply_spelt
from gateway.message.charsets import codec_of, decode_strictly
from gateway.message.model import Message, Part
from gateway.policy.verdict import Notice, Placement


def plain_edits(
    message: Message, part: Part, octets: bytes, notice: Notice, *, placement: Placement, prefer_ascii: bool
) -> Iterator[Edit]:
    """Every way to write the notice into the decoded `octets` of a part, the best first; nothing if there is none."""
    text = decode_strictly(octets, part.charset)
    if text is None:
        return
    newline = newline_of(octets, part.encoding)
    at = _place(message, part, text, notice, placement, newline)
    for fit in fits(
        _inserted(text, at, notice.text, part, newline),
        simple=_inserted(text, at, simply_spelt(notice.text), part, newline),
        ascii_only=_inserted(text, at, notice.ascii_text, part, newline),
        body=octets,
        label=part.charset,
        prefer_ascii=prefer_ascii,
    ):
        codec = "utf_8" if fit.body is not None else codec_of(part.charset or "us-ascii") or "ascii"
        offset = _octet_offset(text, at, codec, fit.body if fit.body is not None else octets)
        if offset is not None:
            yield Edit(offset=offset, octets=fit.octets, label=fit.label, body=fit.body)


def _place(message: Message, part: Part, text: str, notice: Notice, placement: Placement, newline: str) -> int:
    """The character offset for the notice: the first one where we would know it again."""
    history = history_start(message, part)
    offsets = [len(text)] if history is None else [len(text), history]
    if placement is Placement.ABOVE_HISTORY:
        offsets.reverse()
    own = own_notice(notice)
    for at in offsets:
        if own.would_be_told(part, text[:at] + _inserted(text, at, notice.text, part, newline) + text[at:]):
            return at
    return offsets[0]


def _inserted(text: str, at: int, words: str, part: Part, newline: str) -> str:
    """The lines that go in at that offset, with the empty lines around them."""
    existing = text[:at].replace("\r\n", "\n")
    lines = plain_lines(words, is_flowed=is_flowed(part))
    around = behind_plain if at == len(text) else before_plain
    return around(existing, lines).replace("\n", newline)


def _octet_offset(text: str, at: int, codec: str, octets: bytes) -> int | None:
    """Where character `at` begins in the octets, or None if the codec can't say."""
    if at == len(text):
        return len(octets)
    try:
        return len(text[:at].encode(codec))
    except UnicodeError:
        return at if len(text) == len(octets) else None
