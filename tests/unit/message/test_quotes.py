from __future__ import annotations

import pytest

from gateway.message.quotes import attribution_start, is_loose_attribution, is_quote_line, quoted_rest_start


def test_mbox_escapes_are_not_quotes() -> None:
    assert is_quote_line("> From here")
    assert is_quote_line(" > x")
    assert not is_quote_line(">From here")
    assert not is_quote_line("x > y")


@pytest.mark.parametrize(
    "text",
    [
        "On Mon, Sep 14, 2026 at 10:15 AM Jordan Reyes <jordan.reyes@mail.example> wrote:",
        "On Mon, Sep 14, 2026 at 10:15 AM Jordan Reyes <\njordan.reyes@mail.example> wrote:",
        "On Sep 14, 2026, at 10:15 AM, Jordan Reyes <jordan.reyes@mail.example>\nwrote:",
        "On 14/09/2026 10:15, Jordan Reyes wrote:",
        "Le lun. 14 sept. 2026 à 10:15, Jordan Reyes <jordan.reyes@mail.example> a écrit :",
        "Le 14 sept. 2026 à 10 h 15, Jordan Reyes\n<jordan.reyes@mail.example> a écrit :",
        "Le 2026-09-14 à 10:15, Jordan Reyes a écrit\u00a0:",
    ],
)
def test_attributions_are_known_wrapped_or_not(text: str) -> None:
    lines = text.split("\n")
    assert attribution_start(lines, len(lines) - 1) == 0


@pytest.mark.parametrize(
    "text",
    [
        "On a personal note, my sister wrote:",
        "On Monday my sister wrote:",
        "As you wrote:",
        "Le problème, comme il a écrit :",
        "On Mon, Sep 14, 2026 at 10:15 AM\n\nJordan Reyes wrote:",
        "On Mon, Sep 14, 2026 " + "word " * 100 + "wrote:",
    ],
)
def test_sentences_are_not_attributions(text: str) -> None:
    lines = text.split("\n")
    assert attribution_start(lines, len(lines) - 1) is None


def test_loose_attributions_need_evidence_or_brevity() -> None:
    assert is_loose_attribution("Jordan Reyes wrote:")
    assert is_loose_attribution("2026-09-14 10:15 GMT-04:00 Jordan Reyes <jordan.reyes@mail.example>:")
    assert not is_loose_attribution("I have thought long about everything that you and your mother wrote:")
    assert not is_loose_attribution("Please bring these papers:")


@pytest.mark.parametrize(
    "text",
    [
        "-----Original Message-----\nFrom: Jordan Reyes\nSent: Monday, September 14, 2026 10:15\nTo: Ada Okafor",
        "-----Message d'origine-----\nDe : Jordan Reyes\nEnvoyé : 14 septembre 2026 10:15\nÀ : Ada Okafor",
        "---------- Forwarded message ---------\nFrom: Jordan Reyes <j@mail.example>\nDate: Mon, Sep 14, 2026 at 10:15",
        "Begin forwarded message:\n\nFrom: Jordan Reyes\nSubject: Friday\nDate: September 14, 2026\nTo: Ada",
        "From: Jordan Reyes <j@mail.example>\nSent: Monday, September 14, 2026 10:15\nTo: Ada\nSubject: Friday",
        "De : Jordan Reyes\nEnvoyé : 14 septembre 2026 10:15\nÀ : Ada Okafor\nObjet : vendredi",
        "*From:* Jordan Reyes\n*Sent:* Monday, 14 September 2026\n*To:* Ada\n<ada@agency.example>\n*Subject:* Re",
        "________________________________\nFrom: Jordan Reyes\nSent: September 14, 2026\nTo: Ada\nSubject: x",
    ],
)
def test_a_block_of_header_fields_begins_an_older_message(text: str) -> None:
    assert quoted_rest_start(["Hello", "", *text.split("\n")], 2)


def test_a_block_on_top_of_a_text_hides_nothing_unless_a_separator_introduces_it() -> None:
    block = ["From: Jordan Reyes", "Sent: September 14, 2026", "To: Ada Okafor", "Subject: x", "", "words"]
    assert not quoted_rest_start(block, 0)
    assert not quoted_rest_start(["", *block], 1)
    assert quoted_rest_start(["-----Original Message-----", *block], 0)


@pytest.mark.parametrize(
    "text",
    [
        "From: x",
        "From: x\nTo: y",
        "From: x\nSent: later\nTo: y\nSubject: z",
        "-----Original Message-----\nI am so in love with you",
        "From: 2026\n\nSent: September 14, 2026\nTo: y",
        "To: Ada\nDate: 2026-09-14\nSubject: x",
        "________________________________",
        "Date: 2026-09-14\nTo: Ada",
    ],
)
def test_less_than_a_block_does_not(text: str) -> None:
    assert not quoted_rest_start(["Hello", *text.split("\n")], 1)
