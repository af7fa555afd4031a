"""A readable text cut into segments: whose words each is, and which findings cover it. Pure.

The segments of a text, one after the other, are the text again. Findings may overlap, end with the text, or reach
beyond it: then they are cut off. Not a page: `explain_page` and the command lay segments out. Called by `report`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from gateway.message.model import ReadableText, ZoneKind

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The finding of that number covers characters `start` to `end` of a text; empty if they are equal."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Neighbouring characters of one zone under the same findings.

    `numbers` are those of the findings that cover it, `ending` those of them that reach no further.
    """

    text: str
    zone: ZoneKind
    numbers: tuple[int, ...] = ()
    ending: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Neighbouring segments of one zone."""

    zone: ZoneKind
    segments: tuple[Segment, ...]


def segments(text: ReadableText, marks: Sequence[Mark]) -> tuple[Segment, ...]:
    """The text in segments, none of them empty; their texts joined are `text.text`."""
    size = len(text.text)
    cut = [(mark.number, max(0, mark.start), min(size, mark.end)) for mark in marks]
    spans = [(number, start, end) for number, start, end in cut if start < end]
    edges = {0, size, *(edge for _, start, end in spans for edge in (start, end))}
    edges |= {min(size, edge) for zone in text.zones for edge in (zone.start, zone.end)}
    opening: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    for number, start, end in spans:
        opening.setdefault(start, []).append(number)
        closing.setdefault(end, []).append(number)
    found, open_numbers = [], set[int]()
    zones = iter(text.zones)
    zone = next(zones, None)
    for start, end in pairwise(sorted(edges)):
        while zone is not None and zone.end <= start:
            zone = next(zones, None)
        open_numbers |= set(opening.get(start, ()))
        ending = tuple(sorted(closing.get(end, ())))
        found.append(
            Segment(
                text=text.text[start:end],
                zone=zone.kind if zone is not None and zone.start <= start else ZoneKind.NEW,
                numbers=tuple(sorted(open_numbers)),
                ending=ending,
            )
        )
        open_numbers -= set(ending)
    return tuple(found)


def blocks(parts: Iterable[Segment]) -> tuple[Block, ...]:
    """The segments gathered by zone, in their order."""
    return tuple(Block(zone=zone, segments=tuple(group)) for zone, group in groupby(parts, key=lambda part: part.zone))


def shown(text: str) -> str:
    """The text with what can't be seen, or turns the line's direction, written out, as `‹U+202E›`."""
    return _UNSEEN.sub(lambda char: f"‹U+{ord(char[0]):04X}›", text)


def shortened(text: str, *, most: int = 2000, keep: int = 500) -> str:
    """The text, or its first and last `keep` characters and the number of those between, if it has over `most`."""
    if len(text) <= most:
        return text
    return f"{text[:keep]}\n[... {len(text) - 2 * keep} characters ...]\n{text[-keep:]}"
