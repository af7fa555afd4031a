"""The quick searches find what the plain ones find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.message import search
from gateway.message.search import find_mark, has_bad_line_ends

PIECES = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"-", b"a", b"\r\n.", b"\n--", b"\0", b"." * 70]), max_size=40
)


@given(pieces=PIECES, start=st.integers(0, 60), mark=st.sampled_from([b"\r\n.", b"\n-", b"\n--"]))
def test_a_mark_is_found_where_find_finds_it(pieces: list[bytes], start: int, mark: bytes) -> None:
    octets = b"".join(pieces)
    assert find_mark(octets, mark, start) == octets.find(mark, start)
    assert find_mark(bytearray(octets), mark, start) == octets.find(mark, start)


@given(pieces=PIECES, at=st.integers(0, 12), is_long=st.booleans())
def test_bad_line_ends_are_seen_wherever_they_stand(pieces: list[bytes], at: int, is_long: bool) -> None:
    filler = b"x" * (search._BLOCK_BYTES - at) if is_long else b""
    octets = filler + b"".join(pieces) + filler
    rest = octets.replace(b"\r\n", b"")
    assert has_bad_line_ends(octets) is any(octet in rest for octet in (b"\r", b"\n", b"\0"))
