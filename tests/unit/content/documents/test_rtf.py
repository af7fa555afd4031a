"""RTF: words, pictures, objects; in linear time."""

from __future__ import annotations

import time

import pytest

from tests.documents.sources import photograph
from tests.unit.content.documents.opened import opened

_HEX = b"5f4d"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1\ansi Hello {\b Jo}rdan\par See you}", "Hello Jordan\nSee you"),
        (rb"{\rtf1 caf\'e9}", "café"),
        (rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8}", "При"),
        (rb"{\rtf1\uc1 L\u233?a \u8217's}", "Léa ’s"),
        (rb"{\rtf1\uc2 a\u233??b}", "aéb"),
        (rb"{\rtf1\uc0 a\u233 b}", "aéb"),
        (rb"{\rtf1 \u-10179?\u-8704?}", "\U0001f600"),
        (rb"{\rtf1{\fonttbl{\f0 Times;}}{\colortbl;\red0;}{\*\generator X;}{\info{\author Nobody}{\title Plan}} text}",
         "Plan text"),
        (rb"{\rtf1 one\cell two\cell\row}", "one\ttwo\t"),
        (rb"{\rtf1 a\{b\}c\\d\~e}", "a{b}c\\d\u00a0e"),
        (rb"{\rtf1 shown {\v hidden}}", "shown hidden"),
        (b"{\\rtf1 over\r\nthe line}", "overthe line"),
        (rb"{\rtf1 first} behind", "first behind"),
        (rb"{\rtf1 {\field{\*\fldinst HYPERLINK x.example}{\fldrslt here}}}", "HYPERLINK x.examplehere"),
        (rb"{\rtf1 unclosed {\i group", "unclosed group"),
    ],
)  # fmt: skip
def test_words_are_read(source: bytes, text: str) -> None:
    found = opened(source)
    assert found.text == text
    assert found.troubles == ()


def test_a_picture_is_looked_at_whether_in_hex_or_in_octets() -> None:
    photo = photograph((300, 200))
    as_hex = b"{\\rtf1 a{\\pict{\\*\\blipuid " + _HEX + b"}\\jpegblip\\picw300 " + photo.hex().encode() + b"}b}"
    as_octets = b"{\\rtf1 a{\\pict\\jpegblip\\bin%d " % len(photo) + photo + b"}b}"
    for source in (as_hex, as_octets):
        found = opened(source)
        assert found.text == "ab"
        assert [picture.reason for picture in found.pictures] == ["photograph.place"]


def test_an_object_is_not_opened_and_said_so() -> None:
    assert opened(b"{\\rtf1{\\object{\\*\\objdata 0105}}}").troubles == ("unscannable.wrapped",)


@pytest.mark.parametrize(
    "source",
    [
        b"{\\rtf1 " + b"{\\field" * 200_000,
        b"{\\rtf1 " + b"\\'e9" * 400_000,
        b"{\\rtf1 {\\fonttbl" + b"{\\f0\\fcharset0 " * 4000,
        b"{\\rtf1 {\\field{\\*\\fldinst{HYPERLINK " + b'"}' * 300_000,
        b"{\\rtf1 " + b"\\bin" * 300_000,
    ],
    ids=["groups", "octets", "fonts", "links", "bin"],
)
def test_hostile_text_takes_linear_time(source: bytes) -> None:
    started = time.process_time()
    opened(source)
    assert time.process_time() - started < 6
