"""The HTML notice for who sees badly, hears a screen reader, or reads in the dark: measured on the shipped words."""

from __future__ import annotations

import re

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.amend.wording import html_block
from gateway.policy.load import load_pack

PACK = load_pack("renison-2013", organisation="Centre d’appui King & fils")
LANGUAGES = ("en", "fr")
_CONTRAST_OF_TEXT = 4.5  # WCAG 2.1, success criterion 1.4.3
_CONTRAST_OF_LINES = 3.0  # 1.4.11


def blocks(language: str) -> list[LexborNode]:
    """Every element of the notice as it stands in a message, the outermost first."""
    tree = LexborHTMLParser(html_block(PACK.notice(language)))
    return [node for node in tree.css("div.practicum-notice, div.practicum-notice *") if node.tag is not None]


def styles(node: LexborNode) -> dict[str, str]:
    written = (node.attributes.get("style") or "").split(";")
    pairs = (entry.partition(":") for entry in written if entry.strip())
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb` (WCAG 2.1)."""
    match = re.fullmatch(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", colour)
    assert match is not None, f"{colour} is not #rrggbb"
    shares = [int(channel, 16) / 255 for channel in match.groups()]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_stand_out_from_their_ground_in_light_and_in_dark(language: str) -> None:
    coloured = [styles(node) for node in blocks(language) if {"color", "background-color"} & styles(node).keys()]
    assert coloured
    for style in coloured:
        assert {"color", "background-color"} <= style.keys(), (
            "one colour alone is unreadable on the other mode's ground"
        )
        assert contrast(style["color"], style["background-color"]) >= _CONTRAST_OF_TEXT
    outermost = coloured[0]
    line = re.search(r"#[0-9a-f]{6}", outermost["border-top"])
    assert line is not None
    assert contrast(line[0], outermost["background-color"]) >= _CONTRAST_OF_LINES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_stands_within_the_coloured_block(language: str) -> None:
    outer, inner, *_ = blocks(language)
    assert {"color", "background-color"} <= styles(inner).keys()
    assert "".join(outer.text().split()) == "".join(inner.text().split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_reader_is_told_the_language_and_the_direction(language: str) -> None:
    for node in blocks(language)[:2]:
        assert (node.attributes.get("lang") or "").partition("-")[0] == language
        assert node.attributes.get("dir") == "ltr"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_loaded_hidden_or_to_be_clicked(language: str) -> None:
    assert {node.tag for node in blocks(language)} <= {"div", "p", "strong"}
    for node in blocks(language):
        assert set(node.attributes) <= {"class", "lang", "dir", "style"}
        style = node.attributes.get("style") or ""
        assert not re.search(r"url\(|display(?!:block;)|visibility|opacity|position", style)


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_grow_with_the_reader_s_own_size_and_lines_have_air(language: str) -> None:
    for node in blocks(language):
        size, height = styles(node).get("font-size"), styles(node).get("line-height")
        assert size is None or (size.endswith("em") and float(size.removesuffix("em")) >= 1)
        assert height is None or float(height) >= 1.5


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_and_text_say_the_same(language: str) -> None:
    notice = PACK.notice(language)
    assert "".join(blocks(language)[0].text().split()) == "".join(notice.text.split())
