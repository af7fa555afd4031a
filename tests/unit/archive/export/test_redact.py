"""Words blacked out: found in every disguise, as whole words only, and with nothing left of their length."""

from __future__ import annotations

import pytest

from gateway.archive.export.redact import BAR, Redactor
from gateway.archive.export.redacted import text_view

ONE = f"{BAR}[1]"


@pytest.mark.parametrize(
    ("words", "text", "hidden"),
    [
        ("Sam Lee", "I saw Sam Lee today.", f"I saw {ONE} today."),
        ("Sam Lee", "SAM  LEE'S and sam\nlee", f"{ONE}'S and {ONE}"),
        ("Sam Lee", "Sam\u200b Lee, S\u00adam Lee, Sam\u00a0Lee", f"{ONE}, {ONE}, {ONE}"),
        ("Zoé", "Zoe, ZOÉ, Zoe\u0301!", f"{ONE}, {ONE}, {ONE}!"),
        ("Ann", "Anna, Annie, ann-marie, _ann", f"Anna, Annie, {ONE}-marie, _ann"),
        ("sam.lee@mail.example", "<Sam.Lee@Mail.Example>", f"<{ONE}>"),
        ("555-0142", "call 555-0142.", f"call {ONE}."),
        ("Ｓａｍ", "Sam", ONE),
        ("سارة", "قالت سارة ذلك", f"قالت {ONE} ذلك"),
        ("ﬁeld", "field", ONE),
        ("Sam Lee", "> I met Sam\n> Lee, and\r\n> > Sam\r\n>> | Lee", f"> I met {ONE}, and\r\n> > {ONE}"),
        ("Sam Lee", "sam-lee sam.lee@x sam_lee Sam-\nLee Sam\u2011Lee", f"{ONE} {ONE}@x {ONE} {ONE} {ONE}"),
        ("sam-lee", "Sam Lee, sam.lee", f"{ONE}, {ONE}"),
        ("Sam Lee", "Samlee, Sam. Lee, Sam > Lee", "Samlee, Sam. Lee, Sam > Lee"),
        (".*", "anything", "anything"),
    ],
)
def test_words_are_hidden(words: str, text: str, hidden: str) -> None:
    assert Redactor([words]).hide(text) == hidden


def test_the_longer_words_win_and_each_has_its_number() -> None:
    redactor = Redactor(["Sam", "Sam Lee", "Jo"])
    assert redactor.hide("Sam Lee, Sam, Jo, Jo") == f"{BAR}[2], {BAR}[1], {BAR}[3], {BAR}[3]"
    assert redactor.counts == [1, 1, 2]


def test_nothing_to_hide_leaves_the_text() -> None:
    assert Redactor([]).hide("Sam") == "Sam"


def test_values_are_hidden_and_keys_are_not() -> None:
    value = {"Sam": ["Sam", 3, None, {"x": ("to Sam",)}]}
    assert Redactor(["Sam"]).hide_in(value) == {"Sam": [ONE, 3, None, {"x": [f"to {ONE}"]}]}


def test_a_message_as_text_hides_header_lines_texts_and_names_of_attachments() -> None:
    raw = (
        b"From: Sam Lee <sam@mail.example>\r\nSubject: =?utf-8?q?about_S=61m_Lee?=\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/html\r\n\r\n<p title='Sam Lee'>S<b>am</b> <i>Lee</i> said</p>\r\n"
        b'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="Sam Lee.txt"\r\n\r\n'
        b"Sam Lee\r\n--b--\r\n"
    )
    redactor = Redactor(["Sam Lee"])
    text = text_view(raw, redactor)
    assert "Sam" not in text
    assert "Lee" not in text
    assert "said" in text
    assert redactor.counts == [4]
