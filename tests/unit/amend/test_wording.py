from __future__ import annotations

from dataclasses import replace

from gateway.amend.wording import before_plain, behind_plain, html_block, normal, plain_lines, simply_spelt
from tests.unit.amend.notices import ENGLISH, FRENCH


def test_an_empty_line_stands_before_the_notice() -> None:
    assert behind_plain("Hi.", "N") == "\n\nN"
    assert behind_plain("Hi.\n", "N") == "\nN\n"
    assert behind_plain("", "N") == "\nN\n"


def test_an_empty_line_stands_around_a_notice_above_the_history() -> None:
    assert [f"{head}{before_plain(head, 'N')}Old" for head in ("Hi.", "Hi.\n", "Hi.\n\n", "")] == [
        "Hi.\n\nN\n\nOld", "Hi.\n\nN\n\nOld", "Hi.\n\nN\n\nOld", "N\n\nOld",
    ]  # fmt: skip


def test_flowed_lines_are_stuffed_and_end_in_no_space() -> None:
    assert plain_lines("\nFrom us \n> b\n c\nd\n", is_flowed=True) == " From us\n > b\n  c\nd"
    assert plain_lines("From us \n", is_flowed=False) == "From us"


def test_the_html_block_is_ascii_in_short_lines_and_names_its_language() -> None:
    block = html_block(FRENCH)
    assert block.isascii()
    assert "l&#8217;agence" in block
    assert 'lang="fr"' in block
    assert max(map(len, block.split("\n"))) <= 76
    assert 'lang="&quot;&gt;"' in html_block(replace(ENGLISH, language='">'))


def test_spelling_and_white_space_are_made_simple() -> None:
    assert simply_spelt("l’été «\u00a0là\u00a0» …") == 'l\'été " là " ...'
    assert normal(" a\n\tb\u00a0c ") == "a b c"
