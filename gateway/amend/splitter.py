"""A second, small parser of MIME structure, to check by: leaves as byte ranges, found in a way of its own.

It recurses into the ranges of each multipart and looks for its delimiter alone, where `gateway.message.structure` goes
over all lines once; it shares no code with it. Not a reader of text. Called by `gateway.amend.assertion`.
RFC 2046 section 5.1.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_DEPTH = 60
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_COMMENT = re.compile(rb"\([^()]*\)")
_BOUNDARY = re.compile(
    rb"""[;\s]boundary\*?[ \t]*=[ \t\r\n]*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))""", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A leaf: its place among the leaves, its bytes as ranges, its fields as (lower-case name, start, end)."""

    path: tuple[int, ...]
    content_type: bytes
    fields: tuple[tuple[bytes, int, int], ...]
    start_byte: int
    body_start_byte: int
    end_byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    fields: tuple[tuple[bytes, int, int], ...]
    body_start_byte: int

    def value(self, raw: bytes, name: bytes) -> bytes | None:
        for field, start, end in self.fields:
            if field == name:
                return raw[start:end].split(b":", 1)[1]
        return None


def head_fields(raw: bytes) -> tuple[tuple[bytes, int, int], ...]:
    """The fields of the message's own head as (lower-case name, start, end)."""
    return _head(raw, 0, len(raw)).fields


def root_body(raw: bytes) -> int:
    """Where the message's own body begins."""
    return _head(raw, 0, len(raw)).body_start_byte


def root_children(raw: bytes) -> list[tuple[int, int]]:
    """The ranges of the entities of which the message consists; [] if it is no multipart."""
    head = _head(raw, 0, len(raw))
    value = head.value(raw, b"content-type")
    if value is None or not (_media_type(value) or b"").startswith(b"multipart/"):
        return []
    boundary = _boundary(value)
    return [] if boundary is None else _children(raw, head.body_start_byte, len(raw), boundary)


def leaves(raw: bytes) -> list[Entity]:
    """The parts without parts of their own, in order; attached messages are leaves."""
    found: list[Entity] = []
    _split(raw, 0, len(raw), (), b"text/plain", found)
    return found


def _split(raw: bytes, start: int, end: int, path: tuple[int, ...], default: bytes, found: list[Entity]) -> None:
    head = _head(raw, start, end)
    value = head.value(raw, b"content-type")
    content_type = default if value is None else _media_type(value) or default
    boundary = _boundary(value) if value is not None and content_type.startswith(b"multipart/") else None
    ranges = [] if boundary is None else _children(raw, head.body_start_byte, end, boundary)
    if not ranges or len(path) >= _MAX_DEPTH:
        found.append(
            Entity(
                path=path,
                content_type=content_type,
                fields=head.fields,
                start_byte=start,
                body_start_byte=head.body_start_byte,
                end_byte=end,
            )
        )
        return
    inner = b"message/rfc822" if content_type == b"multipart/digest" else b"text/plain"
    for number, (child_start, child_end) in enumerate(ranges, start=1):
        _split(raw, child_start, child_end, (*path, number), inner, found)


def _children(raw: bytes, start: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
    """The ranges between the delimiter lines, without the line ends that belong to these."""
    marker = b"--" + boundary
    ranges: list[tuple[int, int]] = []
    opened = -1
    at = raw.find(marker, start, end)
    while at >= 0:
        line_end = raw.find(b"\n", at, end)
        line_end = end if line_end < 0 else line_end + 1
        rest = raw[at + len(marker) : line_end].rstrip(b" \t\r\n")
        if (at == start or raw[at - 1] == 0x0A) and rest in {b"", b"--"}:
            if opened >= 0:
                ranges.append((opened, max(opened, _without_line_end(raw, at))))
            opened = line_end if rest == b"" else -1
            if rest:
                break
        at = raw.find(marker, line_end if rest in {b"", b"--"} else at + 2, end)
    if opened >= 0:
        ranges.append((opened, end))
    return ranges


def _without_line_end(raw: bytes, at: int) -> int:
    if raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1 if raw[at - 1 : at] == b"\n" else at


def _head(raw: bytes, start: int, end: int) -> _Head:
    fields: list[tuple[bytes, int, int]] = []
    position = start
    while position < end:
        newline = raw.find(b"\n", position, end)
        line_end = end if newline < 0 else newline + 1
        if raw[position:line_end] in {b"\r\n", b"\n"}:
            return _Head(fields=tuple(fields), body_start_byte=line_end)
        if raw[position] in b" \t" and fields:
            name, field_start, _ = fields[-1]
            fields[-1] = (name, field_start, line_end)
        elif (match := _FIELD.match(raw, position, line_end)) is not None:
            fields.append((match[1].lower(), position, line_end))
        elif not (position == 0 and raw.startswith((b"From ", b">From "))):
            break
        position = line_end
    return _Head(fields=tuple(fields), body_start_byte=position)


def _media_type(value: bytes) -> bytes:
    return b"".join(_COMMENT.sub(b"", value).split(b";", 1)[0].split()).lower()


def _boundary(value: bytes) -> bytes | None:
    match = _BOUNDARY.search(re.sub(rb"\r?\n(?=[ \t])", b"", value))
    if match is None:
        return None
    quoted, bare = match[1], match[2]
    boundary = bare if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)
    return boundary.rstrip() or None
