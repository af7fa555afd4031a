from __future__ import annotations

from gateway.message.marks import Mark, MarkKind, mark_of


def test_a_mark_learns_its_end_later() -> None:
    mark = mark_of("blockquote", {"type": "CITE"}, start=4)
    assert mark is not None
    assert mark.ended_at(9) == Mark(kind=MarkKind.QUOTE, start=4, end=9)


def test_an_attribute_without_value_is_no_claim() -> None:
    assert mark_of("div", {"class": None, "id": None}, start=0) is None
