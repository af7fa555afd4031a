from __future__ import annotations

from gateway.message.limits import DEFAULT


def test_default_limits_are_those_of_the_contract() -> None:
    assert DEFAULT.max_message_bytes == 50 * 1024 * 1024
    assert (DEFAULT.max_header_fields, DEFAULT.max_header_line_bytes) == (1000, 32768)
    assert (DEFAULT.max_parts, DEFAULT.max_depth, DEFAULT.max_hops) == (500, 50, 100)
    assert DEFAULT.max_text_chars == 1_000_000
