"""The MIME tree as byte ranges: one pass over the delimiter lines, no recursion, any bytes.

Delimiters match as whole lines, never as prefixes, with white space allowed behind them (RFC 2046 section 5.1.1); a
delimiter of an outer multipart closes the inner ones. message/rfc822 stays opaque here. Decodes no body.
Called by `gateway.message.parse` and, for the text of attached messages, by `gateway.message.texts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.message.fields import Head, read_head
from gateway.message.limits import Limits
from gateway.message.model import HeaderField, Part, Problem, ProblemKind
from gateway.message.parameters import (
    Structured,
    filename_text,
    read_content_type,
    read_disposition,
    read_encoding,
)
from gateway.message.search import find_mark
from gateway.message.transfer import is_known_encoding

_PART_HEADS = 5
_MAX_HYPHEN_LINES = 200_000
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? !\"#$%&*;<>@\[\\\]^`{|}~]{0,199}[^\s\x00-\x1f\x7f-\U0010ffff]")
_NO_PARAMETERS = Structured(value="", parameters=())
_SINGLE = frozenset(
    {
        "from", "sender", "reply-to", "to", "cc", "bcc", "date", "message-id", "subject", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The tree of a message and what is wrong with its form."""

    root: Part
    problems: tuple[Problem, ...]


@dataclass(slots=True, kw_only=True)
class _Node:
    """A part while its end is not known."""

    path: tuple[int, ...]
    head: Head
    content_type: Structured
    encoding: str
    disposition: str | None
    filename: str | None
    body_end_byte: int = -1
    boundary: bytes | None = None
    children: list[_Node] = field(default_factory=list)


def read_structure(raw: bytes, *, limits: Limits) -> Structure:
    """The parts of a message. The root's ranges cover the message, but for an mbox `From ` line on top of it."""
    return _Walk(raw, limits).run()


class _Walk:
    """The multiparts that are open at the current line, innermost last."""

    def __init__(self, raw: bytes, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits
        self._problems: dict[Problem, None] = {}
        self._open: list[_Node] = []
        self._level_of: dict[bytes, list[int]] = {}
        self._leaf: _Node | None = None
        self._part_count = 1
        self._fields_left = limits.max_header_fields * _PART_HEADS

    def run(self) -> Structure:
        root = self._enter(0, (), "text/plain")
        position = root.head.body_start_byte
        hyphen_lines = 0
        while self._open:
            line_start = self._next_hyphens(position)
            if line_start < 0:
                break
            line_end = self._raw.find(b"\n", line_start)
            line_end = len(self._raw) if line_end < 0 else line_end + 1
            position = line_end
            found = self._delimiter(self._raw[line_start:line_end])
            if found is None:
                hyphen_lines += 1
                if hyphen_lines > _MAX_HYPHEN_LINES:
                    self._problem(ProblemKind.TOO_MANY_PARTS, self._open[-1].path)
                    break
                continue
            level, is_close = found
            self._close_to(level, line_start)
            if is_close:
                self._close_multipart()
            elif self._part_count >= self._limits.max_parts:
                self._problem(ProblemKind.TOO_MANY_PARTS, self._open[-1].path)
                break
            else:
                position = self._begin_part(line_end)
        self._end_all()
        return Structure(root=_frozen(root), problems=tuple(self._problems))

    def _next_hyphens(self, position: int) -> int:
        """The start of the next line from `position` on that begins with two hyphens, or -1."""
        if self._raw.startswith(b"--", position) and (position == 0 or self._raw[position - 1] == 0x0A):
            return position
        found = find_mark(self._raw, b"\n--", position)
        return found + 1 if found >= 0 else -1

    def _delimiter(self, line: bytes) -> tuple[int, bool] | None:
        """The index in `_open` of the multipart that this line delimits, and whether it closes it."""
        word = line[2:300].rstrip(b" \t\r\n")
        if len(line) > 300 and line[300:].strip(b" \t\r\n"):
            return None
        opens = self._level_of.get(word)
        closes = self._level_of.get(word[:-2]) if word.endswith(b"--") else None
        if opens and closes:
            self._problem(ProblemKind.BAD_BOUNDARY, self._open[max(opens[-1], closes[-1])].path)
        if opens and (not closes or opens[-1] > closes[-1]):
            return opens[-1], False
        return (closes[-1], True) if closes else None

    def _begin_part(self, start: int) -> int:
        """Enters a child of the innermost multipart; the offset at which to look for the next delimiter."""
        parent = self._open[-1]
        default = "message/rfc822" if parent.content_type.value == "multipart/digest" else "text/plain"
        self._part_count += 1
        child = self._enter(start, (*parent.path, len(parent.children) + 1), default)
        parent.children.append(child)
        return child.head.body_start_byte

    def _enter(self, start: int, path: tuple[int, ...], default: str) -> _Node:
        is_root = not path
        head = read_head(
            self._raw,
            start,
            limits=self._limits,
            max_fields=self._limits.max_header_fields if is_root else max(0, self._fields_left),
            is_delimiter=lambda line: self._delimiter(line) is not None,
        )
        if not is_root:
            self._fields_left -= len(head.fields)
        node = self._node(path, head, default)
        if node.content_type.value.startswith("multipart/") and not head.stopped_at_delimiter:
            self._open_multipart(node)
        if node.boundary is None:
            self._leaf = node
        return node

    def _node(self, path: tuple[int, ...], head: Head, default: str) -> _Node:
        for kind in head.problems:
            self._problem(kind, path)
        named = self._first_of_each(path, head.fields)
        content_type = Structured(value=default, parameters=())
        if (first := named.get("content-type")) is not None:
            content_type = read_content_type(first.value_raw, default=default)
        disposition = _NO_PARAMETERS
        has_disposition = (first := named.get("content-disposition")) is not None
        if first is not None:
            disposition = read_disposition(first.value_raw)
        encoding = "7bit"
        if (first := named.get("content-transfer-encoding")) is not None:
            encoding = read_encoding(first.value_raw)
        if not is_known_encoding(encoding):
            self._problem(ProblemKind.BAD_TRANSFER_ENCODING, path)
        for kind in (*content_type.problems, *disposition.problems):
            self._problem(kind, path)
        name = disposition.parameter("filename") or content_type.parameter("name")
        return _Node(
            path=path,
            head=head,
            content_type=content_type,
            encoding=encoding,
            disposition=disposition.value if has_disposition else None,
            filename=filename_text(name) if name else None,
        )

    def _open_multipart(self, node: _Node) -> None:
        """Pushes a multipart, if its boundary can be used and it is not too deep; else it stays a leaf."""
        if len(node.path) >= self._limits.max_depth:
            self._problem(ProblemKind.TOO_DEEP, node.path)
            return
        boundary = (node.content_type.parameter("boundary") or "").rstrip()
        if not boundary or len(boundary.encode("utf-8", "replace")) > 250:
            self._problem(ProblemKind.BAD_BOUNDARY, node.path)
            return
        if _BOUNDARY.fullmatch(boundary) is None:
            self._problem(ProblemKind.BAD_BOUNDARY, node.path)
        if node.encoding not in {"7bit", "8bit", "binary"}:
            self._problem(ProblemKind.BAD_TRANSFER_ENCODING, node.path)
        node.boundary = boundary.encode("utf-8", "replace")
        levels = self._level_of.setdefault(node.boundary, [])
        if levels:
            self._problem(ProblemKind.BAD_BOUNDARY, node.path)
        levels.append(len(self._open))
        self._open.append(node)
        self._leaf = None

    def _close_to(self, level: int, line_start: int) -> None:
        """Ends the current leaf and every multipart inside of `level` before the delimiter at `line_start`."""
        end = line_start
        if self._raw.endswith(b"\n", 0, end):
            end -= 1
            if self._raw.endswith(b"\r", 0, end):
                end -= 1
        if self._leaf is not None:
            self._leaf.body_end_byte = max(end, self._leaf.head.body_start_byte)
            self._leaf = None
        while len(self._open) - 1 > level:
            inner = self._pop()
            inner.body_end_byte = max(end, inner.head.body_start_byte)
            self._problem(ProblemKind.UNCLOSED_MULTIPART, inner.path)

    def _close_multipart(self) -> None:
        """Takes the innermost multipart off the stack; its epilogue lasts until the next delimiter further out."""
        closed = self._pop()
        if self._open:
            self._leaf = closed
        else:
            closed.body_end_byte = len(self._raw)

    def _pop(self) -> _Node:
        node = self._open.pop()
        assert node.boundary is not None
        self._level_of[node.boundary].pop()
        return node

    def _end_all(self) -> None:
        """Ends what is open at the end of the message."""
        size = len(self._raw)
        if self._leaf is not None:
            self._leaf.body_end_byte = size
        while self._open:
            node = self._pop()
            node.body_end_byte = size
            self._problem(ProblemKind.UNCLOSED_MULTIPART, node.path)

    def _first_of_each(self, path: tuple[int, ...], fields: tuple[HeaderField, ...]) -> dict[str, HeaderField]:
        """The topmost field of each name, in lower case; one that may stand once only and does not is named."""
        found: dict[str, HeaderField] = {}
        for entry in fields:
            name = entry.name.lower()
            if name not in found:
                found[name] = entry
            elif name in _SINGLE:
                self._problem(ProblemKind.DUPLICATE_FIELD, path)
        return found

    def _problem(self, kind: ProblemKind, path: tuple[int, ...]) -> None:
        self._problems[Problem(kind=kind, part=path)] = None


def _frozen(root: _Node) -> Part:
    """The tree as Parts, children before parents, without recursion."""
    order = [root]
    for node in order:
        order.extend(node.children)
    made: dict[tuple[int, ...], Part] = {}
    for node in reversed(order):
        made[node.path] = Part(
            path=node.path,
            content_type=node.content_type.value,
            parameters=node.content_type.parameters,
            charset=node.content_type.parameter("charset"),
            encoding=node.encoding,
            disposition=node.disposition,
            filename=node.filename,
            headers=node.head.fields,
            header_start_byte=node.head.start_byte,
            body_start_byte=node.head.body_start_byte,
            body_end_byte=node.body_end_byte,
            children=tuple(made.pop(child.path) for child in node.children),
        )
    return made[root.path]
