"""The readable texts of a message: its subject, every displayable part, and those of attached messages.

`body`: text parts that readers show in place. `attachment:<name>`: text parts with a file name or the disposition
attachment, and everything in a message/rfc822 part, its subject included. An attached message is forwarded matter, yet
its text is not marked QUOTED as a whole: who attaches it sends it, so the rules for new text look at it; only what is
quoted within is QUOTED. Its texts bear the path of the message/rfc822 part; their offsets count in the inner part's
decoded text. Called by `gateway.message.parse`. RFC 2045 section 5.2, RFC 2046 sections 4.1 and 5.2.1, RFC 3676.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.message.charsets import codec_of, decode_leniently, decode_strictly
from gateway.message.html import visible_html
from gateway.message.limits import DEFAULT, Limits
from gateway.message.mapped import MappedText
from gateway.message.marks import Mark
from gateway.message.model import Link, Message, Part, Problem, ProblemKind, ReadableText
from gateway.message.plain import visible_plain
from gateway.message.structure import read_structure
from gateway.message.transfer import decode_transfer
from gateway.message.zones import find_zones

_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/x-amp-html"})
_MAX_ATTACHED_DEPTH = 10
_MAX_BYTES_A_CHAR = 8
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w:.\-]{1,40})""", re.IGNORECASE)
_META_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A message whose parts are to be read: the whole one, or one attached to it."""

    raw: bytes
    root: Part
    attached_as: str | None = None
    path: tuple[int, ...] = ()
    depth: int = 0


def readable_texts(
    raw: bytes, root: Part, *, limits: Limits, notices: Sequence[str]
) -> tuple[tuple[ReadableText, ...], tuple[Problem, ...]]:
    """The texts in reading order, subject first, and what was wrong with reading them."""
    return _Reader(limits, notices).run(_Source(raw=raw, root=root))


def written_texts(message: Message, *, limits: Limits = DEFAULT) -> Iterator[str]:
    """The subject and the source of each part that readers show, decoded and no more: tags, quotes and all.

    A tenth of the cost of `readable_texts`, for whoever looks for words that seldom stand there. Attached messages are
    left out.
    """
    reader = _Reader(limits, ())
    yield from (entry.value for entry in message.fields("subject") if entry.value)
    source = _Source(raw=message.raw, root=message.root)
    for part, _ in _leaves(message.root)[: limits.max_parts]:
        if part.content_type not in _MESSAGE_TYPES and _is_displayable(part):
            yield reader.decoded(source.raw, part, part.path)


def part_octets(raw: bytes, part: Part) -> tuple[bytes, bool]:
    """The body of a part with its transfer encoding undone, and True if nothing had to be guessed."""
    return decode_transfer(raw[part.body_start_byte : part.body_end_byte], part.encoding)


class _Reader:
    """What is left of the limits while the texts are read."""

    def __init__(self, limits: Limits, notices: Sequence[str]) -> None:
        self._limits = limits
        self._notices = notices
        self._chars_left = limits.max_text_chars
        self._parts_left = limits.max_parts
        self._texts: list[ReadableText] = []
        self._problems: dict[Problem, None] = {}

    def run(self, source: _Source) -> tuple[tuple[ReadableText, ...], tuple[Problem, ...]]:
        waiting = [source]
        while waiting:
            current = waiting.pop()
            self._take_subject(current)
            attached: list[_Source] = []
            for part, in_alternative in _leaves(current.root):
                self._parts_left -= 1
                if self._parts_left < 0:
                    self._problem(ProblemKind.TOO_MANY_PARTS, current.path or part.path)
                    break
                if part.content_type in _MESSAGE_TYPES:
                    attached.extend(self._attached(current, part))
                elif _is_displayable(part):
                    self._take_part(current, part, in_alternative=in_alternative)
            waiting.extend(reversed(attached))
        return tuple(self._texts), tuple(self._problems)

    def _take_subject(self, source: _Source) -> None:
        for entry in source.root.headers:
            if entry.is_named("subject") and entry.value:
                mapped = MappedText(text=entry.value, offsets=range(len(entry.value)))
                self._add(source.attached_as or "subject", source.path, mapped, marks=(), is_subject=True)

    def _attached(self, source: _Source, part: Part) -> list[_Source]:
        path = source.path or part.path
        if source.depth >= _MAX_ATTACHED_DEPTH:
            self._problem(ProblemKind.TOO_DEEP, path)
            return []
        raw, is_clean = part_octets(source.raw, part)
        if not is_clean:
            self._problem(ProblemKind.BAD_TRANSFER_ENCODING, path)
        structure = read_structure(raw, limits=self._limits)
        for problem in structure.problems:
            if problem.kind in (ProblemKind.TOO_DEEP, ProblemKind.TOO_MANY_PARTS):
                self._problem(problem.kind, path)
        name = source.attached_as or f"attachment:{part.filename or 'message'}"
        return [_Source(raw=raw, root=structure.root, attached_as=name, path=path, depth=source.depth + 1)]

    def _take_part(self, source: _Source, part: Part, *, in_alternative: bool) -> None:
        path = source.path or part.path
        if self._chars_left <= 0:
            if part.body_end_byte > part.body_start_byte:
                self._problem(ProblemKind.TEXT_TOO_LONG, path)
            return
        decoded = self.decoded(source.raw, part, path)
        marks: tuple[Mark, ...] = ()
        links: tuple[Link, ...] = ()
        if part.content_type in _HTML_TYPES:
            visible = visible_html(decoded, max_chars=self._chars_left)
            mapped, marks, links = visible.mapped, visible.marks, visible.links
            if visible.is_too_complex:
                self._problem(ProblemKind.HTML_TOO_COMPLEX, path)
        else:
            is_flowed = (part.parameter("format") or "").lower() == "flowed" and part.content_type == "text/plain"
            deletes_space = (part.parameter("delsp") or "").lower() == "yes"
            mapped = visible_plain(decoded, is_flowed=is_flowed, deletes_space=deletes_space)
        where = source.attached_as or _where(part, in_alternative=in_alternative)
        self._add(where, path, mapped, marks=marks, links=links)

    def decoded(self, raw: bytes, part: Part, path: tuple[int, ...]) -> str:
        """The source text of a part, cut at the limit, by its label or else by the likeliest reading."""
        is_html = part.content_type in _HTML_TYPES
        max_chars = self._limits.max_html_chars if is_html else self._chars_left
        body = raw[part.body_start_byte : part.body_end_byte]
        if len(body) > max_chars * _MAX_BYTES_A_CHAR:
            body = body[: max_chars * _MAX_BYTES_A_CHAR]
            self._problem(ProblemKind.TEXT_TOO_LONG, path)
        octets, is_clean = decode_transfer(body, part.encoding)
        if not is_clean:
            self._problem(ProblemKind.BAD_TRANSFER_ENCODING, path)
        label = part.charset or (_meta_charset(octets) if is_html else None)
        text = decode_strictly(octets, label)
        if text is None and (label is None or codec_of(label) == "ascii"):
            text = decode_strictly(octets, "utf-8")  # unlabelled UTF-8: no mail reader takes it for anything else
        if text is None:
            is_unknown = label is not None and codec_of(label) is None
            self._problem(ProblemKind.UNKNOWN_CHARSET if is_unknown else ProblemKind.UNDECODABLE_TEXT, path)
            text = decode_leniently(octets, label)
        if len(text) > max_chars:
            self._problem(ProblemKind.TEXT_TOO_LONG, path)
            text = text[:max_chars]
        return text

    def _add(
        self,
        where: str,
        path: tuple[int, ...],
        mapped: MappedText,
        *,
        marks: tuple[Mark, ...],
        links: tuple[Link, ...] = (),
        is_subject: bool = False,
    ) -> None:
        text, offsets = mapped.text, mapped.offsets
        if len(text) > self._chars_left:
            self._problem(ProblemKind.TEXT_TOO_LONG, path)
            text, offsets = text[: max(self._chars_left, 0)], offsets[: max(self._chars_left, 0)]
        self._chars_left -= len(text)
        if not text.strip():
            return
        zones = find_zones(text, marks=marks, notices=() if is_subject else self._notices)
        seen = tuple(link for link in links if link.end <= len(text))
        self._texts.append(
            ReadableText(where=where, part=path, text=text, zones=zones, source_offsets=offsets, links=seen)
        )

    def _problem(self, kind: ProblemKind, path: tuple[int, ...]) -> None:
        self._problems[Problem(kind=kind, part=path)] = None


def _leaves(root: Part) -> list[tuple[Part, bool]]:
    """Parts without children in the order of the bytes, each with whether it stands in a multipart/alternative."""
    leaves: list[tuple[Part, bool]] = []
    stack = [(root, False)]
    while stack:
        part, in_alternative = stack.pop()
        if not part.children:
            leaves.append((part, in_alternative))
            continue
        inside = in_alternative or part.content_type == "multipart/alternative"
        stack.extend((child, inside) for child in reversed(part.children))
    return leaves


def _is_displayable(part: Part) -> bool:
    """True for text, for what a reader shows as text, and for a multipart that could not be opened."""
    return part.content_type.startswith(("text/", "message/", "multipart/")) or part.content_type in _HTML_TYPES


def _where(part: Part, *, in_alternative: bool) -> str:
    is_attached = part.disposition == "attachment" or (
        part.filename is not None and not in_alternative and part.path != ()
    )
    if not is_attached:
        return "body"
    return f"attachment:{part.filename or 'part ' + '.'.join(str(number) for number in part.path)}"


def _meta_charset(octets: bytes) -> str | None:
    found = _META_CHARSET.search(octets[:_META_BYTES])
    return found[1].decode("ascii", "replace") if found else None
