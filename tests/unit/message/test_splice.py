from __future__ import annotations

import tracemalloc

import pytest

from gateway.message.splice import Splice, apply_splices


def at(start: int, end: int, replacement: bytes) -> Splice:
    return Splice(start_byte=start, end_byte=end, replacement=replacement)


def test_no_splice_changes_nothing() -> None:
    assert apply_splices(b"abc", []) == b"abc"


def test_offsets_count_in_the_original() -> None:
    assert apply_splices(b"abcdef", [at(4, 5, b"E!"), at(0, 1, b"")]) == b"bcdE!f"


def test_insertions_at_one_place_keep_their_order_and_stand_before_a_replacement() -> None:
    assert apply_splices(b"abc", [at(1, 2, b"B"), at(1, 1, b"1"), at(1, 1, b"2")]) == b"a12Bc"


@pytest.mark.parametrize(
    "splices", [[at(0, 2, b""), at(1, 3, b"")], [at(2, 1, b"")], [at(0, 9, b"")], [at(-1, 0, b"")]]
)
def test_impossible_splices_are_refused(splices: list[Splice]) -> None:
    with pytest.raises(ValueError):
        apply_splices(b"abc", splices)


def test_a_large_message_is_held_twice_and_no_more() -> None:
    raw = b"x" * 4_000_000
    tracemalloc.start()
    apply_splices(raw, [Splice(start_byte=2_000_000, end_byte=2_000_000, replacement=b"y")])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * len(raw)
