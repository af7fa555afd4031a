"""Folding: what is the same word to a reader is the same word to the lists, and offsets lead back."""

import pytest

from gateway.content.folding import fold, plain_text


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Élève", "eleve"),
        ("cœur", "coeur"),
        ("ｆｕｌｌ", "full"),
        ("de\u00adpression", "depression"),
        ("de\u200bpression", "depression"),
        ("d’être", "d'etre"),
        ("іdіоt", "idiot"),
        ("ﬁle", "file"),
        ("e\u0301te\u0301", "ete"),
        ("NAÏVE", "naive"),
    ],
)
def test_what_reads_alike_folds_alike(written, folded):
    assert fold(written) == folded


@pytest.mark.parametrize("written", ["a\u200bcœur d'été ﬁn", "\u200b\u200b", "ÉÀ", "x" * 50, "œ" * 20, "\ufdfa text"])
def test_folded_and_opened_text_have_the_same_length(written):
    plain = plain_text(written)
    assert len(plain.text) == len(plain.folded)
    assert plain.offsets is None or len(plain.offsets) == len(plain.text)


def test_a_span_leads_back_to_the_characters_that_were_written():
    written = "Un\u200b mal de cœur\u00ad grave"
    plain = plain_text(written)
    start = plain.folded.index("coeur")
    begin, end = plain.source_span(start, start + 5)
    assert written[begin:end] == "cœur"


def test_a_border_of_a_zone_finds_its_place_in_the_opened_text():
    written = "œœ|new"
    plain = plain_text(written)
    assert plain.text[plain.plain_offset(written.index("|")) :] == "|new"


def test_plain_ascii_keeps_its_offsets():
    plain = plain_text("Hello There")
    assert plain.offsets is None
    assert plain.source_span(6, 11) == (6, 11)


def test_lone_surrogates_and_controls_do_no_harm():
    plain = plain_text("a\ud800b\x00c\x1b[31m")
    assert "a" in plain.folded
    assert len(plain.text) == len(plain.folded)
