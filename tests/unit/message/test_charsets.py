from __future__ import annotations

import pytest

from gateway.message.charsets import codec_of, decode_leniently, decode_strictly


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF-8", "utf_8"),
        ("utf8", "utf_8"),
        ("ISO-8859-1", "latin_1"),
        ("iso-8859-8-i", "iso8859_8"),
        ("Windows-1252", "cp1252"),
        ("ks_c_5601-1987", "cp949"),
        ("gb2312", "gb18030"),
        ("x-sjis", "cp932"),
        ("us-ascii", "ascii"),
        ("ANSI_X3.4-1968", "ascii"),
    ],
)
def test_labels_name_the_codecs_that_readers_use(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    "label", ["rot13", "base64", "zlib", "idna", "punycode", "unicode_escape", "x-unknown", "", "é"]
)
def test_what_is_no_charset_is_unknown(label: str) -> None:
    assert codec_of(label) is None
    assert decode_strictly(b"abc", label or "?") is None


def test_a_wrong_label_is_told_by_none() -> None:
    assert decode_strictly("café".encode("latin-1"), "utf-8") is None
    assert decode_strictly("café".encode(), None) is None


def test_latin_1_is_read_as_windows_1252() -> None:
    assert decode_strictly(b"it\x92s", "iso-8859-1") == "it’s"


def test_lenient_reading_tries_utf_8_first_then_windows_1252() -> None:
    assert decode_leniently("café".encode(), "us-ascii") == "café"
    assert decode_leniently(b"caf\xe9", "utf-8") == "café"
    assert decode_leniently(b"caf\xe9", "no-such-charset") == "café"


def test_lenient_reading_marks_what_the_label_can_not_hold() -> None:
    assert "\ufffd" in decode_leniently(b"\x81\x20\xff", "shift_jis")


def test_no_lone_surrogate_comes_out_of_utf_7() -> None:
    text = decode_leniently(b"\xff+2AA-", "utf-7") + (decode_strictly(b"a+2AA-b", "utf-7") or "")
    text.encode("utf-8")


def test_big5_has_kana() -> None:
    assert decode_strictly("こんにちは".encode("big5"), "big5") == "こんにちは"
