from __future__ import annotations

import pytest

from gateway.message.plain import visible_plain


@pytest.mark.parametrize(("source", "text"), [("a\r\nb", "a\nb"), ("a\rb\n", "a\nb\n"), ("\ufeffa", "a"), ("", "")])
def test_line_ends_are_line_feeds(source: str, text: str) -> None:
    mapped = visible_plain(source)
    assert mapped.text == text
    assert len(mapped.offsets) == len(text)


def test_offsets_lead_back_to_the_source() -> None:
    source = "one\r\ntwo"
    mapped = visible_plain(source)
    assert source[mapped.offsets[mapped.text.index("two")] :] == "two"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("one \r\ntwo\r\n", "one two\n"),
        ("> one \r\n> two\r\nmine", "> one two\nmine"),
        (">> one \r\n> two \r\nmine", ">> one \n> two \nmine"),
        ("Hi \r\n-- \r\nAda \r\nOkafor", "Hi \n-- \nAda Okafor"),
        (" >not quoted\r\n From here", ">not quoted\nFrom here"),
    ],
)
def test_flowed_paragraphs_are_made_whole(source: str, text: str) -> None:
    mapped = visible_plain(source, is_flowed=True)
    assert mapped.text == text
    assert len(mapped.offsets) == len(text)


def test_delsp_takes_the_soft_space_away() -> None:
    assert visible_plain("ther \r\napy", is_flowed=True, deletes_space=True).text == "therapy"


def test_flowed_offsets_lead_back_to_the_source() -> None:
    source = "> one \r\n> two\r\n"
    mapped = visible_plain(source, is_flowed=True)
    assert source[mapped.offsets[mapped.text.index("two")] :].startswith("two")
