"""Header fields found in bytes: where each begins and ends, and where the body begins.

Knows nothing of what fields mean, nor of parts. Called by `gateway.message.structure`. RFC 5322 sections 2.2 and 3.6.8;
where a head has no empty line, the first line that can't be a field begins the body, as Postfix and sendmail read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.message.limits import Limits
from gateway.message.model import HeaderField, ProblemKind
from gateway.message.words import header_text

_NAME = re.compile(rb"([!-9;-~]+)([ \t]*):")
_WHOLE_FIELD = re.compile(rb"([!-,.-9;-~][!-9;-~]*):[^\n]*\n(?:[ \t][^\n]*\n){0,40}(?![ \t])")
_MBOX_LINE = re.compile(rb">*From (?![ \t]*:)")
_LINES_A_FIELD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The fields from `start_byte` on. The body begins at `body_start_byte`, behind the empty line if there is one.

    `stopped_at_delimiter` says that a delimiter line of an enclosing multipart came before any empty line.
    """

    fields: tuple[HeaderField, ...]
    start_byte: int
    body_start_byte: int
    problems: tuple[ProblemKind, ...]
    stopped_at_delimiter: bool = False


def read_head(
    raw: bytes, start_byte: int, *, limits: Limits, max_fields: int, is_delimiter: Callable[[bytes], bool]
) -> Head:
    """The head that begins at `start_byte`, of which at most `max_fields` fields are kept.

    `is_delimiter` says of a line that begins with two hyphens, without its line end, whether it ends the part.
    """
    scan = _Scan(raw=raw, limits=limits, max_fields=max_fields)
    position = start_byte
    if start_byte == 0 and (mbox := _MBOX_LINE.match(raw)) is not None:
        scan.problems.append(ProblemKind.MALFORMED_HEADER)
        start_byte = position = _line_end(raw, mbox.end())
    while position < len(raw):
        if (whole := _WHOLE_FIELD.match(raw, position)) is not None and scan.take_field(whole):
            position = whole.end()
            continue
        end = _line_end(raw, position)
        line = raw[position:end].rstrip(b"\n").removesuffix(b"\r")
        if not line:
            return scan.head(start_byte, end)
        if line.startswith(b"--") and is_delimiter(line):
            scan.problems.append(ProblemKind.NO_BLANK_LINE)
            return scan.head(start_byte, position, stopped=True)
        if scan.lines >= limits.max_header_fields * _LINES_A_FIELD:
            scan.problems.append(ProblemKind.TOO_MANY_HEADERS)
            return scan.head(start_byte, position)
        if not scan.take_line(line, position, end):
            scan.problems.append(ProblemKind.NO_BLANK_LINE)
            return scan.head(start_byte, position)
        position = end
    scan.problems.append(ProblemKind.NO_BLANK_LINE)
    return scan.head(start_byte, len(raw))


def _line_end(raw: bytes, position: int) -> int:
    """The offset behind the line feed that ends the line at `position`."""
    newline = raw.find(b"\n", position)
    return len(raw) if newline < 0 else newline + 1


class _Scan:
    """The field that is being read, and those before it."""

    def __init__(self, *, raw: bytes, limits: Limits, max_fields: int) -> None:
        self.raw = raw
        self.limits = limits
        self.max_fields = max_fields
        self.problems: list[ProblemKind] = []
        self.lines = 0
        self._fields: list[HeaderField] = []
        self._open: tuple[str, int, int] | None = None
        self._end = 0

    def take_field(self, whole: re.Match[bytes]) -> bool:
        """Takes a field with all its lines at once; False, and nothing is taken, where each has to be looked at."""
        start, end = whole.span()
        lines = self.lines + whole[0].count(b"\n")
        if end - start > self.limits.max_header_line_bytes or lines > self.limits.max_header_fields * _LINES_A_FIELD:
            return False
        self.lines = lines
        if self._open is not None:
            self._close()
        self._keep(whole[1].decode("ascii"), start, whole.end(1) + 1, end)
        return True

    def take_line(self, line: bytes, start: int, end: int) -> bool:
        """Takes a line that is neither empty nor a delimiter; False if no field can begin or go on with it."""
        self.lines += 1
        if line[:1] in b" \t":
            if self._open is None:
                return False
        else:
            name = _NAME.match(line)
            if name is None:
                return False
            if name[2]:
                self.problems.append(ProblemKind.MALFORMED_HEADER)
            self._close()
            self._open = (name[1].decode("ascii"), start, start + name.end())
        if len(line) > self.limits.max_header_line_bytes:
            self.problems.append(ProblemKind.HEADER_TOO_LONG)
        self._end = end
        return True

    def head(self, start_byte: int, body_start_byte: int, *, stopped: bool = False) -> Head:
        """Everything taken so far as a Head."""
        self._close()
        return Head(
            fields=tuple(self._fields),
            start_byte=start_byte,
            body_start_byte=body_start_byte,
            problems=tuple(dict.fromkeys(self.problems)),
            stopped_at_delimiter=stopped,
        )

    def _close(self) -> None:
        if self._open is None:
            return
        name, start, value_start = self._open
        self._open = None
        self._keep(name, start, value_start, self._end)

    def _keep(self, name: str, start: int, value_start: int, end: int) -> None:
        if len(self._fields) >= self.max_fields:
            self.problems.append(ProblemKind.TOO_MANY_HEADERS)
            return
        value_raw = self.raw[value_start:end].removesuffix(b"\n").removesuffix(b"\r")
        self._fields.append(
            HeaderField(
                name=name,
                value_raw=value_raw,
                value=header_text(value_raw[: self.limits.max_header_line_bytes]),
                start_byte=start,
                end_byte=end,
            )
        )
