"""The difference between a message as a mail server told it and as it is to leave, as milter edits. Pure.

The plan is bytes; the mail server takes commands: fields on top, fields changed or taken out by their number among
those of their name, fields at the end of the header, a new body. Called by `gateway.doors.milter_session`.

Order matters, because numbers count what stands there at the moment: first what is changed or taken out, from the
bottom up, then what is added, and what goes on top at the very last. Sendmail `mfapi`, Postfix MILTER_README.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.doors.milter_packets import (
    CHUNK_BYTES,
    Say,
    add_header_packet,
    change_header_packet,
    insert_header_packet,
    packet,
)

_PIECE_BYTES = 1 << 18
_FIELD_START = re.compile(rb"(?<=\n)(?![ \t])")


@dataclass(slots=True, kw_only=True)
class HeaderDifference:
    """What happens to the header: numbers into the old fields, whole fields with their line ends for the new ones."""

    changed: list[tuple[int, bytes]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    on_top: list[bytes] = field(default_factory=list)
    at_end: list[bytes] = field(default_factory=list)


def edits(
    before: bytes, after: bytes, *, received: bytes, has_leading_space: bool, can_insert: bool = True
) -> tuple[bytes, ...]:
    """The packets that turn `before` into `after`, without the trace field `received`: the mail server adds its own.

    Both are whole messages with CRLF line ends. `has_leading_space` says that values carry the space behind the colon
    (SMFIP_HDR_LEADSPC). A field that `after` has between old ones, and not on top, comes at the end of the header; all
    new ones do for a mail server that does not know of inserting (`can_insert`).
    """
    old_head, old_body_at = _head(before)
    new_head, new_body_at = _head(after)
    old, new = _fields(old_head), _fields(new_head)
    if received in new:
        new.remove(received)
    difference = header_difference(old, new)
    return (
        *_header_packets(old, difference, has_leading_space=has_leading_space, can_insert=can_insert),
        *_body_packets(before, old_body_at, after, new_body_at),
    )


def header_difference(old: list[bytes], new: list[bytes]) -> HeaderDifference:
    """How the new fields come from the old ones. Linear: one walk from the bottom to the top.

    Fields that stay the same octets in the same order are never touched.
    """
    told = HeaderDifference()
    same = _common_end(old, new)
    old, new = old[: len(old) - same], new[: len(new) - same]
    left_old, left_new = Counter(old), Counter(new)
    old_names, new_names = Counter(map(_name, old)), Counter(map(_name, new))
    i, j = len(old) - 1, len(new) - 1
    while j >= 0 and i >= 0:
        is_same = old[i] == new[j]
        is_kept, is_known = left_new[old[i]] > 0, left_old[new[j]] > 0
        is_changed = not is_same and not is_kept and not is_known and _name(old[i]) == _name(new[j])
        is_added = not is_known and (is_kept or (new_names[_name(old[i])] > 0 and old_names[_name(new[j])] == 0))
        takes_new = is_same or is_changed or is_added
        takes_old = is_same or not takes_new or is_changed
        if is_changed:
            told.changed.append((i, new[j]))
        elif takes_new and not is_same:
            told.at_end.append(new[j])
        elif takes_old and not is_same:
            told.removed.append(i)
        if takes_old:
            left_old[old[i]] -= 1
            old_names[_name(old[i])] -= 1
            i -= 1
        if takes_new:
            left_new[new[j]] -= 1
            new_names[_name(new[j])] -= 1
            j -= 1
    told.removed.extend(range(i, -1, -1))
    told.on_top.extend(new[: j + 1])
    told.at_end.reverse()
    return told


def _common_end(old: list[bytes], new: list[bytes]) -> int:
    """How many fields at the end of both are the same: all the old ones, for most messages."""
    if new[max(0, len(new) - len(old)) :] == old:
        return len(old)
    count = 0
    for one, other in zip(reversed(old), reversed(new), strict=False):
        if one != other:
            break
        count += 1
    return count


def _header_packets(
    old: list[bytes], told: HeaderDifference, *, has_leading_space: bool, can_insert: bool
) -> Iterator[bytes]:
    numbers = _numbers(old) if told.changed or told.removed else ()
    touched = sorted([*told.changed, *((at, b"") for at in told.removed)], reverse=True)
    for at, now in touched:
        name = _bare_name(now or old[at])
        yield change_header_packet(numbers[at], name, _value(now, has_leading_space) if now else b"")
    for each in told.at_end if can_insert else (*told.on_top, *told.at_end):
        yield add_header_packet(_bare_name(each), _value(each, has_leading_space))
    for each in reversed(told.on_top) if can_insert else ():
        yield insert_header_packet(0, _bare_name(each), _value(each, has_leading_space))


def _body_packets(before: bytes, old_at: int, after: bytes, new_at: int) -> Iterator[bytes]:
    """The new body in packets, if it is another one; at least one packet, even for an empty body."""
    if _is_same_end(before, old_at, after, new_at):
        return
    for start in range(new_at, max(len(after), new_at + 1), CHUNK_BYTES):
        yield packet(Say.REPLACE_BODY, after[start : start + CHUNK_BYTES])


def _is_same_end(one: bytes, one_at: int, other: bytes, other_at: int) -> bool:
    """True if both are the same octets from there on. In pieces: no copy of the whole, and quicker than memoryviews."""
    count = len(one) - one_at
    return count == len(other) - other_at and all(
        one[one_at + at : one_at + at + _PIECE_BYTES] == other[other_at + at : other_at + at + _PIECE_BYTES]
        for at in range(0, count, _PIECE_BYTES)
    )


def _head(message: bytes) -> tuple[bytes, int]:
    """The header with its line ends, and where the body begins."""
    if message.startswith(b"\r\n"):
        return b"", 2
    end = message.find(b"\r\n\r\n")
    return (message, len(message)) if end < 0 else (message[: end + 2], end + 4)


def _fields(head: bytes) -> list[bytes]:
    return _FIELD_START.split(head)[:-1] if head.endswith(b"\n") else _FIELD_START.split(head) if head else []


def _bare_name(whole: bytes) -> bytes:
    return whole.partition(b":")[0].rstrip(b" \t")


def _name(whole: bytes) -> bytes:
    return _bare_name(whole).lower()


def _value(whole: bytes, has_leading_space: bool) -> bytes:
    """What stands behind the colon, folded with line feeds alone, as the protocol wants it."""
    value = whole.partition(b":")[2].removesuffix(b"\r\n").replace(b"\r\n", b"\n")
    return value if has_leading_space else value.removeprefix(b" ")


def _numbers(fields: list[bytes]) -> tuple[int, ...]:
    """For each field, the how-manieth of its name it is, from 1."""
    seen: Counter[bytes] = Counter()
    numbers = []
    for each in fields:
        name = _name(each)
        seen[name] += 1
        numbers.append(seen[name])
    return tuple(numbers)
