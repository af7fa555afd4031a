"""Whose words a readable text holds: new text, quoted text, a signature, our own notice (English and French).

Careful in one direction: text wrongly called quoted would be hidden from the rules for new text, so whatever is in
doubt is NEW. Quoted are lines marked with `>`, elements that mail readers make for quotes, attributions above these,
and all that stands below a full block of header fields (forwarded inline, or answered above). Text between quotes is
NEW again. Called by `gateway.message.texts`; linear. The words of notices come from outside: this room knows no
policy.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, groupby, islice

from gateway.message.marks import Mark, MarkKind
from gateway.message.model import Zone, ZoneKind
from gateway.message.quotes import (
    attribution_start,
    is_dated,
    is_full_attribution,
    is_loose_attribution,
    is_quote_line,
    quoted_rest_start,
)
from gateway.message.signatures import signature_lines

_MAX_ATTRIBUTION_CHARS = 400
_MAX_SIGNATURE_CHARS = 1000
_MAX_SIGNATURE_LINES = 15
_MIN_REPLY_HEADER_FIELDS = 3
_MAX_REPLY_HEADER_LINES = 20
_MAX_BLANK_LINES = 3
_MAX_NOTICES = 1000
_MAX_EDGE = 80
_MAX_PATTERNS = 64
_WORD = re.compile(r"\w+")
_Kinds = list[ZoneKind]


def find_zones(text: str, *, marks: Sequence[Mark] = (), notices: Sequence[str] = ()) -> tuple[Zone, ...]:
    """Zones that cover the text in order, without gap or overlap; () for an empty text.

    `marks` are the claims of HTML elements; `notices` the plain texts of our own notices.
    """
    if not text:
        return ()
    lines = text.split("\n")
    kinds = [ZoneKind.QUOTED if is_quote_line(line) else ZoneKind.NEW for line in lines]
    maybe = _apply_marks(lines, kinds, marks) if marks else {}
    _find_quotes(lines, kinds, maybe)
    _fill_blanks(lines, kinds)
    _find_signatures(lines, kinds)
    return _with_notices(text, _merged(lines, kinds), notices)


def _apply_marks(lines: Sequence[str], kinds: _Kinds, marks: Sequence[Mark]) -> dict[int, int]:
    """Puts the believable claims of elements into `kinds`; returns first and end line of possible quotes."""
    starts = _line_starts(lines)
    maybe: dict[int, int] = {}
    quoted_until = maybe_until = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        covered = range(bisect_left(starts, mark.start), bisect_left(starts, mark.end))
        match mark.kind:
            case MarkKind.QUOTE:
                _set(kinds, range(max(covered.start, quoted_until), covered.stop), ZoneKind.QUOTED)
                quoted_until = max(quoted_until, covered.stop)
            case MarkKind.REPLY_HEADER if covered.start >= quoted_until and _is_reply_header(lines, covered):
                _set(kinds, range(covered.start, len(lines)), ZoneKind.QUOTED)
                quoted_until = len(lines)
            case MarkKind.ATTRIBUTION if _is_attribution(lines, mark, covered):
                _set(kinds, covered, ZoneKind.QUOTED)
            case MarkKind.SIGNATURE if covered.start >= quoted_until and _is_short(mark, covered):
                _set(kinds, covered, ZoneKind.SIGNATURE)
            case MarkKind.MAYBE_QUOTE if covered and covered.start >= max(quoted_until, maybe_until):
                maybe[covered.start] = maybe_until = covered.stop
            case _:
                pass
    return maybe


def _line_starts(lines: Sequence[str]) -> list[int]:
    return [0, *accumulate(len(line) + 1 for line in lines)][:-1]


def _set(kinds: _Kinds, covered: range, kind: ZoneKind) -> None:
    kinds[covered.start : covered.stop] = [kind] * len(covered)


def _is_reply_header(lines: Sequence[str], covered: range) -> bool:
    """True if at least three of the first lines look like header fields, one of them with a date."""
    head = lines[covered.start : min(covered.stop, covered.start + _MAX_REPLY_HEADER_LINES)]
    labelled = [line for line in head if ":" in line[:40]]
    return len(labelled) >= _MIN_REPLY_HEADER_FIELDS and any(is_dated(line) for line in labelled)


def _is_attribution(lines: Sequence[str], mark: Mark, covered: range) -> bool:
    if mark.end - mark.start > _MAX_ATTRIBUTION_CHARS:
        return False
    joined = " ".join(lines[covered.start : covered.stop])
    return is_dated(joined) or "@" in joined


def _is_short(mark: Mark, covered: range) -> bool:
    return mark.end - mark.start <= _MAX_SIGNATURE_CHARS and len(covered) <= _MAX_SIGNATURE_LINES


def _find_quotes(lines: Sequence[str], kinds: _Kinds, maybe: dict[int, int]) -> None:
    """Attributions above quotes, and older messages that go on to the end of the text."""
    last_quoted = max((index for index, kind in enumerate(kinds) if kind is ZoneKind.QUOTED), default=-1)
    for index in range(len(lines)):
        if kinds[index] is ZoneKind.QUOTED:
            continue
        if lines[index].rstrip().endswith(":"):
            start = attribution_start(lines, index)
            if start is None and is_loose_attribution(lines[index]):
                start = index
            below = _next_filled(lines, index + 1)
            if start is not None and below in maybe:
                _set(kinds, range(below, maybe[below]), ZoneKind.QUOTED)
            if start is not None and below < len(lines) and kinds[below] is ZoneKind.QUOTED:
                _set(kinds, range(start, below), ZoneKind.QUOTED)
            elif start is not None and last_quoted < index and is_full_attribution(lines[start : index + 1]):
                _set(kinds, range(start, len(lines)), ZoneKind.QUOTED)
                return
        if quoted_rest_start(lines, index):
            _set(kinds, range(index, len(lines)), ZoneKind.QUOTED)
            return


def _next_filled(lines: Sequence[str], index: int) -> int:
    end = min(index + _MAX_BLANK_LINES, len(lines))
    while index < end and not lines[index].strip():
        index += 1
    return index


def _fill_blanks(lines: Sequence[str], kinds: _Kinds) -> None:
    """Empty lines behind a quoted line are quoted, if quoted text or the end follows."""
    index = 0 if ZoneKind.QUOTED in kinds else len(lines)
    while index < len(lines):
        start = index
        while index < len(lines) and kinds[index] is ZoneKind.NEW and not lines[index].strip():
            index += 1
        is_behind_quote = start < index and start > 0 and kinds[start - 1] is ZoneKind.QUOTED
        if is_behind_quote and (index == len(lines) or kinds[index] is ZoneKind.QUOTED):
            _set(kinds, range(start, index), ZoneKind.QUOTED)
        index = max(index, start + 1)


def _find_signatures(lines: Sequence[str], kinds: _Kinds) -> None:
    start = 0
    for kind, run in groupby(list(kinds)):
        end = start + sum(1 for _ in run)
        if kind is ZoneKind.NEW:
            for found in signature_lines(lines[start:end]):
                _set(kinds, range(start + found.start, start + found.stop), ZoneKind.SIGNATURE)
        start = end


def _merged(lines: Sequence[str], kinds: _Kinds) -> list[Zone]:
    """Runs of lines of one kind as zones; a line end belongs to its line, the last line has none."""
    zones: list[Zone] = []
    position = index = 0
    for kind, run in groupby(kinds):
        count = sum(1 for _ in run)
        end = position + sum(len(line) + 1 for line in lines[index : index + count])
        index += count
        end -= index == len(lines)
        if end > position:
            zones.append(Zone(kind=kind, start=position, end=end))
        position = end
    return zones


def _with_notices(text: str, zones: list[Zone], notices: Iterable[str]) -> tuple[Zone, ...]:
    """The zones, with our own notices cut out of those that are not quoted."""
    spans = _notice_spans(text, notices)
    if not spans:
        return tuple(zones)
    cut: list[Zone] = []
    for zone in zones:
        position = zone.start
        for span in spans if zone.kind is not ZoneKind.QUOTED else ():
            start, end = max(span[0], position), min(span[1], zone.end)
            if start >= end:
                continue
            if start > position:
                cut.append(Zone(kind=zone.kind, start=position, end=start))
            cut.append(Zone(kind=ZoneKind.NOTICE, start=start, end=end))
            position = end
        if position < zone.end:
            cut.append(Zone(kind=zone.kind, start=position, end=zone.end))
    return tuple(cut)


def _notice_spans(text: str, notices: Iterable[str]) -> list[tuple[int, int]]:
    """Where a notice stands with all of its words in order, whatever the spaces, case and punctuation; in order."""
    lowered = text.lower()
    if len(lowered) != len(text):
        return []
    spans: list[tuple[int, int]] = []
    for notice in notices:
        longest_word, pattern = _notice_pattern(notice)
        if longest_word and longest_word in lowered:
            found = islice(pattern.finditer(lowered), _MAX_NOTICES - len(spans))
            spans.extend(_whole_lines(text, match.start(), match.end()) for match in found)
    return _disjoint(spans)


@lru_cache(maxsize=_MAX_PATTERNS)
def _notice_pattern(notice: str) -> tuple[str, re.Pattern[str]]:
    """The longest word of a notice, a cheap test that most texts fail, and a pattern of all its words in order.

    The pattern begins with the first word, which is what the engine can look for fast, and asks then what stands
    before that. The words hold letters, digits and `_` alone: no sign of a pattern.
    """
    first, *others = _WORD.findall(notice.lower()) or [""]
    pattern = r"\W++".join([rf"{first}(?<!\w{first})", *others]) + r"(?!\w)"
    return max([first, *others], key=len), re.compile(pattern)


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The span with the rest of its first and last line, where no word stands in that."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end + 1
    is_free_before = start - line_start <= _MAX_EDGE and _WORD.search(text, line_start, start) is None
    is_free_behind = line_end - end <= _MAX_EDGE and _WORD.search(text, end, line_end) is None
    return line_start if is_free_before else start, line_end if is_free_behind else end


def _disjoint(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
