from __future__ import annotations

from gateway.message.mapped import MappedTextBuilder


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
