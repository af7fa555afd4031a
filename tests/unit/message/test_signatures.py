from __future__ import annotations

import pytest

from gateway.message.signatures import signature_lines


def signed(text: str) -> list[str]:
    lines = text.split("\n")
    return [lines[index] for found in signature_lines(lines) for index in found]


def test_everything_behind_the_separator_is_the_signature() -> None:
    assert signed("Hello\n-- \nAda Okafor\nKing Street Outreach") == ["-- ", "Ada Okafor", "King Street Outreach"]


def test_a_long_text_behind_a_separator_is_not_a_signature() -> None:
    assert signed("Hello\n-- \n" + "I told my sister everything about you.\n" * 16) == []
    assert signed("Hello\n-- \n" + "x" * 1001) == []


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Envoyé de mon iPhone",
        "Envoyé depuis mon iPad",
        "Get Outlook for iOS",
        "Sent from Mail for Windows 10",
        "Télécharger Outlook pour Android",
    ],
)
def test_a_telephone_signs_with_its_own_line(line: str) -> None:
    assert signed(f"See you Friday\n\n{line}\n") == [line]


def test_a_sentence_about_a_telephone_is_not_a_signature() -> None:
    assert signed("Sent from my iPhone because my laptop broke in the divorce") == []


def test_a_contact_block_behind_a_closing_is_a_signature() -> None:
    text = "See you Friday.\n\nKind regards,\nAda Okafor\nKing Street Outreach\n519 555-0123"
    assert signed(text) == ["Ada Okafor", "King Street Outreach", "519 555-0123"]
    assert signed("À vendredi.\nCordialement,\nLuc\nluc@agency.example") == ["Luc", "luc@agency.example"]


@pytest.mark.parametrize(
    "text",
    [
        "Thanks,\nAda",
        "Ada Okafor\n519 555-0123",
        "Thanks,\nText me at 519 555-0123",
        "Thanks,\nAppelle-moi 519 555-0123",
        "Thanks,\nAda\nShall we meet at 519 555-0123?",
        "Thanks,\n" + "word\n" * 9 + "519 555-0123",
    ],
)
def test_in_doubt_it_is_new_text(text: str) -> None:
    assert signed(text) == []
