from __future__ import annotations

import pytest

from gateway.amend.fitting import Fit, fits, is_fit_for_ascii

TEXT, SIMPLE, ASCII = "l’été", "l'été", "l'ete"


def ways(body: bytes, label: str | None, *, text: str = TEXT, prefer_ascii: bool = False) -> list[Fit]:
    """All ways to say the text."""
    return list(fits(text, simple=SIMPLE, ascii_only=ASCII, body=body, label=label, prefer_ascii=prefer_ascii))


@pytest.mark.parametrize(
    ("label", "first"),
    [
        ("utf-8", Fit(octets=TEXT.encode())),
        ("windows-1252", Fit(octets=TEXT.encode("cp1252"))),
        (None, Fit(octets=TEXT.encode(), label="utf-8")),
        ("us-ascii", Fit(octets=TEXT.encode(), label="utf-8")),
        ("iso-8859-1", Fit(octets=TEXT.encode("cp1252"), label="windows-1252")),
        ("koi8-r", Fit(octets=TEXT.encode(), label="utf-8", body=b"Hi")),
        ("iso-2022-jp", Fit(octets=TEXT.encode(), label="utf-8", body=b"Hi")),
        ("gb2312", Fit(octets=TEXT.encode(), label="utf-8", body=b"Hi")),
    ],
)
def test_the_smallest_change_that_says_every_letter_comes_first(label: str | None, first: Fit) -> None:
    found = ways(b"Hi", label)
    assert found[0] == first


@pytest.mark.parametrize("label", ["koi8-r", "iso-2022-jp", "us-ascii", None, "iso-8859-2"])
def test_the_ascii_spelling_comes_last_or_first_as_wanted(label: str | None) -> None:
    assert ways(b"Hi", label)[-1] == Fit(octets=ASCII.encode())
    assert ways(b"Hi", label, prefer_ascii=True)[0].label is None


@pytest.mark.parametrize("label", ["utf-16", "utf-32", "utf-7", "hz-gb-2312", "no-such-charset"])
def test_unsafe_and_unknown_charsets_have_no_way(label: str) -> None:
    assert ways(b"Hi", label) == []
    assert not is_fit_for_ascii(label)


def test_octets_that_are_not_in_the_charset_have_no_way() -> None:
    assert ways(b"\xe9", "utf-8") == []
    assert ways(b"\xe9", None) == []


def test_latin_text_with_letters_of_windows_keeps_its_label() -> None:
    assert ways(b"It\x92s", "iso-8859-1") == [Fit(octets=SIMPLE.encode("latin-1")), Fit(octets=ASCII.encode())]


def test_latin_text_that_is_utf8_is_transcoded_to_the_letter() -> None:
    assert ways(b"\xc3\x82", "iso-8859-1")[0] == Fit(octets=TEXT.encode(), label="utf-8", body="Ã\x82".encode())


def test_ascii_words_need_nothing() -> None:
    assert ways(b"Hi", "koi8-r", text="notice")[0] == Fit(octets=b"notice")
