from __future__ import annotations

import pytest

from gateway.message.mapped import CrlfOffsets, MappedTextBuilder


def test_pieces_keep_their_places() -> None:
    builder = MappedTextBuilder()
    builder.copy("abcdef", 1, 3)
    builder.put("\n\n", 3)
    builder.put_mapped("xy", [4, 5])
    builder.copy("abcdef", 5, 5)
    builder.put("", 9)
    assert (builder.length, builder.last) == (6, "y")
    assert builder.mapped().text == "bc\n\nxy"
    assert list(builder.mapped().offsets) == [1, 2, 3, 3, 4, 5]


def test_offsets_of_crlf_are_counted() -> None:
    source, text = "\ufeffone\r\n\r\ntwo\r\n", "one\n\ntwo\n"
    offsets = CrlfOffsets(length=len(text), start=1, line_ends=[3, 4, 8])
    assert list(offsets) == [1, 2, 3, 4, 6, 8, 9, 10, 11]
    assert "".join(source[offset] for offset in offsets) == text.replace("\n", "\r")
    assert list(offsets[2:5]) == [3, 4, 6]
    assert offsets[-1] == 11
    with pytest.raises(IndexError):
        offsets[9]
