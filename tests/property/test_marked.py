"""Segments of any text under any findings, overlapping or reaching beyond it, are the text again."""

from __future__ import annotations

import itertools
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gateway.message.model import ReadableText, Zone, ZoneKind
from gateway.policy.marked import Mark, blocks, segments, shortened, shown


@st.composite
def texts(draw: st.DrawFn) -> ReadableText:
    text = draw(st.text(max_size=60))
    edges = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=4))})
    zones = tuple(
        Zone(kind=draw(st.sampled_from(ZoneKind)), start=start, end=end) for start, end in itertools.pairwise(edges)
    )
    return ReadableText(where="body", part=(), text=text, zones=zones, source_offsets=range(len(text)))


spans = st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=6)


@given(texts(), spans)
def test_segments_give_back_the_text_and_know_who_covers_them(
    text: ReadableText, given_spans: list[tuple[int, int]]
) -> None:
    marks = [Mark(number=number, start=start, end=end) for number, (start, end) in enumerate(given_spans, start=1)]
    found = segments(text, marks)
    assert "".join(part.text for part in found) == text.text
    assert all(part.text for part in found)
    offset = 0
    for part in found:
        for index in range(offset, offset + len(part.text)):
            covering = {mark.number for mark in marks if mark.start <= index < mark.end}
            assert set(part.numbers) == covering
            assert part.zone is text.zone_at(index)
        offset += len(part.text)
    seen = {mark.number for mark in marks if max(0, mark.start) < min(len(text.text), mark.end)}
    assert sorted(number for part in found for number in part.ending) == sorted(seen)
    assert tuple(part for block in blocks(found) for part in block.segments) == found


@given(st.text())
def test_what_is_shown_has_no_control_and_turns_no_line(text: str) -> None:
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert all(char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"} for char in shown(text))
    assert not {unicodedata.bidirectional(char) for char in shown(text)} & turning
    assert not set(shown(text)) & set("\x1b\u202e\u2066\u200f\x00\r")


@given(st.text(max_size=80))
def test_a_long_text_is_shortened_from_its_middle(text: str) -> None:
    short = shortened(text, most=20, keep=5)
    assert short == text if len(text) <= 20 else (short.startswith(text[:5]) and short.endswith(text[-5:]))
