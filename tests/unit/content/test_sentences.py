"""Sentences: borders in mail as people write it, in both languages, and linear work."""

import pytest

from gateway.content.folding import plain_text
from gateway.content.sentences import MAX_SENTENCE_CHARS, sentence_spans


def cut(text):
    plain = plain_text(text)
    spans = sentence_spans(plain.text, plain.folded, 0, len(plain.text))
    return [" ".join(plain.text[start:end].split()) for start, end in spans]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("See Dr. Roy at 2 p.m. on Friday. Bring the form.", ["See Dr. Roy at 2 p.m. on Friday.", "Bring the form."]),
        ("Bonjour Mme Tremblay, tout va bien? Oui!", ["Bonjour Mme Tremblay, tout va bien?", "Oui!"]),
        ("Hi Jordan,\nsee you Monday.", ["Hi Jordan,", "see you Monday."]),
        ("Bring:\n- the form\n- your card", ["Bring:", "- the form", "- your card"]),
        ("Schedule\n\nWe meet at ten.", ["Schedule", "We meet at ten."]),
        ("J. Reyes came. A. Roy too.", ["J. Reyes came.", "A. Roy too."]),
        ("Wait... what? No", ["Wait... what?", "No"]),
        ("At 3.30 it starts. Then we go.", ["At 3.30 it starts.", "Then we go."]),
        ("", []),
        (" \n\t \n", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, sentences):
    assert cut(text) == sentences


def test_a_wrapped_line_is_one_sentence():
    text = "I would like to move our appointment of next Tuesday to\nThursday at two in the afternoon."
    assert len(cut(text)) == 1


def test_no_sentence_is_longer_than_the_limit_and_nothing_is_lost():
    text = "word " * 1000
    pieces = cut(text)
    assert max(map(len, pieces)) <= MAX_SENTENCE_CHARS
    assert " ".join(pieces).split() == text.split()


@pytest.mark.parametrize("unit", ["\n", ".", ". ", "\n- ", "a", "?!\n", ".\u201d "])
def test_hostile_text_gives_at_most_one_sentence_a_character(unit):
    text = unit * 5000
    assert len(cut(text)) <= len(text)
