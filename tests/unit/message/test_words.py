from __future__ import annotations

import pytest

from gateway.message.words import clean_text, decode_words, header_text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain", "plain"),
        ("=?utf-8?Q?caf=C3=A9_noir?=", "café noir"),
        ("=?ISO-8859-1?B?Y2Fm6Q==?= ouvert", "café ouvert"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8?B?4pyTIA?= =?iso-8859-1?q?=E9?=", "✓ é"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        ("=?utf-8*fr?q?=C3=A9?=", "é"),
        ("=?utf-8?q?torn", "=?utf-8?q?torn"),
        ("=?utf-8?x?no?=", "=?utf-8?x?no?="),
    ],
)
def test_encoded_words_are_read_as_mail_readers_do(written: str, read: str) -> None:
    assert decode_words(written) == read


def test_decoded_line_breaks_and_nul_can_not_make_a_header() -> None:
    text = header_text(b" =?utf-8?Q?a=0D=0ABcc:_z=00?=")
    assert text == "a  Bcc: z"


def test_direction_overrides_go() -> None:
    assert clean_text("\u202emoc.knab\u2069") == "moc.knab"


def test_folded_values_are_one_line() -> None:
    assert header_text(b" one\r\n two\r\n") == "one two"


def test_raw_octets_are_read_as_utf_8_or_else_windows_1252() -> None:
    assert header_text("é".encode()) == "é"
    assert header_text(b"\xe9") == "é"


def test_what_shows_nothing_is_not_in_the_text() -> None:
    assert clean_text("Re\u00adport\u200b\u00a0now\r\n\tplease\u202e") == "Report now   please"
